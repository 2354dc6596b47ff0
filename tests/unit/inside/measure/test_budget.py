"""Budgets: quantities with units, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.inside.measure.budget import (
    Budget,
    budget_problem,
    bytes_of,
    read_budget,
    seconds_of,
    shown_bytes,
    shown_seconds,
)
from unit.support import attempt


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("100ms", 0.1), ("1.5 s", 1.5), (" 250 us", 250e-6), ("250µs", 250e-6), ("2min", 120)],
)
def test_durations(text: str, seconds: float) -> None:
    assert seconds_of(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("text", "count"),
    [("512MB", 512_000_000), ("512MiB", 536_870_912), ("1.5 kB", 1500), ("1GiB", 2**30)],
)
def test_sizes(text: str, count: int) -> None:
    assert bytes_of(text) == count


@pytest.mark.parametrize(
    "text",
    ["100", "ms", "-1ms", "0ms", "1e3ms", "100 m s", "100MB", "", 100, None, "9" * 400 + "s"],
)
def test_what_is_no_duration(text: object) -> None:
    with pytest.raises(ValueError, match=r"quantity|more than nothing"):
        seconds_of(text)


@given(st.text(max_size=12) | st.integers() | st.none())
def test_anything_is_a_quantity_or_told(text: object) -> None:
    for read in (seconds_of, bytes_of):
        found = attempt(ValueError, lambda read=read: read(text))  # type: ignore[misc]
        assert "quantity" in str(found) or "nothing" in str(found) or float(str(found)) >= 0


@pytest.mark.parametrize(
    ("arguments", "keywords", "told"),
    [
        (("100ms",), {}, "takes latency="),
        ((), {}, "takes latency="),
        ((), {"latncy": "1s"}, "not latncy"),
        ((), {"memory": "512"}, "'512' is not a quantity"),
    ],
)
def test_a_marker_that_says_nothing(
    arguments: tuple[Any, ...], keywords: dict[str, Any], told: str
) -> None:
    assert told in budget_problem(arguments, keywords)


def test_a_budget() -> None:
    assert read_budget((), {"memory": "1kB"}) == Budget(None, 1000)
    assert budget_problem((), {"latency": "1s", "memory": "1kB"}) == ""


@given(st.floats(1e-9, 900))
def test_a_shown_duration_is_near(seconds: float) -> None:
    assert seconds_of(shown_seconds(seconds)) == pytest.approx(seconds, rel=0.006)


@given(st.integers(1000, 10**12))
def test_a_shown_size_is_near(count: int) -> None:
    number, unit = shown_bytes(count).split()
    assert float(number) * {"kB": 1e3, "MB": 1e6, "GB": 1e9}[unit] == pytest.approx(
        count, rel=0.006
    )
