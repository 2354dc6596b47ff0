"""Taking samples, by a clock that is played: warm-up, batches, turns."""

from __future__ import annotations

import pytest

from pytest_arm64.inside.measure.sampling import MOST_LOOPS, Clocks, take, take_in_turn


class Time:
    """Nanoseconds of wall and processor; each reading costs, as real clocks do."""

    def __init__(self, cost: int = 0) -> None:
        self.now = self.cpu_now = 0
        self.cost = cost
        self.called: list[str] = []

    def wall(self) -> int:
        self.now += self.cost
        return self.now

    def cpu(self) -> int:
        self.now += self.cost
        return self.cpu_now

    def clock(self) -> Clocks:
        return Clocks(self.wall, self.cpu)

    def works(self, name: str, wall: int, cpu: int | None = None) -> str:
        self.called.append(name)
        self.now += wall
        self.cpu_now += wall if cpu is None else cpu
        return name


def test_a_slow_subject_is_called_once_a_round() -> None:
    time = Time()
    sample = take(lambda: time.works("a", 5_000, 20_000), rounds=4, warmup=3, clock=time.clock())
    assert sample.wall == (5e-6,) * 4
    assert sample.cpu == (2e-5,) * 4  # four threads
    assert (sample.loops, sample.result) == (1, "a")
    assert len(time.called) == 3 + 1 + 4  # warm-up, one trial, rounds


@pytest.mark.parametrize("cost", [10, 100, 1000])
@pytest.mark.parametrize("wall", [3, 70, 100_000])
def test_the_clock_adds_no_more_than_a_hundredth(cost: int, wall: int) -> None:
    time = Time(cost)
    sample = take(lambda: time.works("a", wall), rounds=5, warmup=0, clock=time.clock())
    for measured in sample.wall:
        assert wall * 1e-9 <= measured <= wall * 1e-9 * 1.01


def test_a_subject_that_takes_no_time_ends() -> None:
    time = Time(cost=10)
    sample = take(lambda: time.works("a", 0), rounds=1, warmup=0, clock=time.clock())
    assert sample.loops == MOST_LOOPS


def test_turns_are_taken_forwards_and_backwards() -> None:
    time = Time()
    take_in_turn(
        [lambda: time.works("a", 9_000), lambda: time.works("b", 9_000)],
        rounds=4,
        warmup=1,
        clock=time.clock(),
    )
    assert "".join(time.called) == "aabb" + "abbaabba"


def test_drift_hits_both_alike() -> None:
    """Every call takes longer than the one before it: the sums stay equal."""
    time = Time()
    subjects = [lambda: time.works("x", 1_000 * (len(time.called) + 1))] * 2
    one, other = take_in_turn(subjects, rounds=10, warmup=0, clock=time.clock())
    assert sum(one.wall) == pytest.approx(sum(other.wall))


@pytest.mark.parametrize(("rounds", "warmup"), [(0, 0), (-1, 3), (5, -1)])
def test_nothing_to_measure(rounds: int, warmup: int) -> None:
    with pytest.raises(ValueError, match="at least one round"):
        take(lambda: None, rounds=rounds, warmup=warmup, clock=Clocks())
