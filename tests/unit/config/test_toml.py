"""TOML: whatever cannot be read is one kind of error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.config._toml import TOMLDecodeError, loads
from unit.support import attempt


def test_tables() -> None:
    assert loads("a = 1\n[b]\nc = ['d']\n") == {"a": 1, "b": {"c": ["d"]}}


@pytest.mark.parametrize("bracket", ["[", "{a="])
def test_nesting_beyond_reading(bracket: str) -> None:
    with pytest.raises(TOMLDecodeError):
        loads("a = " + bracket * 100_000)


@given(st.text(alphabet="[]{}=.\"'\n, \\#ab01-:TZ", max_size=80))
def test_any_text(text: str) -> None:
    found = attempt(TOMLDecodeError, lambda: loads(text))
    assert isinstance(found, dict) or str(found)
