"""The ratio's interval: against a drawn bootstrap, on equal pairs, on different ones."""

from __future__ import annotations

import math
import statistics
from random import Random

import pytest

from pytest_arm64.inside.measure.ratio import MOST, Ratio, ratio_of_medians, thinned
from pytest_arm64.inside.measure.sampling import Clocks, take_in_turn


class PlayedClock:
    """Time that passes only where a subject lets it pass; it slows down as a hot machine does."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._drift = self._random.uniform(-0.3, 0.3)
        self.now = 0

    def subject(self, typical: float) -> None:
        """Takes *typical* nanoseconds, more or less: skewed, with outliers, and drifting."""
        noise = self._random.lognormvariate(0, 0.08)
        if self._random.random() < 0.05:
            noise *= self._random.uniform(2, 10)
        slower = 1 + self._drift * min(self.now / (60 * typical), 1)
        self.now += round(typical * noise * slower)

    def clock(self) -> Clocks:
        return Clocks(wall=lambda: self.now, cpu=lambda: self.now)


def compared(seed: int, first: float, second: float) -> Ratio:
    played = PlayedClock(seed)
    one, other = take_in_turn(
        [lambda: played.subject(first), lambda: played.subject(second)],
        rounds=21,
        warmup=2,
        clock=played.clock(),
    )
    return ratio_of_medians(one.wall, other.wall)


def test_equal_pairs_differ_in_at_most_one_of_twenty() -> None:
    """A/A: 1,000 seeded runs through the sampler, with outliers and a machine that drifts."""
    differing = sum(compared(seed, 1e6, 1e6).differs for seed in range(1000))
    assert differing <= 50


def test_a_difference_is_seen() -> None:
    """A quarter more is found nearly always, and on the right side."""
    found = [compared(seed, 1.25e6, 1e6) for seed in range(200)]
    assert sum(ratio.differs and ratio.low > 1 for ratio in found) >= 190
    assert sum(ratio.low <= 1.25 <= ratio.high for ratio in found) >= 190


@pytest.mark.parametrize(("n", "m"), [(21, 21), (20, 9), (5, 40)])
def test_the_interval_is_that_of_a_drawn_bootstrap(n: int, m: int) -> None:
    random = Random(n * m)
    one = [random.lognormvariate(0, 0.3) for _ in range(n)]
    other = [random.lognormvariate(0.2, 0.3) for _ in range(m)]
    drawn = sorted(
        statistics.median_low(random.choices(one, k=n))
        / statistics.median_low(random.choices(other, k=m))
        for _ in range(20_000)
    )
    exact = ratio_of_medians(one, other, confidence=0.9)
    for bound, share in ((exact.low, 0.05), (exact.high, 0.95)):
        below = sum(value < bound for value in drawn) / len(drawn)
        up_to = sum(value <= bound for value in drawn) / len(drawn)
        assert below - 0.012 <= share <= up_to + 0.012


def test_it_depends_on_nothing_but_the_values() -> None:
    random = Random(7)
    one, other = ([random.random() + 1 for _ in range(21)] for _ in range(2))
    shuffled = random.sample(one, len(one))
    assert ratio_of_medians(one, other) == ratio_of_medians(shuffled, other)
    inverse = ratio_of_medians(other, one)
    found = ratio_of_medians(one, other)
    assert inverse.value == pytest.approx(1 / found.value)
    assert inverse.low == pytest.approx(1 / found.high)
    assert inverse.high == pytest.approx(1 / found.low)


def test_a_long_sample_is_thinned_over_its_whole_length() -> None:
    sample = [float(i) for i in range(1, 100_001)]
    kept = thinned(sample)
    assert len(kept) == MOST
    assert (kept[0], kept[-1]) == (1.0, sample[(MOST - 1) * 100_000 // MOST])
    assert ratio_of_medians(sample, sample).value == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [([1.0] * 4, [1.0] * 9), ([1.0] * 9, []), ([0.0] * 9, [1.0] * 9), ([math.nan] * 9, [1.0] * 9)],
)
def test_what_cannot_be_compared(one: list[float], other: list[float]) -> None:
    with pytest.raises(ValueError, match=r"sample|positive"):
        ratio_of_medians(one, other)


def test_constants() -> None:
    assert not ratio_of_medians([2.0] * 9, [2.0] * 9).differs
    assert ratio_of_medians([3.0] * 9, [2.0] * 9) == Ratio(1.5, 1.5, 1.5, 0.99)
    assert str(ratio_of_medians([3.0] * 9, [2.0] * 9)) == "1.500 (1.500 to 1.500 at 99%)"
