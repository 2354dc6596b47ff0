"""What a difference between x86-64 and aarch64 usually comes from, told by its looks."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

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
OTHER_CORE = (
    "infinite or NaN on {core} only? Compare with another core (--arm64-cpu): what the others "
    "compute right is a kernel of this core"
)
FLAG = (
    "two powers of two: a constant of the kernel's ABI, which each architecture numbers for "
    "itself; compare what it does, not its number"
)
_INT32, _INT64 = 2**31, 2**63
_WIDE_EDGES = frozenset([-_INT32, _INT32 - 1, -_INT64, _INT64 - 1, 2**32 - 1, 2**64 - 1])
_EDGES = _WIDE_EDGES | {255, 65535, 127, -128, 32767}
ROUNDING = 1e-12


def hints_for_numbers(golden: Array, here: Array) -> tuple[str, ...]:
    """Hints for two plain numbers that differ."""
    if isinstance(golden, int) and isinstance(here, int):
        return hints_for_integers([(golden, here)])
    if isinstance(golden, complex) or isinstance(here, complex):
        return ()
    hints = []
    if golden == -here and abs(golden) == 1:
        hints.append(NAN_SIGN)
    if math.isfinite(golden) and math.isfinite(here):
        small = abs(golden - here)
        if 0 < small < ROUNDING and 0.0 in (golden, here):
            hints.append(FMA)
    return tuple(hints)


def hint_for_core(core: str, *, emulated: bool) -> str:
    """What to do where a value stops being finite, by the *core* as a cell names it."""
    name = core.partition(" (")[0]
    if emulated and (not name or re.search(r"\bmax\b", core)):
        return CORE
    return OTHER_CORE.format(core=name) if name else ""


def hints_for_members(pairs: list[tuple[int, int]]) -> tuple[str, ...]:
    """Hints for the members of two lists of integers, whose width nobody knows."""
    golden, here = zip(*pairs) if pairs else ((), ())
    differing = [(x, y) for x, y in pairs if x != y]
    permuted = len(differing) > 1 and sorted(golden) == sorted(here)
    return hints_for_integers(differing, permuted=permuted, wide=_like_indices(golden, here))


def _like_indices(golden: Sequence[int], here: Sequence[int]) -> bool:
    """Whether both sides look like positions: several, none negative, none twice."""
    return all(
        len(side) > 2 and len(set(side)) == len(side) and min(side) >= 0 for side in (golden, here)
    )


def hints_for_integers(
    pairs: list[tuple[int, int]], *, permuted: bool = False, wide: bool = False
) -> tuple[str, ...]:
    """Hints for integers that differ, a few pairs of them.

    Args:
        permuted: both sides have the same integers.
        wide: they are of 32 bits or more, so that 255 or 32767 is a number like any other.
    """
    if permuted:
        return (STABLE,)
    edges = _WIDE_EDGES if wide else _EDGES
    least = _INT32 - 1 if wide else 128
    if pairs and all(y in edges or (y == 0 and abs(x) >= least) for x, y in pairs):
        return (CAST,)
    if pairs and not wide and all(_power_of_two(x) and _power_of_two(y) for x, y in pairs):
        return (FLAG,)
    if pairs and all((x - y) % 256 == 0 for x, y in pairs):
        return (CHAR,)
    if any((x in edges or y in edges) and abs(x - y) > 1 for x, y in pairs):
        return (CAST,)
    return ()


def _power_of_two(value: int) -> bool:
    return value > 1 and value & (value - 1) == 0
