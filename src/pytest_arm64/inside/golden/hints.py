"""What a difference between x86-64 and aarch64 usually comes from, told by its looks."""

from __future__ import annotations

import math

from .lazily import Array

CAST = (
    "a float that does not fit the integer: x86 gives INT_MIN or wraps, ARM saturates and makes "
    "NaN 0; clip (and np.nan_to_num) before astype"
)
CHAR = (
    "a multiple of 256 apart: C's plain char is signed on x86 and unsigned on ARM; say signed char "
    "or compile with -fsigned-char"
)
STABLE = 'the same indices in another order: sort with kind="stable", or check with ties=keys'
EXACT_RESIZE = (
    "one level of an 8-bit image: rounding of SIMD resampling; cv2.INTER_LINEAR_EXACT is identical "
    "everywhere, image_levels=1 accepts it"
)
CONDITION = (
    "far off relative to the element, near relative to the largest: terms cancel there; compare "
    "with rtol/atol of the norm, or a better conditioned quantity"
)
FMA = (
    "the size of a rounding error, where one side is exact: a fused multiply-add (a*b+c in one "
    "rounding); compile with -ffp-contract=off, or allow atol"
)
NAN_SIGN = "only the sign: x86's default NaN is negative, ARM's positive; ask isnan, not the sign"
CORE = (
    "first check the emulated core: qemu's 'max' makes OpenBLAS pick kernels that give NaN; "
    "name one with --arm64-cpu"
)
FLAG = (
    "two powers of two: a constant of the kernel's ABI, which each architecture numbers for "
    "itself; compare what it does, not its number"
)
_INT32, _INT64 = 2**31, 2**63
_EDGES = frozenset(
    [-_INT32, _INT32 - 1, -_INT64, _INT64 - 1, 2**32 - 1, 2**64 - 1, 255, 65535, 127, -128, 32767]
)
ROUNDING = 1e-12


def hints_for_numbers(golden: Array, here: Array) -> tuple[str, ...]:
    """Hints for two plain numbers that differ."""
    if isinstance(golden, int) and isinstance(here, int):
        return hints_for_integers([(golden, here)])
    if isinstance(golden, complex) or isinstance(here, complex):
        return ()
    found = []
    if golden == -here and abs(golden) == 1:
        found.append(NAN_SIGN)
    if math.isfinite(golden) and math.isfinite(here):
        small = abs(golden - here)
        if 0 < small < ROUNDING and 0.0 in (golden, here):
            found.append(FMA)
    elif math.isfinite(golden) != math.isfinite(here):
        found.append(CORE)
    return tuple(found)


def hints_for_integers(pairs: list[tuple[int, int]], *, permuted: bool = False) -> tuple[str, ...]:
    """Hints for integers that differ, a few pairs of them."""
    if permuted:
        return (STABLE,)
    if pairs and all(y in _EDGES or (y == 0 and abs(x) >= 128) for x, y in pairs):
        return (CAST,)
    if pairs and all(_power_of_two(x) and _power_of_two(y) for x, y in pairs):
        return (FLAG,)
    if pairs and all((x - y) % 256 == 0 for x, y in pairs):
        return (CHAR,)
    if any((x in _EDGES or y in _EDGES) and abs(x - y) > 1 for x, y in pairs):
        return (CAST,)
    return ()


def _power_of_two(value: int) -> bool:
    return value > 1 and value & (value - 1) == 0
