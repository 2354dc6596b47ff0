"""Noise of x86 itself excuses what the control run measured and no more, and never zeros."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.inside.golden.leaves import compare
from pytest_arm64.inside.golden.noise import CAP, noise_of
from pytest_arm64.inside.golden.policy import Policy
from pytest_arm64.inside.golden.values import stored
from pytest_arm64.inside.golden.verdict import Comparison, GoldenVerdict

EIGENVALUES = np.linalg.eigvals(np.random.default_rng(7).standard_normal((120, 120)))
CLUSTERS = np.random.default_rng(8).standard_normal((9, 4))


def judge(golden: Any, here: Any, control: Any, **policy: Any) -> Comparison:
    """*here* against *golden*, where x86 with narrower SIMD computes *control*."""
    rules = Policy(**policy)
    noise = noise_of(compare("v", stored(golden), stored(control), rules).leaves)
    return compare("v", stored(golden), stored(here), rules, noise=noise)


@given(st.floats(1e-11, 1e-2), st.floats(1e-11, 1e-2))
def test_noise_excuses_what_was_measured_and_at_most_a_millionth(moved: float, far: float) -> None:
    golden = np.array([1.0, 2.0])
    comparison = judge(golden, np.array([1.0, 2.0 + far]), np.array([1.0, 2.0 + moved]))
    if far > 4.1 * moved:
        assert comparison.verdict is GoldenVerdict.FLOAT
        assert not comparison.ok
    elif far <= 0.99 * moved and moved < 1.99 * CAP:
        assert comparison.verdict is GoldenVerdict.DISPATCH
    elif far > 1.01 * moved and moved < 1.99 * CAP:
        assert comparison.verdict is GoldenVerdict.FLOAT
        assert not comparison.ok
    elif far <= moved and moved > 2.01 * CAP:
        assert comparison.verdict in (GoldenVerdict.UNSTABLE, GoldenVerdict.DISPATCH)


@pytest.mark.parametrize("wrap", [np.asarray, list, lambda x: x.astype("c8")])
@pytest.mark.parametrize(
    "garbage",
    [
        lambda v: v * 0,
        lambda v: np.where(np.arange(len(v)) % 2, 0, v),
        lambda v: v / 2,
        lambda v: v * 1.001,
        lambda v: np.full_like(v, v[0]),
        lambda v: np.where(np.arange(len(v)) < 60, v, v[::-1]),
    ],
)
def test_garbage_in_place_of_eigenvalues_fails_though_x86_reorders_them(
    wrap: Any, garbage: Any
) -> None:
    golden = wrap(EIGENVALUES)
    control = wrap(np.roll(EIGENVALUES, 1))
    comparison = judge(golden, wrap(garbage(EIGENVALUES)), control)
    assert comparison.verdict is GoldenVerdict.FLOAT
    assert not comparison.ok


@pytest.mark.parametrize("wrap", [np.asarray, np.ndarray.tolist])
def test_another_order_is_not_compared_and_says_how_to_make_it_comparable(wrap: Any) -> None:
    golden, control = wrap(EIGENVALUES), wrap(np.roll(EIGENVALUES, 1))
    comparison = judge(golden, wrap(np.roll(EIGENVALUES, 2)), control)
    assert comparison.ok
    assert comparison.verdict is GoldenVerdict.UNSTABLE
    hints = {hint for leaf in comparison.leaves for hint in leaf.hints}
    assert any('order="any"' in hint for hint in hints)
    assert judge(golden, golden, control).verdict is GoldenVerdict.IDENTICAL
    assert not judge(golden, wrap(np.roll(EIGENVALUES, 2)), golden).ok


def test_a_value_that_nothing_of_is_stable_on_x86_may_be_anything_but_degenerate() -> None:
    random = np.random.default_rng(3)
    golden, control, here = (random.standard_normal(50) for _ in range(3))
    assert judge(golden, here, control).verdict is GoldenVerdict.UNSTABLE
    for garbage in (here * 0, here * 1e9, here * np.nan):
        assert not judge(golden, garbage, control).ok


def test_noise_of_a_golden_without_sorted_magnitudes_does_not_excuse_zeros() -> None:
    """As goldens have it that were recorded before."""
    noise = {"": 1.3}
    golden = stored(EIGENVALUES)
    assert not compare("v", golden, stored(EIGENVALUES * 0), Policy(), noise=noise).ok
    moved = stored(np.roll(EIGENVALUES, 1))
    assert compare("v", golden, moved, Policy(), noise=noise).ok


def test_an_element_that_is_wrong_by_itself_is_not_excused_by_noise_of_larger_ones() -> None:
    golden = np.array([1e6, 3e-8])
    flushed, other = np.array([1e6, 0.0]), np.array([1e6 + 1e-7, 3e-8])
    assert not judge(golden, flushed, other).ok
    assert judge(golden, flushed, np.array([1e6, 1e-9 - 3e-8])).ok


def test_integers_that_x86_itself_moves_still_fail_and_say_so() -> None:
    golden, control, here = np.array([0, 1, 2, 3]), np.array([1, 0, 2, 3]), np.array([0, 2, 1, 3])
    (leaf,) = judge(golden, here, control).leaves
    assert (leaf.ok, leaf.verdict) == (False, GoldenVerdict.INTEGER)
    assert leaf.noise == 0.5


def test_an_own_tolerance_knows_no_noise() -> None:
    golden = np.array([1.0, 2.0])
    for policy in ({"rtol": 1e-12}, {"ulp": 1}, {"exact": True}):
        assert not judge(golden, golden + 1e-3, golden + 1e-3, **policy).ok
