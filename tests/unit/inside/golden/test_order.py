"""Values whose order or sign means nothing, where the test says so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pytest_arm64.inside.golden.leaves import compare
from pytest_arm64.inside.golden.policy import Policy, PolicyError, policy_of
from pytest_arm64.inside.golden.values import stored
from pytest_arm64.inside.golden.verdict import Comparison, GoldenVerdict

RANDOM = np.random.default_rng(5)
PAIRS = np.linalg.eigvals(RANDOM.standard_normal((40, 40)))
CENTRES = RANDOM.standard_normal((6, 3))


def judge(golden: Any, here: Any, **policy: Any) -> Comparison:
    return compare("value", stored(golden), stored(here), Policy(**policy))


def rounded_otherwise(values: Any) -> Any:
    return values * (1 + 1e-14 * np.random.default_rng(1).standard_normal(values.shape))


@pytest.mark.parametrize("wrap", [np.asarray, list])
def test_eigenvalues_come_in_any_order(wrap: Any) -> None:
    """Conjugate ones have equal real parts, whose last bits differ."""
    here = rounded_otherwise(PAIRS)[np.random.default_rng(2).permutation(40)]
    assert not judge(wrap(PAIRS), wrap(here)).ok
    assert judge(np.asarray(PAIRS), here, order="any").ok
    for garbage in (here * 0, np.where(np.arange(40) == 7, 0, here), here.conj() * 1j):
        assert not judge(wrap(PAIRS), wrap(garbage), order="any").ok


def test_rows_come_in_any_order() -> None:
    turned = rounded_otherwise(CENTRES)[[3, 1, 0, 5, 4, 2]]
    assert judge(CENTRES, turned, order="any").ok
    assert not judge(CENTRES, turned[:, ::-1], order="any").ok
    # The first column is the same but for its last bits, and decides nothing.
    ties = np.column_stack([np.ones(6), CENTRES])
    moved = ties[::-1] * np.column_stack([1 + 1e-15 * np.arange(6), np.ones((6, 3))])
    assert judge(ties, moved, order="any").ok


@given(hnp.arrays("f8", st.integers(1, 20), elements=st.floats(-1e6, 1e6)), st.randoms())
def test_any_permutation_is_the_same_and_any_other_value_is_not(values: Any, random: Any) -> None:
    order = list(range(len(values)))
    random.shuffle(order)
    assert judge(values, values[order], order="any").ok
    assert judge(values.tolist(), values[order].tolist(), order="any").ok
    other = values[order]
    other[0] += 1 + abs(other[0])
    assert not judge(values, other, order="any").ok
    assert not judge(values.tolist(), other.tolist(), order="any").ok


def test_scalars_of_numpy_in_a_list_come_in_any_order() -> None:
    values = RANDOM.standard_normal(9)
    here = rounded_otherwise(values)[::-1]
    assert judge(list(values), list(here), order="any").ok
    assert judge(list(values.astype("f4")), list(values[::-1].astype("f4")), order="any").ok
    assert not judge(list(values), list(here * 0), order="any").ok
    assert not judge(list(values), list(here)).ok


def test_integers_texts_and_nested_lists_come_in_any_order() -> None:
    assert judge(np.array([3, 1, 2]), np.array([1, 2, 3]), order="any").ok
    assert not judge(np.array([3, 1, 2]), np.array([1, 2, 2]), order="any").ok
    assert judge(["b", "a"], ["a", "b"], order="any").ok
    assert judge([("b", 1.5), ("a", 2)], [("a", 2), ("b", 1.5)], order="any").ok
    assert judge(np.array([[2, 1], [1, 9]]), np.array([[1, 9], [2, 1]]), order="any").ok


def test_vectors_come_out_negated() -> None:
    vectors = np.linalg.qr(RANDOM.standard_normal((5, 5)))[0]
    assert judge(vectors, vectors * [1, -1, 1, -1, -1], sign="any").ok
    assert judge([1.5, -2.0], [-1.5, 2.0], sign="any").ok
    assert judge(2.0, -2.0, sign="any").ok
    assert not judge([1.5, -2.0], [1.5, 2.0], sign="any").ok
    assert not judge(vectors, np.abs(vectors), sign="any").ok


def test_rows_come_negated_and_in_any_order() -> None:
    vectors = np.linalg.qr(RANDOM.standard_normal((5, 5)))[0].T
    here = vectors[[4, 0, 2, 1, 3]] * np.array([1, -1, -1, 1, 1])[:, None]
    assert judge(vectors, here, order="any", sign="any").ok
    assert not judge(vectors, here, order="any").ok
    assert not judge(vectors, here * 0, order="any", sign="any").ok


@pytest.mark.parametrize(
    "arguments", [{"order": "some"}, {"sign": 1}, {"order": "any", "ties": np.zeros(3)}]
)
def test_an_order_that_makes_no_sense_is_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(PolicyError):
        policy_of(arguments)


def test_the_policy_is_named() -> None:
    assert (
        Policy(order="any", sign="any").told()
        == "default (scaled by the norm), sign=any, order=any"
    )
    assert judge(np.array([1.0]), np.array([1.0]), order="any").verdict is GoldenVerdict.IDENTICAL
