"""Hints go by the looks of a difference, and say nothing where it looks like nothing known."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_arm64.inside.golden import hints


@pytest.mark.parametrize(
    ("golden", "here", "hint"),
    [
        (254, 0, hints.CAST),  # np.float32(-2) as uint8
        (-(2**31), 0, hints.CAST),  # NaN as int32
        (-(2**31), 2**31 - 1, hints.CAST),  # infinity as int32
        (-482, 2590, hints.CHAR),  # the sum of char[] 120 … 139
        (0x4000, 0x10000, hints.FLAG),  # os.O_DIRECT
        (-1.0, 1.0, hints.NAN_SIGN),  # copysign(1, inf - inf)
        (0.0, 5.551115123125783e-17, hints.FMA),  # .1 * 10 - 1
    ],
)
def test_the_measured_cases(golden: Any, here: Any, hint: str) -> None:
    assert hints.hints_for_numbers(golden, here) == (hint,)


def test_a_step_beside_an_edge_is_no_cast() -> None:
    assert hints.hints_for_integers([(159, 158), (255, 254)]) == ()
    assert hints.hints_for_integers([(159, 158), (255, 3)]) == (hints.CAST,)


@pytest.mark.parametrize(("golden", "here"), [(1, 0), (7, 9), (100, 3), (1.0, 1.5), (2j, 3j)])
def test_what_looks_like_nothing_known(golden: Any, here: Any) -> None:
    assert hints.hints_for_numbers(golden, here) == ()
