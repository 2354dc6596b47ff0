"""Lists that are cut off."""

from __future__ import annotations

import pytest

from pytest_arm64.wording import first_of


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        ([], ""),
        (["a"], "a"),
        (["a", "b"], "a, b"),
        (["a", "b", "c"], "a, b and 1 more"),
        (["a", "b", "c", "d"], "a, b and 2 more"),
    ],
)
def test_what_is_left_out_is_counted(names: list[str], shown: str) -> None:
    assert first_of(names, 2) == shown
