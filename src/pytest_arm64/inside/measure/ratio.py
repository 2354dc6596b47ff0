"""The ratio of two medians with its bootstrap interval, computed exactly instead of drawn.

A bootstrap sample's median is one of the observed values, and how probable each of them is follows
from the binomial distribution (Efron 1979; Maritz and Jarrett 1978). The distribution of the ratio
is the product of two such lists, so nothing is drawn: there is no seed to choose and no noise of
the method itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from .summary import at, ordered_sample, rank

CONFIDENCE = 0.99
"""Of the interval. The bootstrap of a median from few values is a little too sure of itself: a
nominal 95 % would call more than one in twenty equal pairs different."""
MOST = 301
"""Values of a longer sample that count, picked evenly: the interval gets wider, never narrower."""
FEWEST = 5
"""Below it, no interval means anything."""
_NEGLIGIBLE = 1e-9


@dataclass(frozen=True)
class Ratio:
    """How many times longer the first takes than the second."""

    value: float
    """Median of the first by median of the second."""
    low: float
    high: float
    """Interval of the ratio."""
    confidence: float

    @property
    def differs(self) -> bool:
        """Whether the interval leaves 1 out."""
        return not self.low <= 1.0 <= self.high

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f} at {self.confidence:.0%})"


def ratio_of_medians(
    first: Sequence[float], second: Sequence[float], confidence: float = CONFIDENCE
) -> Ratio:
    """Compare two independent samples of positive numbers.

    Raises:
        ValueError: fewer than five values in one, or values that are not positive and finite.
    """
    samples = [ordered_sample(thinned(sample)) for sample in (first, second)]
    if any(len(sample) < FEWEST or sample[0] <= 0 for sample in samples):
        raise ValueError(f"a ratio needs {FEWEST} or more positive values on each side")
    one, other = samples
    pairs = sorted((a / b, p * q) for a, p in _bootstrapped(one) for b, q in _bootstrapped(other))
    total = math.fsum(p for _, p in pairs)
    tail = (1 - confidence) / 2 * total
    return Ratio(
        at(one, 0.5) / at(other, 0.5),
        _quantile(pairs, tail),
        _quantile(reversed(pairs), tail),
        confidence,
    )


def thinned(sample: Sequence[float]) -> tuple[float, ...]:
    """At most as many values as a comparison uses, picked evenly over the time that it took."""
    if len(sample) <= MOST:
        return tuple(sample)
    return tuple(sample[i * len(sample) // MOST] for i in range(MOST))


def _bootstrapped(ordered: Sequence[float]) -> Iterator[tuple[float, float]]:
    """Each value that a bootstrap sample's median can take, with its probability."""
    count = len(ordered)
    needed = rank(count, 0.5) + 1
    ways = [(k, _log_ways(count, k)) for k in range(needed, count + 1)]
    below = 0.0
    for index, value in enumerate(ordered, 1):
        # The median is at most this value if `needed` draws are among the first `index`.
        up_to = _at_least(ways, count, index / count)
        if up_to - below > _NEGLIGIBLE:
            yield value, up_to - below
        below = up_to


def _log_ways(count: int, k: int) -> float:
    return math.lgamma(count + 1) - math.lgamma(k + 1) - math.lgamma(count - k + 1)


def _at_least(ways: Sequence[tuple[int, float]], count: int, share: float) -> float:
    """Probability that one of *ways* numbers of successes comes out of *count* trials."""
    if share >= 1.0:
        return 1.0
    log_p, log_q = math.log(share), math.log1p(-share)
    return math.fsum(math.exp(way + k * log_p + (count - k) * log_q) for k, way in ways)


def _quantile(pairs: Iterable[tuple[float, float]], tail: float) -> float:
    """The first value up to which the probabilities reach *tail*."""
    summed = 0.0
    for value, probability in pairs:
        summed += probability
        if summed >= tail:
            return value
    raise ValueError("no probability at all")
