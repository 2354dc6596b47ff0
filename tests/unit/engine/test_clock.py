"""The engine's clock."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.engine.clock import ahead, clock_error


@pytest.mark.parametrize("form", ["%Y-%m-%dT%H:%M:%S.123456789Z", "%Y-%m-%dT%H:%M:%S+00:00"])
@pytest.mark.parametrize("seconds", [-4000, 0, 90])
def test_ahead(form: str, seconds: int) -> None:
    moment = datetime.now(timezone.utc) + timedelta(seconds=seconds)
    assert abs(ahead(moment.strftime(form)) - seconds) < 2


@given(st.none() | st.integers() | st.text(max_size=30))
def test_what_is_no_time(moment: object) -> None:
    assert isinstance(ahead(moment), float)


def test_error() -> None:
    assert clock_error(0.0) is None
    assert clock_error(-29.0) is None
    behind, before = clock_error(-3600.0), clock_error(31.0)
    assert behind is not None
    assert before is not None
    assert "3600 s behind" in behind.what
    assert "31 s ahead of" in before.what
    assert behind.next_step
