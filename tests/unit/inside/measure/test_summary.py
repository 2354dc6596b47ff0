"""Summaries: observed values, by nearest rank; outliers counted and kept."""

from __future__ import annotations

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.inside.measure.summary import Summary, rank, summarise

SAMPLES = st.lists(st.floats(0, 1e6), min_size=1, max_size=60)


def test_a_recorded_sample() -> None:
    """Milliseconds of a validator, one round disturbed; worked out by hand."""
    recorded = [21.3, 20.9, 21.0, 21.1, 20.8, 21.2, 21.0, 95.0, 21.4, 20.9]
    assert summarise(recorded) == Summary(
        count=10,
        minimum=20.8,
        median=21.0,
        p95=95.0,
        maximum=95.0,
        spread=21.3 - 20.9,
        outliers=1,
    )


@given(SAMPLES)
def test_every_value_was_observed(sample: list[float]) -> None:
    found = summarise(sample)
    assert {found.minimum, found.median, found.p95, found.maximum} <= set(sample)
    assert found.median == statistics.median_low(sample)
    assert found.minimum <= found.median <= found.p95 <= found.maximum
    assert sum(value <= found.p95 for value in sample) >= 0.95 * len(sample) - 1e-6


@given(SAMPLES, st.floats(1e-3, 1e3))
def test_another_unit_changes_no_count(sample: list[float], unit: float) -> None:
    before, after = summarise(sample), summarise([value * unit for value in sample])
    assert after.median == pytest.approx(before.median * unit)
    assert after.count == before.count == len(sample)


@pytest.mark.parametrize("share", [0.05, 0.25, 0.5, 0.95])
def test_rank_is_the_first_that_reaches_the_share(share: float) -> None:
    for count in range(1, 200):
        index = rank(count, share)
        assert (index + 1) / count >= share - 1e-9
        assert index == 0 or index / count < share


@pytest.mark.parametrize("sample", [[], [1.0, math.nan], [math.inf]])
def test_what_is_no_sample(sample: list[float]) -> None:
    with pytest.raises(ValueError, match="sample"):
        summarise(sample)


def test_a_constant_has_no_spread() -> None:
    found = summarise([2.0] * 9)
    assert (found.spread, found.relative_spread, found.outliers) == (0, 0, 0)
    assert summarise([0.0] * 9).relative_spread == 0
