"""Cases of NumPy."""

from __future__ import annotations

from typing import Any

import pytest

from .case import (
    DISPATCH,
    EXACT_BY_DESIGN,
    FLOAT,
    INTEGER,
    NAN_SIGN,
    SIMD_MATH,
    SUMMATION,
    TIES,
    UNDEFINED_CAST,
    Case,
)

np: Any = pytest.importorskip("numpy", reason="NumPy is not among the deployed packages")


def numbers(*shape: int, dtype: str = "f8") -> Any:
    """The same numbers everywhere: integers and one division, correctly rounded."""
    count = int(np.prod(shape))
    values = (np.arange(count, dtype="i8") * 7919 % 2003 - 1001) / 129
    return values.reshape(shape).astype(dtype)


def cast(values: list[float], source: str, target: str, repeat: int = 1) -> Any:
    with np.errstate(all="ignore"):
        return np.array(values * repeat, source).astype(target)


ODD = [float("nan"), float("inf"), float("-inf"), 3e9]
DISTRIBUTIONS: dict[str, tuple[Any, ...]] = {
    **dict.fromkeys(("random", "standard_normal", "standard_exponential"), ()),
    **dict.fromkeys(("standard_cauchy", "normal", "uniform", "laplace", "logistic"), ()),
    **dict.fromkeys(("gumbel", "exponential", "lognormal", "rayleigh"), ()),
    **dict.fromkeys(("standard_gamma", "gamma", "chisquare", "poisson", "pareto"), (2.5,)),
    **dict.fromkeys(("power", "weibull", "standard_t"), (2.5,)),
    **dict.fromkeys(("binomial", "negative_binomial"), (9, 0.3)),
    "integers": (0, 1000),
}

CASES = [
    Case("cast f4 to u1, scalar", lambda: cast([-2.0], "f4", "u1")[0],
         "NumPy converts single elements in scalar code", UNDEFINED_CAST, INTEGER),
    Case("cast f4 to u1, whole vectors", lambda: cast([-2.0], "f4", "u1", 32),
         "NumPy converts whole vectors through int32, in SIMD", UNDEFINED_CAST),
    Case("cast f4 to u1, vectors and a rest", lambda: cast([-2.0], "f4", "u1", 33),
         "what fills no vector is converted in scalar code", UNDEFINED_CAST, INTEGER),
    Case("cast f4 to i4 of what does not fit", lambda: cast(ODD, "f4", "i4"),
         "saturation against integer indefinite", UNDEFINED_CAST, INTEGER),
    Case("cast f4 to i4 of what does not fit, vector", lambda: cast(ODD, "f4", "i4", 11),
         "saturation against integer indefinite", UNDEFINED_CAST, INTEGER),
    Case("cast f4 to u1 of what does not fit", lambda: cast([-1.5, 300.7, ODD[0], 1e20], "f4", "u1"),
         "saturation against wrapping", UNDEFINED_CAST, INTEGER),
    Case("cast f8 to i8 of what does not fit", lambda: cast([*ODD, 1e30], "f8", "i8"),
         "saturation against integer indefinite", UNDEFINED_CAST, INTEGER),
    Case("cast f8 to u8 of negatives", lambda: cast([-1.0, -2.5, 1e30], "f8", "u8"),
         "x86 wraps, ARM saturates", UNDEFINED_CAST, INTEGER),
    Case("cast of what fits", lambda: [cast([0.5, 1.5, 254.9], "f4", t) for t in ("u1", "i4", "i8")],
         "feared: rounding of conversions", EXACT_BY_DESIGN),
    Case("warning of a cast", lambda: np.array(-2.0, "f4").astype("u1"),
         "ARM raises the invalid flag where x86 converts through a wider integer",
         UNDEFINED_CAST, INTEGER, call=True),
    Case("casts between f2, f4 and f8", lambda: numbers(99).astype("f2").astype("f4").astype("f8"),
         "feared: half precision in hardware", EXACT_BY_DESIGN),
    Case("sign of a new NaN", lambda: np.copysign(1.0, np.subtract([np.inf] * 9, np.inf)),
         "the sign of the default NaN", NAN_SIGN, FLOAT, call=True),
    Case("minimum and maximum with NaN", lambda: [f(*np.array([[ODD[0], 1, 2], [1, ODD[0], 3]]))
         for f in (np.minimum, np.maximum, np.fmin, np.fmax)],
         "x86's MINPD returns the second operand, ARM's FMIN the NaN",
         "NumPy's documentation of minimum: NaNs are propagated"),
    Case("exp of f4", lambda: np.exp(np.linspace(-10, 10, 4001, dtype="f4")),
         "polynomials in SIMD", SIMD_MATH, DISPATCH),
    Case("log of f4", lambda: np.log(np.linspace(0.01, 10, 4001, dtype="f4")),
         "polynomials in SIMD", SIMD_MATH, DISPATCH),
    Case("sin and cos of f4", lambda: [f(np.linspace(-9, 9, 999, dtype="f4"))
         for f in (np.sin, np.cos)], "polynomials in SIMD", SIMD_MATH, DISPATCH),
    Case("tanh of f4", lambda: np.tanh(np.linspace(-3, 3, 999, dtype="f4")),
         "polynomials in SIMD", SIMD_MATH, DISPATCH),
    Case("exp, log and tanh of f8", lambda: [f(np.linspace(0.1, 5, 999))
         for f in (np.exp, np.log, np.tanh)], "polynomials in SIMD", SIMD_MATH, DISPATCH),
    Case("power of f8", lambda: np.power(np.linspace(0.1, 5, 999), 1.7),
         "polynomials in SIMD", SIMD_MATH, DISPATCH),
    Case("square root and division", lambda: [np.sqrt(abs(numbers(999))), 1 / (numbers(999) + 100)],
         "feared: reciprocal estimates", "IEEE 754: correctly rounded"),
    Case("sum, mean, std", lambda: [[f(numbers(1001, dtype=t)) for f in (np.sum, np.mean, np.std)]
         for t in ("f4", "f8")], "feared: order of summation in SIMD",
         "NumPy's pairwise sum has a fixed tree"),
    Case("cumulative sum and product", lambda: [np.cumsum(numbers(999)),
         np.cumprod(1 + numbers(99) / 1e4)], "feared: order of summation", EXACT_BY_DESIGN),
    Case("sums of integers", lambda: [np.sum(np.arange(999, dtype=t)) for t in ("u1", "i4", "u8")],
         "feared: overflow", EXACT_BY_DESIGN),
    Case("unstable argsort of ties", lambda: np.argsort(np.zeros(300)),
         "SIMD quicksort leaves equal keys in its own order",
         "NumPy's documentation of sort: kind quicksort is not stable", TIES,
         {"ties": np.zeros(300)}),
    Case("stable argsort", lambda: np.argsort(numbers(999) // 3, kind="stable"),
         "feared: as the unstable one", "NumPy's documentation of sort: kind stable"),
    Case("sort and partition", lambda: [np.sort(numbers(999)), np.partition(numbers(999), 9)[9]],
         "feared: SIMD sorting networks", EXACT_BY_DESIGN),
    Case("shifts by the width", lambda: [np.left_shift(np.int32(1), np.arange(40, dtype="i4")),
         np.right_shift(np.int64(-5), np.arange(70))],
         "x86 masks the count, NEON shifts out", "NumPy's shifts by the width or more are defined"),
    Case("integer division and remainder", lambda: [
         np.array([7, -7, 1, -(2**31)], "i4") // np.array([2, 2, 0, -1], "i4"),
         np.array([7, -7, 1], "i4") % np.array([2, 2, 0], "i4")],
         "x86 traps where ARM gives 0", "NumPy handles both before it divides", call=True),
    Case("generators", lambda: {name: getattr(np.random.default_rng(7), name)(*arguments, size=19)
         for name, arguments in DISTRIBUTIONS.items()},
         "feared: other random numbers", "NumPy, compatibility policy of random streams"),
    Case("matrix product of f4", lambda: numbers(64, 64, dtype="f4") @ numbers(64, 64, dtype="f4").T,
         "blocked kernels", SUMMATION, DISPATCH),
    Case("matrix product of f8", lambda: numbers(90, 70) @ numbers(70, 80),
         "blocked kernels", SUMMATION, DISPATCH),
    Case("dot and einsum", lambda: [numbers(999) @ numbers(999),
         np.einsum("ij,jk->i", numbers(30, 20), numbers(20, 10))],
         "blocked kernels", SUMMATION, DISPATCH),
    Case("solve and inverse", lambda: [np.linalg.solve(numbers(20, 20) + 99 * np.eye(20), numbers(20)),
         np.linalg.inv(numbers(20, 20) + 99 * np.eye(20))], "blocked kernels", SUMMATION, DISPATCH),
    Case("singular values", lambda: np.linalg.svd(numbers(30, 20), compute_uv=False),
         "blocked kernels", SUMMATION, DISPATCH),
    Case("eigenvectors", lambda: np.linalg.eigh(np.diag(np.arange(12.0)) +
         0.01 * (numbers(12, 12) + numbers(12, 12).T))[1],
         "blocked kernels; a vector is known up to its sign", SUMMATION, DISPATCH,
         {"up_to_sign": True}),
    Case("FFT", lambda: [np.fft.rfft(numbers(999)), np.fft.ifft(numbers(128))],
         "fused multiply-add in butterflies", "pocketfft in C++, compiled with contraction",
         DISPATCH),
    Case("rounding", lambda: [np.rint([0.5, 1.5, -2.5]), np.round(numbers(99), 1),
         np.trunc(numbers(99)), np.ceil(numbers(99))], "feared: rounding modes", EXACT_BY_DESIGN),
    Case("packed bits and comparisons", lambda: [np.packbits(numbers(99) > 0),
         np.count_nonzero(numbers(999) > 1), np.searchsorted(np.arange(99.0), numbers(50))],
         "feared: shuffles in SIMD", EXACT_BY_DESIGN),
    Case("take, where and roll", lambda: [numbers(99)[::-3], np.where(numbers(99) > 0, 1, -1),
         np.roll(numbers(99, dtype="f4"), 7)], "feared: shuffles in SIMD", EXACT_BY_DESIGN),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_numpy(case: Case, conform: Any) -> None:
    conform(case)


def test_blas_picks_the_kernels_of_the_core(arm64_golden: Any, arm64_target: Any) -> None:
    # Not skipped where nobody knows, as on x86: that would be a difference between the sides.
    _ = numbers(64, 64) @ numbers(64, 64)
    found = arm64_golden.kernels(arm64_target["core"])
    assert not found, found
