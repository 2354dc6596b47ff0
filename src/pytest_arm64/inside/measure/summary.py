"""What a sample of seconds says: median, 95th percentile, spread, outliers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

FENCE = 1.5
"""Interquartile ranges beyond the quartiles from where on a value is an outlier (Tukey)."""


@dataclass(frozen=True)
class Summary:
    """A sample in a few values, each of which was observed; all but the counts in its own unit."""

    count: int
    minimum: float
    median: float
    p95: float
    maximum: float
    spread: float
    """Interquartile range: half of the sample lies within it."""
    outliers: int
    """How many lie beyond Tukey's fences. They are counted, never left out."""

    @property
    def relative_spread(self) -> float:
        """Spread in parts of the median."""
        return self.spread / self.median if self.median else 0.0


def summarise(sample: Sequence[float]) -> Summary:
    """The summary of *sample*.

    Raises:
        ValueError: it is empty, or holds what is no finite number.
    """
    ordered = ordered_sample(sample)
    low, high = at(ordered, 0.25), at(ordered, 0.75)
    spread = high - low
    outliers = sum(x < low - FENCE * spread or x > high + FENCE * spread for x in ordered)
    return Summary(
        count=len(ordered),
        minimum=ordered[0],
        median=at(ordered, 0.5),
        p95=at(ordered, 0.95),
        maximum=ordered[-1],
        spread=spread,
        outliers=outliers,
    )


def ordered_sample(sample: Sequence[float]) -> list[float]:
    """*sample* in ascending order.

    Raises:
        ValueError: it is empty, or holds what is no finite number.
    """
    if not sample:
        raise ValueError("an empty sample says nothing")
    if not all(map(math.isfinite, sample)):
        raise ValueError("a sample holds finite numbers only")
    return sorted(sample)


def at(ordered: Sequence[float], share: float) -> float:
    """The observed value that at least *share* of an ordered sample does not exceed."""
    return ordered[rank(len(ordered), share)]


def rank(count: int, share: float) -> int:
    """Index of that value (nearest rank): of the median, the lower one where two are in the middle.

    >>> rank(20, 0.5), rank(21, 0.5), rank(20, 0.95)
    (9, 10, 18)
    """
    # A share such as 0.95 times 20 is a little more than 19 in binary.
    return max(0, math.ceil(count * share - 1e-9) - 1)
