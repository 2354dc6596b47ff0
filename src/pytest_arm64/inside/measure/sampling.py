"""Takes samples: warm-up, batches that the clock cannot disturb, two subjects in turn."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

ROUNDS = 21
WARMUP = 3
CLOCK_SHARE = 0.01
"""The most that reading the clocks may add to what is measured."""
MOST_LOOPS = 1 << 20

Call = Callable[[], object]


@dataclass(frozen=True)
class Clocks:
    """Two clocks in nanoseconds: of the wall, and of this process on its processors."""

    wall: Callable[[], int] = time.perf_counter_ns
    cpu: Callable[[], int] = time.process_time_ns

    def cost(self) -> int:
        """Nanoseconds that one reading of both takes: the least of several."""
        return min(self._once() for _ in range(5))

    def _once(self) -> int:
        began = self.wall()
        self.cpu()
        return self.wall() - began


@dataclass(frozen=True)
class Sample:
    """Rounds of one subject, in the order in which they ran."""

    wall: tuple[float, ...]
    """Seconds of one call, by round."""
    cpu: tuple[float, ...]
    """Processor seconds of one call, all threads together."""
    loops: int
    """Calls in a round. Of more than one, p95 is that of their means."""
    result: object
    """What the last call returned."""


def take(subject: Call, *, rounds: int, warmup: int, clock: Clocks) -> Sample:
    """Measure *subject*.

    Raises:
        ValueError: no round, or a negative number of warm-up calls.
    """
    return take_in_turn([subject], rounds=rounds, warmup=warmup, clock=clock)[0]


def take_in_turn(
    subjects: Sequence[Call], *, rounds: int, warmup: int, clock: Clocks
) -> list[Sample]:
    """Measure *subjects* in turn, each second round backwards, so that drift hits all alike.

    Raises:
        ValueError: no round, or a negative number of warm-up calls.
    """
    if rounds < 1 or warmup < 0:
        raise ValueError(f"rounds={rounds} and warmup={warmup}: at least one round is needed")
    taken = [_Taking(subject, warmup, clock) for subject in subjects]
    for number in range(rounds):
        for taking in taken if number % 2 == 0 else reversed(taken):
            taking.round()
    return [taking.sample() for taking in taken]


class _Taking:
    """One subject, warm, and its rounds so far."""

    def __init__(self, subject: Call, warmup: int, clock: Clocks) -> None:
        self._subject = subject
        self._clock = clock
        for _ in range(warmup):
            subject()
        self._loops = self._enough()
        self._wall: list[float] = []
        self._cpu: list[float] = []
        self._result: object = None

    def _enough(self) -> int:
        """Calls beside which the clock's own cost does not count."""
        needed = self._clock.cost() / CLOCK_SHARE
        loops = 1
        while loops < MOST_LOOPS and self._batch(loops)[0] < needed:
            loops *= 2
        return loops

    def _batch(self, loops: int) -> tuple[int, int]:
        clock, subject = self._clock, self._subject
        calls = range(loops)
        result = None
        cpu = clock.cpu()
        wall = clock.wall()
        for _ in calls:
            result = subject()
        wall = clock.wall() - wall
        cpu = clock.cpu() - cpu
        self._result = result
        return wall, cpu

    def round(self) -> None:
        wall, cpu = self._batch(self._loops)
        self._wall.append(wall / self._loops / 1e9)
        self._cpu.append(cpu / self._loops / 1e9)

    def sample(self) -> Sample:
        return Sample(tuple(self._wall), tuple(self._cpu), self._loops, self._result)
