"""Hints go by the looks of a difference, and say nothing where it looks like nothing known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pytest_arm64.inside.golden import hints
from pytest_arm64.inside.golden.leaves import compare
from pytest_arm64.inside.golden.policy import Policy
from pytest_arm64.inside.golden.values import stored


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


@pytest.mark.parametrize(
    ("golden", "here"),
    [
        (np.array([149, 127, 99]), np.array([99, 50, 127])),
        (np.array([255, 300, 4]), np.array([0, 300, 5])),
        (np.array([150, 7, 3], "i4"), np.array([0, 9, 1], "i4")),
        (np.array([2, 8, 1], "u4"), np.array([4, 16, 0], "u4")),
        ([149, 127, 99], [99, 50, 127]),
        ([255, 300, 4], [0, 300, 5]),
    ],
)
def test_indices_are_no_casts(golden: Any, here: Any) -> None:
    """As of ``np.argsort(np.repeat([.5, .25, .75, .5], 50))[-10:]``: other ones of equal keys."""
    for wrap in (lambda x: x, lambda x: {"top": x}):
        comparison = compare("v", stored(wrap(golden)), stored(wrap(here)), Policy())
        given = {hint for leaf in comparison.leaves for hint in leaf.hints}
        assert given <= {hints.STABLE}


def test_casts_to_wide_integers_are_casts() -> None:
    pairs = [
        (np.array([-(2**31)] * 3, "i4"), np.array([0, 2**31 - 1, 5], "i4")),
        (np.array([2**64 - 1], "u8"), np.array([0], "u8")),
        (np.array([-(2**63)]), np.array([2**63 - 1])),
        (np.array([254, 3], "u1"), np.array([0, 3], "u1")),
        ([-(2**31), 4], [0, 4]),
    ]
    for golden, here in pairs:
        comparison = compare("v", stored(golden), stored(here), Policy())
        assert {hint for leaf in comparison.leaves for hint in leaf.hints} == {hints.CAST}


@pytest.mark.parametrize(
    ("core", "emulated", "said"),
    [
        ("graviton3 (qemu neoverse-v1)", True, "infinite or NaN on graviton3 only?"),
        ("max", True, "qemu's 'max'"),
        ("unnamed (qemu max)", True, "qemu's 'max'"),
        ("", True, "qemu's 'max'"),
        ("Neoverse V1 (as Graviton3)", False, "infinite or NaN on Neoverse V1 only?"),
        ("", False, ""),
    ],
)
def test_the_core_is_suspected_only_where_none_was_named(
    core: str, emulated: bool, said: str
) -> None:
    hint = hints.hint_for_core(core, emulated=emulated)
    assert said in hint
    assert bool(hint) is bool(said)
    assert ("'max'" in hint) is ("'max'" in said)


def test_a_step_beside_an_edge_is_no_cast() -> None:
    assert hints.hints_for_integers([(159, 158), (255, 254)]) == ()
    assert hints.hints_for_integers([(159, 158), (255, 3)]) == (hints.CAST,)


@pytest.mark.parametrize(("golden", "here"), [(1, 0), (7, 9), (100, 3), (1.0, 1.5), (2j, 3j)])
def test_what_looks_like_nothing_known(golden: Any, here: Any) -> None:
    assert hints.hints_for_numbers(golden, here) == ()
