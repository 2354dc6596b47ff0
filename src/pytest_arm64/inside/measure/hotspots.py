"""Hot spots of the tests' own calls: sampled where time is real, counted where it is not.

A native cell is sampled by a timer of processor time, which costs it next to nothing. An emulated
one is traced by cProfile: there, time is stretched anyway, and what counts are calls. Both charge
the time of C functions to the Python function that calls them.
"""

from __future__ import annotations

import cProfile
import pstats
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any

SAMPLES, CALLS = "samples", "calls"
INTERVAL = 0.01
"""Seconds of processor time between two samples."""


@dataclass(frozen=True)
class Function:
    """A Python function, by where it is defined."""

    file: str
    line: int
    name: str


@dataclass
class Spent:
    """What a function has cost, without the Python functions that it calls."""

    seconds: float = 0.0
    calls: int | None = None

    def add(self, seconds: float, calls: int | None) -> None:
        self.seconds += seconds
        if calls is not None:
            self.calls = (self.calls or 0) + calls


Spending = dict[Function, Spent]


class Sampler:
    """Looks every hundredth of a processor second at which function runs in the main thread."""

    tool = SAMPLES

    def __init__(self, clock: Callable[[], float] = time.process_time) -> None:
        self._clock = clock
        self._last = 0.0
        self._spent: dict[CodeType, float] = {}

    def start(self) -> None:
        """Begin to look.

        Raises:
            ValueError: not in the main thread, or somebody else uses the timer.
        """
        if signal.getsignal(signal.SIGPROF) is not signal.SIG_DFL:
            raise ValueError("SIGPROF is used by something else")
        signal.signal(signal.SIGPROF, self.tick)
        self.enable()

    def stop(self) -> None:
        """Look no more."""
        self.disable()
        signal.signal(signal.SIGPROF, signal.SIG_DFL)

    def enable(self) -> None:
        """Go on after a pause, which is charged to nobody."""
        self._last = self._clock()
        signal.setitimer(signal.ITIMER_PROF, INTERVAL, INTERVAL)

    def disable(self) -> None:
        """Pause."""
        signal.setitimer(signal.ITIMER_PROF, 0)

    def tick(self, _signal: int, frame: FrameType | None) -> None:
        """Charge what was spent since the last look: a long C call delays and merges signals."""
        now = self._clock()
        if frame is not None:
            code = frame.f_code
            self._spent[code] = self._spent.get(code, 0.0) + now - self._last
        self._last = now

    def spending(self) -> Spending:
        """What was seen."""
        found: Spending = {}
        for code, seconds in self._spent.items():
            function = Function(code.co_filename, code.co_firstlineno, code.co_name)
            found.setdefault(function, Spent()).add(seconds, None)
        return found


class _Resumable(cProfile.Profile):
    """One that libraries which pause profiling may put back as if it were a function."""

    def __call__(self, _frame: FrameType, _event: str, _argument: object) -> None:
        self.enable()


class Counter:
    """Counts every call."""

    tool = CALLS

    def __init__(self) -> None:
        self._profile = _Resumable()

    def start(self) -> None:
        """Begin to count.

        Raises:
            ValueError: another profiler is at work.
        """
        self._profile.enable()

    def stop(self) -> None:
        """Count no more."""
        self._profile.disable()

    def spending(self) -> Spending:
        """What was counted."""
        try:
            stats = pstats.Stats(self._profile)
        except TypeError:  # nothing has run
            return {}
        return charged(stats.stats)  # type: ignore[attr-defined]  # typeshed does not list it


def charged(stats: Mapping[Any, Any]) -> Spending:
    """cProfile's entries as spending: C functions are charged to their callers."""
    found: Spending = {}
    for (file, line, name), (_, calls, seconds, _, callers) in stats.items():
        if file != "~":
            found.setdefault(Function(file, line, name), Spent()).add(seconds, calls)
            continue
        for (caller, at, by), (_, _, part, _) in callers.items():
            if caller != "~":
                found.setdefault(Function(caller, at, by), Spent()).add(part, 0)
    return found


def profiler(*, emulated: bool) -> Sampler | Counter:
    """What a cell is profiled with."""
    return Counter() if emulated else Sampler()
