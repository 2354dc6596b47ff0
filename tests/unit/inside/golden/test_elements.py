"""Members of lists one by one, and elements of arrays that the largest element would hide."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.inside.golden.leaves import compare
from pytest_arm64.inside.golden.policy import Policy
from pytest_arm64.inside.golden.values import stored
from pytest_arm64.inside.golden.verdict import Comparison, GoldenVerdict


def judge(golden: Any, here: Any, **policy: Any) -> Comparison:
    return compare("value", stored(golden), stored(here), Policy(**policy))


@pytest.mark.parametrize(
    ("golden", "here"),
    [
        ([1e6, 3e-8], [1e6, 0.0]),
        ((250_000.0, 2.4e-9), (250_000.0, -1e-9)),
        ([1e6, 3e-8, 2.0], [1e6, 3.1e-8, 2.0]),
        ((1e300, 1.0), (1e300, 2.0)),
        ([(1e6, 1e-9)], [(1e6, 2e-9)]),
        ({"pair": [1e6, 1e-9]}, {"pair": [1e6, -1e-9]}),
        ([1e6 + 0j, 1e-9j], [1e6 + 0j, 0j]),
        ({1e6, 1e-9}, {1e6, 2e-9}),
        (np.array([1e6, 1e-9], object), np.array([1e6, 2e-9], object)),
    ],
)
def test_a_small_member_of_a_list_is_compared_with_itself(golden: Any, here: Any) -> None:
    assert judge(golden, here).verdict is GoldenVerdict.FLOAT
    assert not judge(golden, here).ok


@pytest.mark.parametrize(
    ("dtype", "golden", "here"),
    [
        ("f2", [65504, 60], [65504, 0]),
        ("f2", [1000, 0.9], [1000, 0.1]),
        ("f4", [1e7, 15], [1e7, 0]),
        ("f4", [1e7, 15], [1e7, -15]),
        ("f8", [1e6, 3e-8], [1e6, 0]),
        ("f8", [250_000, 2.4e-9], [250_000, -1e-9]),
        ("c16", [1e6, 3e-8j], [1e6, 0]),
        ("c8", [1e7, 15j], [1e7, 1j]),
    ],
)
def test_a_small_element_of_an_array_is_not_hidden_by_a_large_one(
    dtype: str, golden: list[complex], here: list[complex]
) -> None:
    comparison = judge(np.array(golden, dtype), np.array(here, dtype))
    assert comparison.verdict is GoldenVerdict.FLOAT
    assert comparison.leaves[0].what.endswith("1 element differs by more than 1 % of itself")
    assert judge(np.array(golden, dtype), np.array(here, dtype), atol=1e9).ok


def test_the_text_counts_elements_that_are_wrong_by_themselves() -> None:
    golden = np.array([1e6, 3e-8, 5e-8, 7.0, 8.0])
    flushed = np.where(np.abs(golden) < 1, 0, golden)
    text = judge(golden, flushed).leaves[0].what
    assert text == "2 elements differ by more than 1 % of themselves"
    text = judge(golden, golden * [1, 1, 1, 1, 2]).leaves[0].what
    assert text == "1 of 5 are beyond the policy; 1 element differs by more than 1 % of itself"


@given(st.integers(2, 60), st.integers(0, 99))
def test_terms_that_cancel_are_rounding(size: int, seed: int) -> None:
    """Zeros that come out as the last bits of something larger, on each side as others."""
    random = np.random.default_rng(seed)
    rotation = np.linalg.qr(random.standard_normal((size, size)))[0]
    order = random.permutation(size)
    identity = rotation.T @ rotation
    summed_otherwise = rotation[order].T @ rotation[order]
    assert judge(identity, summed_otherwise).ok
    spectrum = np.fft.fft(np.sin(2 * np.pi * np.arange(64) * 3 / 64))
    assert judge(spectrum, np.fft.fft(np.roll(np.sin(2 * np.pi * np.arange(64) * 3 / 64), 0))).ok


def test_rounding_that_the_rest_of_the_array_shows_as_well_is_no_finding() -> None:
    """A matrix times its inverse, which is conditioned worse: zeros are 1e-14 and others."""
    golden = np.eye(30) + 3e-15 * np.random.default_rng(0).standard_normal((30, 30))
    here = np.eye(30) + 3e-15 * np.random.default_rng(1).standard_normal((30, 30))
    assert judge(golden, here).ok
    here[3, 4] = 9e-14
    assert not judge(golden, here).ok


def test_a_tiny_element_among_tiny_ones_that_are_right_is_wrong() -> None:
    """As in the tail of a softmax, whose elements are right to the last bits of any size."""
    golden = np.exp(-np.arange(100.0))
    for damaged in (0.0, 2 * golden[70], -golden[70]):
        here = golden.copy()
        here[70] = damaged
        assert judge(golden, here).leaves[0].what == "1 element differs by more than 1 % of itself"
    assert judge(golden, golden * (1 + 1e-15)).ok


def test_tiny_elements_of_which_none_is_right_are_rounding() -> None:
    """As in the spectrum of one tone: zeros, but for the last bits of something larger."""
    golden, here = (np.fft.fft(np.cos(0.5 * np.pi * (np.arange(64) + k))) for k in (0, 4))
    assert judge(golden, here + 1e-16).ok
    few = np.concatenate([golden, 1e-20 * np.arange(1.0, 5)])
    moved = np.concatenate([here + 1e-16, 1e-20 * np.arange(1.0, 5)])
    assert judge(few, moved).ok
