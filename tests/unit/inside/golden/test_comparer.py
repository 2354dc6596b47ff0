"""The comparer's laws: reflexive, symmetric, boundaries exact, and nothing real ever passes."""

from __future__ import annotations

import math
import struct
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pytest_arm64.inside.golden.leaves import compare
from pytest_arm64.inside.golden.policy import DEFAULTS, Policy, PolicyError, policy_of
from pytest_arm64.inside.golden.values import stored
from pytest_arm64.inside.golden.verdict import Comparison, GoldenVerdict

FLOATS = st.floats(allow_nan=True, allow_infinity=True)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
VALUES: Any = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | FLOATS
    | st.text()
    | st.binary()
    | st.complex_numbers()
    | st.just(complex(1.7e308, -1.7e308)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)
POLICIES = st.sampled_from(
    [
        Policy(),
        Policy(exact=True),
        Policy(ulp=2),
        Policy(rtol=1e-6),
        Policy(atol=1e-6, rtol=1e-9),
        Policy(nan_sign="strict"),
        Policy(hamming=3),
        Policy(decision=0.5),
    ]
)
DTYPES = st.sampled_from(["f2", "f4", "f8", "c8", "c16"])


def judge(golden: Any, here: Any, **policy: Any) -> Comparison:
    return compare("value", stored(golden), stored(here), Policy(**policy))


def up(value: float, steps: int = 1) -> float:
    """*value* moved by *steps* floats, away from zero."""
    bits = struct.unpack("<q", struct.pack("<d", value))[0] + steps
    moved: float = struct.unpack("<d", struct.pack("<q", bits))[0]
    return moved


def arrays(dtype: str, values: list[float]) -> Any:
    with np.errstate(all="ignore"):
        return np.array(values, "f8").astype(dtype)


@given(VALUES, POLICIES)
def test_every_value_is_identical_to_itself(value: Any, policy: Policy) -> None:
    found = compare("value", stored(value), stored(value), policy)
    assert found.ok
    assert found.verdict is GoldenVerdict.IDENTICAL


@given(VALUES, VALUES, POLICIES)
def test_the_order_of_the_sides_does_not_matter(x: Any, y: Any, policy: Policy) -> None:
    one, other = (compare("v", stored(a), stored(b), policy) for a, b in ((x, y), (y, x)))
    assert one.ok == other.ok
    assert one.verdict is other.verdict


@given(st.lists(FLOATS, min_size=1, max_size=9), st.data(), DTYPES, POLICIES)
def test_arrays_are_symmetric_as_well(
    values: list[float], data: st.DataObject, dtype: str, policy: Policy
) -> None:
    others = data.draw(st.lists(FLOATS, min_size=len(values), max_size=len(values)))
    x, y = arrays(dtype, values), arrays(dtype, others)
    one, other = (compare("v", stored(a), stored(b), policy) for a, b in ((x, y), (y, x)))
    assert (one.ok, one.verdict) == (other.ok, other.verdict)
    assert [leaf.ulp for leaf in one.leaves] == [leaf.ulp for leaf in other.leaves]


@given(FLOATS, FLOATS, POLICIES)
def test_a_number_and_an_array_of_one_are_judged_alike(x: float, y: float, policy: Policy) -> None:
    number = compare("v", stored(x), stored(y), policy)
    array = compare("v", stored(np.array([x])), stored(np.array([y])), policy)
    assert (number.ok, number.verdict) == (array.ok, array.verdict)
    assert number.leaves[0].ulp == array.leaves[0].ulp


@given(FINITE, st.integers(0, 1000))
def test_the_ulp_boundary_is_exact(x: float, steps: int) -> None:
    assume(abs(x) < 1e308)
    y = up(x, steps)
    assert judge(x, y, ulp=steps).ok
    assert judge(np.array([x]), np.array([y]), ulp=steps).ok
    if steps:
        assert not judge(x, y, ulp=steps - 1).ok
        assert not judge(np.array([x]), np.array([y]), ulp=steps - 1).ok


def last_within(x: float, relative: Fraction, absolute: Fraction) -> float:
    """The float farthest above *x* > 0 whose distance is within the limit, without rounding."""
    y = float((Fraction(x) + absolute) / (1 - relative))
    while Fraction(y) - Fraction(x) > relative * Fraction(y) + absolute:
        y = up(y, -1)
    while Fraction(up(y)) - Fraction(x) <= relative * Fraction(up(y)) + absolute:
        y = up(y)
    return y


@given(
    st.floats(1e-200, 1e200),
    st.floats(1e-16, 0.9) | st.just(0.0),
    st.floats(1e-17, 10) | st.just(0.0),
)
def test_the_boundary_of_rtol_and_atol_is_exact(x: float, rtol: float, share: float) -> None:
    """The last float within the limit is accepted, and the next one is refused."""
    assume(rtol or share)
    policy = {"rtol": rtol, "atol": x * share}
    y = last_within(x, Fraction(rtol), Fraction(policy["atol"]))
    assert judge(x, y, **policy).ok
    assert not judge(x, up(y), **policy).ok
    assert judge(np.array([x]), np.array([y]), **policy).ok
    assert not judge(np.array([x]), np.array([up(y)]), **policy).ok


@given(st.floats(1e-200, 1e200))
def test_the_boundary_of_the_default_is_exact(x: float) -> None:
    """Of one float, which is its own norm."""
    relative, of_norm = DEFAULTS[8]
    y = last_within(x, Fraction(relative) + Fraction(of_norm), Fraction(0))
    for wrap in (float, lambda value: np.array([value])):
        assert judge(wrap(x), wrap(y)).ok
        assert not judge(wrap(x), wrap(up(y))).ok


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
@given(x=st.floats(20, 100))
def test_the_boundary_of_the_default_is_exact_in_every_width(dtype: str, x: float) -> None:
    """Of an array: the last of its own floats within the limit, and the next one."""
    golden = np.array([x, 100], dtype)
    relative, of_norm = map(Fraction, DEFAULTS[golden.itemsize])
    start = Fraction(float(golden[0]))

    def within(y: Any) -> bool:
        moved = Fraction(float(y))
        return moved - start <= relative * max(start, moved) + of_norm * 100

    top = np.array(np.inf, dtype)
    y = golden[0] * np.array(1 + float(relative), dtype) + np.array(100 * float(of_norm), dtype)
    while not within(y):
        y = np.nextafter(y, -top)
    while within(np.nextafter(y, top)):
        y = np.nextafter(y, top)
    assume(y <= 100)
    assert judge(golden, np.array([y, 100], dtype)).ok
    assert not judge(golden, np.array([np.nextafter(y, top), 100], dtype)).ok


@given(FINITE)
def test_the_boundary_of_a_decision_is_exact(threshold: float) -> None:
    assume(0 < abs(threshold) < 1e308)
    below, above = math.nextafter(threshold, -math.inf), math.nextafter(threshold, math.inf)
    for wrap in (float, lambda value: np.array([value])):
        assert judge(wrap(threshold), wrap(above), rtol=1e-9, decision=threshold).ok
        assert not judge(wrap(threshold), wrap(below), rtol=1e-9, decision=threshold).ok


@given(FINITE, FINITE, st.floats(0, 3), st.floats(0, allow_infinity=False))
def test_two_floats_are_judged_as_without_rounding(
    x: float, y: float, rtol: float, atol: float
) -> None:
    """At the ends of the range as well, where differences overflow and products vanish."""
    larger = max(abs(Fraction(x)), abs(Fraction(y)))
    within = abs(Fraction(x) - Fraction(y)) <= Fraction(rtol) * larger + Fraction(atol)
    assert judge(x, y, rtol=rtol, atol=atol).ok is within
    assert judge(np.array([x, 1.0]), np.array([y, 1.0]), rtol=rtol, atol=atol).ok is within


@given(st.integers(-(2**60), 2**60), st.integers(0, 9), st.sampled_from(["f4", "f8"]))
def test_steps_as_large_as_atol_pass(x: int, steps: int, dtype: str) -> None:
    golden = np.array([x, 0.5], dtype)
    here = golden + np.array([steps, 0], dtype)
    moved = abs(Fraction(float(golden[0])) - Fraction(float(here[0])))
    for atol in (0.0, 1.0, float(steps)):
        assert judge(golden, here, atol=atol).ok is (moved <= atol)


def test_steps_of_an_image_are_not_decided_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def accepts(*_: object) -> bool:
        raise AssertionError("a pixel was asked for")

    monkeypatch.setattr(Policy, "accepts", accepts)
    golden = np.arange(1000, dtype="f8") % 255
    assert judge(golden, golden + 1, atol=1.0).ok
    assert not judge(golden, golden + 2, atol=1.0).ok


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_the_default_is_scaled_by_the_norm(dtype: str) -> None:
    itemsize = np.dtype(dtype).itemsize
    relative, of_norm = DEFAULTS[itemsize]
    golden = np.array([1.0, 0.01], dtype)
    for factor, ok in ((0.9, True), (1.1, False)):
        here = np.array([1.0, 0.01 + of_norm * factor / (1 - relative)], dtype)
        assert judge(golden, here).ok is ok
    assert judge(golden * 0, golden * 0).ok
    # The same element alone is all there is, and far off.
    assert not judge(golden[1:], np.array([of_norm * 0.9], dtype)).ok


@given(st.integers(), st.integers(), POLICIES)
def test_an_integer_that_differs_never_passes(x: int, y: int, policy: Policy) -> None:
    assume(x != y and policy.hamming is None)
    found = compare("value", stored(x), stored(y), policy)
    assert not found.ok
    assert found.verdict is GoldenVerdict.INTEGER


@given(
    st.sampled_from(["i1", "u1", "i2", "u4", "i8", "u8"]), st.data(), st.integers(0, 3), POLICIES
)
def test_an_integer_of_an_array_that_differs_never_passes(
    dtype: str, data: st.DataObject, at: int, policy: Policy
) -> None:
    assume(policy.hamming is None)
    info = np.iinfo(dtype)
    whole = st.integers(int(info.min), int(info.max))
    golden = np.array(data.draw(st.lists(whole, min_size=4, max_size=4)), dtype)
    here = golden.copy()
    here[at] = data.draw(whole)
    assume(here[at] != golden[at])
    found = compare("value", stored(golden), stored(here), policy)
    assert not found.ok
    assert f"by {abs(int(golden[at]) - int(here[at]))} at most" in found.leaves[0].what


@given(st.lists(FINITE, min_size=1, max_size=9), st.data(), DTYPES, POLICIES)
def test_what_stops_being_finite_never_passes(
    values: list[float], data: st.DataObject, dtype: str, policy: Policy
) -> None:
    golden = arrays(dtype, values)
    assume(np.isfinite(golden).all() and policy.decision is None)
    here = golden.copy()
    here[data.draw(st.integers(0, len(values) - 1))] = data.draw(
        st.sampled_from([math.nan, math.inf, -math.inf])
    )
    found = compare("value", stored(golden), stored(here), policy)
    assert not found.ok
    assert found.verdict is GoldenVerdict.NON_FINITE


@given(st.lists(FINITE, min_size=1, max_size=5), DTYPES, DTYPES, POLICIES)
def test_another_dtype_never_passes(
    values: list[float], one: str, other: str, policy: Policy
) -> None:
    assume(one != other)
    found = compare("v", stored(arrays(one, values)), stored(arrays(other, values)), policy)
    assert not found.ok
    assert found.verdict is GoldenVerdict.SHAPE


@pytest.mark.parametrize(
    ("golden", "here"),
    [
        (1, 1.0),
        (True, 1),
        ("1", b"1"),
        ([1], (1,)),
        (None, 0),
        (np.float64(1), 1.0),
        (np.zeros(3), np.zeros((3, 1))),
        (np.zeros(3, "<i4"), np.zeros(3, "<i8")),
        (np.zeros(3, "<f8"), np.zeros(3, ">f8")),
        ({"a": 1}, {"b": 1}),
        ([1, 2], [1]),
    ],
)
def test_another_kind_is_another_shape(golden: Any, here: Any) -> None:
    found = judge(golden, here)
    assert not found.ok
    assert found.verdict is GoldenVerdict.SHAPE


def test_254_against_0_is_a_difference_of_254() -> None:
    found = judge(np.array([254], "u1"), np.array([0], "u1"))
    assert "by 254 at most" in found.leaves[0].what
    assert "saturates" in found.leaves[0].hints[0]


def test_the_whole_range_of_int64_does_not_overflow() -> None:
    found = judge(np.array([-(2**63)]), np.array([2**63 - 1]))
    assert f"by {2**64 - 1} at most" in found.leaves[0].what


def test_signs_of_zero_and_nan() -> None:
    for golden, here in ((0.0, -0.0), (math.nan, -math.nan)):
        for wrap in (lambda x: x, lambda x: np.array([x, 1.0])):
            found = judge(wrap(golden), wrap(here))
            assert (found.ok, found.verdict) == (True, GoldenVerdict.SIGN)
            assert not judge(wrap(golden), wrap(here), nan_sign="strict").ok


def test_nan_in_the_same_place_is_no_difference_and_elsewhere_it_is() -> None:
    golden = np.array([1.0, math.nan, 3.0])
    assert judge(golden, golden.copy()).verdict is GoldenVerdict.IDENTICAL
    assert not judge(golden, np.array([math.nan, 1.0, 3.0])).ok
    assert not judge(np.array([math.inf]), np.array([-math.inf]), rtol=10.0).ok


def test_ties_are_indices_of_equal_keys() -> None:
    keys = np.array([2, 1, 1, 0])
    golden = np.argsort(keys, kind="stable")
    here = golden[[0, 2, 1, 3]]
    assert judge(golden, here, ties=keys).verdict is GoldenVerdict.TIES
    assert judge(golden.tolist(), here.tolist(), ties=keys).ok
    assert not judge(golden, here).ok
    assert "stable" in judge(golden, here).leaves[0].hints[0]
    assert not judge(golden, golden[[1, 0, 2, 3]], ties=keys).ok
    assert not judge(golden, np.array([3, 1, 1, 0]), ties=keys).ok
    assert not judge(golden, np.array([3, 99, 1, 0]), ties=keys).ok


def test_columns_may_be_turned_one_by_one() -> None:
    golden = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert judge(golden, golden * [1, -1], up_to_sign=True).ok
    assert judge(golden[0], -golden[0], up_to_sign=True).ok
    assert not judge(golden, golden * [1, -1]).ok
    assert not judge(golden, golden * [[1, -1], [1, 1]], up_to_sign=True).ok


def test_image_levels() -> None:
    golden = np.full((4, 4, 3), 100, "u1")
    here = golden.copy()
    here[1, 2, 0] += 1
    found = judge(golden, here)
    assert (found.ok, found.verdict) == (False, GoldenVerdict.IMAGE)
    assert "EXACT" in found.leaves[0].hints[0]
    assert judge(golden, here, image_levels=1).ok
    here[0, 0, 0] -= 2
    assert not judge(golden, here, image_levels=1).ok
    assert judge(golden, here, image_levels=2).ok


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.integers(0, 64))
def test_hamming_is_the_number_of_bits(x: int, y: int, allowed: int) -> None:
    bits = bin(x ^ y).count("1")
    sides: list[tuple[Any, Any]] = [
        (x, y),
        (f"{x:016x}", f"{y:016x}"),
        (x.to_bytes(8, "big"), y.to_bytes(8, "big")),
        (np.array([x], "u8"), np.array([y], "u8")),
    ]
    for golden, here in sides:
        found = judge(golden, here, hamming=allowed)
        assert found.ok is (bits <= allowed)
        if bits:
            assert f"margin {allowed - bits}" in found.leaves[0].what


def test_a_decision_that_flips_is_found_whatever_the_tolerance() -> None:
    golden, here = np.array([0.1, 0.50001, 0.9]), np.array([0.1, 0.49999, 0.9])
    found = judge(golden, here, rtol=0.1, decision=0.5)
    assert (found.ok, found.verdict) == (False, GoldenVerdict.DECISION)
    assert "smallest margin in the golden is 1e-05" in found.leaves[0].what
    assert judge(golden, golden + 1e-6, rtol=0.1, decision=0.5).ok
    assert not judge(0.50001, 0.49999, rtol=0.1, decision=0.5).ok


def test_an_own_comparer_decides() -> None:
    def close(golden: Any, here: Any) -> Any:
        assert len(golden) == len(here)
        return True if abs(golden[0] - here[0]) < 5 else f"{here[0]} is too far"

    assert judge([1], [3], compare=close).ok
    assert judge([1], [9], compare=close).leaves[0].what == "9 is too far"
    assert not judge([1], [1, 2], compare=close).ok


def test_noise_of_x86_itself_is_named_and_passes_by_default() -> None:
    golden, here = np.array([1.0, 2.0]), np.array([1.0, 2.0 + 1e-7])

    def seen(noise: float, **policy: Any) -> Comparison:
        return compare("v", stored(golden), stored(here), Policy(**policy), noise={"": noise})

    assert (seen(6e-8).ok, seen(6e-8).verdict) == (True, GoldenVerdict.DISPATCH)
    assert not seen(4e-8).ok
    assert not seen(6e-8, exact=True).ok
    assert not seen(6e-8, ulp=3).ok


@pytest.mark.parametrize(
    "arguments",
    [
        {"exact": True, "ulp": 1},
        {"ulp": -1},
        {"ulp": 1.5},
        {"rtol": math.nan},
        {"atol": -1.0},
        {"nan_sign": "perhaps"},
        {"decision": math.nan},
        {"rtoll": 1},
        {"exact": True, "rtol": 0.1},
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(PolicyError):
        policy_of(arguments)
