"""Compares floats: pairs of numbers in plain Python, arrays with NumPy, both by the same rules.

Element by element: the same bits; both NaN, or zeros of either sign (``SIGN``); one finite and the
other not (``NON_FINITE``, which no policy accepts); else the policy decides.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass

from .lazily import Array, numpy
from .policy import Policy

CHUNK = 1 << 15
"""Elements at a time: what is computed of them stays in the processor's cache."""
SHOWN = 3
_TOP = 1 << 63
_DOUBT = 2.0**-50
"""Share of a limit by which it and a distance may be off, computed in float64: eight roundings."""
_SMALLEST = 2.0**-1070
# An element is wrong by itself where it differs by more than this share of its own magnitude,
OWN_SHARE = 0.01
# by more than so many units in the last place of the largest element (by item size),
ROUNDINGS = {2: 1, 4: 8, 8: 32}
# and by more than so many times what elements differ by that are right by themselves.
ABOVE_OTHERS = 4
# Elements within that rounding are wrong if so many of the same size are right for each of them.
RESOLVED = 8


@dataclass
class Floats:
    """What a comparison of floats has found; added up chunk by chunk."""

    differing: int = 0
    """Elements with other bits."""
    signs: int = 0
    """Those that differ in the sign of zero or the bits of a NaN only."""
    non_finite: int = 0
    """Those of which one side is finite, or that are infinite or NaN in another way."""
    outside: int = 0
    """Finite ones that the policy does not accept."""
    ulp: int = 0
    scaled: float = 0.0
    worst: int = -1
    """Position of the one that is farthest off by the policy's own measure."""
    excess: float = -1.0
    first: tuple[int, ...] = ()
    """Positions of the first that count against the value."""
    wrong: int = 0
    """Finite ones that differ by more than ``OWN_SHARE`` of themselves, rounding left out."""
    by_themselves: bool = False
    """Whether the policy accepts all of them, and some are wrong by themselves nevertheless."""
    rounding: float = 0.0
    """Largest distance of elements that are right by themselves."""
    own: float = 0.0
    """Largest distance of elements that are wrong by themselves."""
    own_at: int = -1
    tiny: int = 0
    """Elements that differ by more than ``OWN_SHARE`` of themselves, by rounding of the norm."""
    tiny_at: int = -1


def ulp_distance(x: float, y: float) -> int:
    """How many float64 lie between two finite ones; 0 for zeros of either sign."""
    return abs(_ordinal(x) - _ordinal(y))


def _ordinal(value: float) -> int:
    bits: int = struct.unpack("<q", struct.pack("<d", value))[0]
    return bits if bits >= 0 else -(bits + _TOP)


def compare_numbers(x: complex, y: complex, policy: Policy) -> Floats:
    """Two floats or complex numbers, each its own norm."""
    found = Floats()
    ours, theirs = (_parts(x), _parts(y))
    if [struct.pack("<d", part) for part in ours] == [struct.pack("<d", part) for part in theirs]:
        return found
    found.differing = 1
    if all(a == b or (math.isnan(a) and math.isnan(b)) for a, b in zip(ours, theirs)):
        found.signs = 1
        return found
    found.worst, found.first = 0, (0,)
    if not all(math.isfinite(part) for part in (*ours, *theirs)):
        found.non_finite = 1
        return found
    distance, scale = _distance(x, y), max(_distance(x, 0), _distance(y, 0))
    found.scaled = distance / scale if scale else 0.0
    found.ulp = max(ulp_distance(a, b) for a, b in zip(ours, theirs))
    if policy.exact:
        accepted = False
    elif policy.ulp is not None:
        accepted = found.ulp <= policy.ulp
    elif isinstance(x, complex) or isinstance(y, complex):
        relative, absolute, of_norm = policy.limits(8)
        limit = (relative + of_norm) * scale + absolute
        accepted = distance <= limit and math.isfinite(distance)
    else:
        accepted = policy.accepts(x, y, scale, 8)
    found.outside = int(not accepted)
    return found


def _parts(value: complex) -> tuple[float, ...]:
    return (value.real, value.imag) if isinstance(value, complex) else (value,)


def _distance(x: complex, y: complex) -> float:
    try:
        return abs(x - y)
    except OverflowError:
        return math.inf


def compare_arrays(x: Array, y: Array, policy: Policy) -> Floats:
    """Two float or complex arrays of one dtype, in native byte order, and of one shape."""
    np = numpy()
    x, y = (np.ascontiguousarray(side).reshape(-1) for side in (x, y))
    chunks = differing_chunks(x, y)
    result = Floats()
    if chunks:
        with np.errstate(all="ignore"):
            norm = max(_norm(x), _norm(y)) if policy.default or policy.exact else 0.0
            norm = norm or max(_norm(x), _norm(y))
            for start in chunks:
                _chunk(
                    x[start : start + CHUNK], y[start : start + CHUNK], start, norm, policy, result
                )
            if policy.default and not (result.outside or result.non_finite):
                _judge_elements(x, y, norm, result)
    return result


def _judge_elements(x: Array, y: Array, norm: float, result: Floats) -> None:
    """Refuse elements that the norm hides, and that rounding does not explain.

    A float near zero among large ones may differ by all of itself and be correct: terms cancelled
    there. Then the others differ by as much, and others of its size are not right either.
    """
    if result.own > ABOVE_OTHERS * result.rounding:
        result.by_themselves = True
        result.outside, result.worst = result.wrong, result.own_at
    elif result.tiny and _right_among_tiny(x, y, norm) >= RESOLVED * result.tiny:
        result.by_themselves = True
        result.wrong += result.tiny
        result.outside, result.worst = result.tiny, result.tiny_at


def _right_among_tiny(x: Array, y: Array, norm: float) -> int:
    """How many elements within rounding of *norm*, and not zero, are right by themselves."""
    np = numpy()
    limit = _rounding_of(norm, x)
    count = 0
    for start in range(0, len(x), CHUNK):
        ours, theirs = x[start : start + CHUNK], y[start : start + CHUNK]
        size = np.maximum(np.abs(ours), np.abs(theirs))
        tiny = (size <= limit) & (size > 0)
        count += int((tiny & (np.abs(ours - theirs) <= OWN_SHARE * size)).sum())
    return count


def _rounding_of(norm: float, x: Array) -> float:
    """So many units in the last place of *norm*, in the type of *x*, as rounding may come to."""
    itemsize = x.dtype.itemsize // (2 if x.dtype.kind == "c" else 1)
    # NumPy's spacing() of the largest float is infinite.
    unit = math.ldexp(float(numpy().finfo(f"f{itemsize}").eps), math.frexp(norm)[1] - 1)
    return ROUNDINGS[itemsize] * unit


def differing_chunks(x: Array, y: Array) -> list[int]:
    """Where the chunks begin in which two contiguous arrays of one dtype differ in any bit."""
    np = numpy()
    size = x.dtype.itemsize
    unit = next(width for width in (8, 4, 2, 1) if size % width == 0)
    per = size // unit
    ours, theirs = (side.view(f"u{unit}") for side in (x, y))
    step = CHUNK * per
    out = np.empty(min(step, len(ours)), bool)
    chunks = []
    for start in range(0, len(ours), step):
        a, b = ours[start : start + step], theirs[start : start + step]
        if np.not_equal(a, b, out=out[: len(a)]).any():
            chunks.append(start // per)
    return chunks


def _norm(x: Array) -> float:
    """Largest magnitude of the finite elements."""
    np = numpy()
    largest = 0.0
    for start in range(0, len(x), CHUNK):
        part = x[start : start + CHUNK]
        if part.dtype.kind == "c":
            part = np.abs(part)
        top = max(float(part.max()), -float(part.min()))
        if not math.isfinite(top):
            part = np.abs(part[np.isfinite(part)])
            top = float(part.max()) if part.size else 0.0
        largest = max(largest, top)
    return largest


def _chunk(x: Array, y: Array, start: int, norm: float, policy: Policy, result: Floats) -> None:
    np = numpy()
    ours, theirs = _bits(x), _bits(y)
    other = ours != theirs
    if x.dtype.kind == "c":
        other = other.any(axis=1)
    at = np.flatnonzero(other)
    if len(at) < len(x):
        x, y, ours, theirs = x[at], y[at], ours[at], theirs[at]
    result.differing += len(at)
    odd = ~(np.isfinite(x) & np.isfinite(y))
    same = x == y
    if same.any() or odd.any():
        same |= _same_but_sign(x, y)
        result.signs += int(same.sum())
        odd &= ~same
        result.non_finite += int(odd.sum())
        _note(result, at[odd] + start)
        rest = ~(same | odd)
        at, x, y, ours, theirs = at[rest], x[rest], y[rest], ours[rest], theirs[rest]
        if odd.any() and result.worst < 0:
            result.worst = result.first[0]
    if not len(at):
        return
    rounding = _rounding_of(norm, x)
    wide = "c16" if x.dtype.kind == "c" else "f8"
    parts = x.dtype.itemsize // (2 if x.dtype.kind == "c" else 1)
    if x.dtype.itemsize != np.dtype(wide).itemsize:
        x, y = x.astype(wide), y.astype(wide)  # exact, and then the limits are too
    distance = np.abs(x - y)
    if norm:
        result.scaled = max(result.scaled, float(distance.max()) / norm)
    ulps = _ulps(ours, theirs)
    result.ulp = max(result.ulp, int(ulps.max()))
    excess, limit, outside = _beyond(x, y, distance, ulps, norm, policy, parts)
    result.outside += int(outside.sum())
    _note(result, at[outside] + start)
    if policy.default:
        _note_elements(x, y, distance, at + start, rounding, result)
    measure = excess if np.ndim(limit) == 0 else excess / np.where(limit > 0, limit, 1e-300)
    worst = int(measure.argmax())
    if float(measure[worst]) > result.excess and not result.non_finite:
        result.excess, result.worst = float(measure[worst]), int(at[worst]) + start


def _note_elements(
    x: Array, y: Array, distance: Array, at: Array, rounding: float, result: Floats
) -> None:
    """Add the elements that are wrong by themselves to *result*."""
    np = numpy()
    if not (distance > OWN_SHARE * np.abs(x)).any():  # the usual case, and the faster one
        result.rounding = max(result.rounding, float(distance.max()))
        return
    wrong = distance > OWN_SHARE * np.maximum(np.abs(x), np.abs(y))
    right = distance[~wrong]
    if right.size:
        result.rounding = max(result.rounding, float(right.max()))
    within = wrong & (distance <= rounding)
    if within.any():
        result.tiny += int(within.sum())
        result.tiny_at = int(at[within.argmax()])
    wrong &= ~within
    result.wrong += int(wrong.sum())
    if wrong.any():
        most = int(np.where(wrong, distance, -1.0).argmax())
        if float(distance[most]) > result.own:
            result.own, result.own_at = float(distance[most]), int(at[most])


def _beyond(
    x: Array, y: Array, distance: Array, ulps: Array, norm: float, policy: Policy, itemsize: int
) -> tuple[Array, Array, Array]:
    """How far off each element is by the policy's own measure, its limit, and whether beyond it."""
    np = numpy()
    if policy.exact or policy.ulp is not None:
        limit = np.uint64(min(policy.ulp or 0, 2**64 - 1))
        return ulps, limit, ulps > limit
    relative, absolute, of_norm = policy.limits(itemsize)
    limit = np.maximum(np.abs(x), np.abs(y))
    limit *= relative
    limit += absolute + of_norm * norm
    outside = distance > limit
    if x.dtype.kind == "c":
        outside |= ~np.isfinite(distance)  # an overflow proves nothing
        return distance, limit, outside
    for index in _undecided(x, y, distance, limit, exact=relative == of_norm == 0):
        outside[index] = not policy.accepts(float(x[index]), float(y[index]), norm, itemsize)
    return distance, limit, outside


def _undecided(x: Array, y: Array, distance: Array, limit: Array, *, exact: bool) -> list[int]:
    """Where rounding may hide on which side of its limit a distance is.

    *exact* limits are those that nothing was rounded for: a distance that was not rounded either,
    as between levels of an image, is decided.
    """
    np = numpy()
    near = ~(np.abs(distance - limit) > _DOUBT * limit + _SMALLEST)  # also where either is infinite
    at = np.flatnonzero(near)
    if exact and len(at):
        x, y = x[at], y[at]
        # Knuth's two-sum: what the subtraction has lost.
        difference = x - y
        back = difference - x
        lost = (x - (difference - back)) - (y + back)
        at = at[lost != 0]
    positions: list[int] = at.tolist()
    return positions


def _note(result: Floats, positions: Array) -> None:
    if len(result.first) < SHOWN and len(positions):
        result.first += tuple(int(p) for p in positions[: SHOWN - len(result.first)])


def _bits(x: Array) -> Array:
    """The elements' bits as signed integers; two columns for complex numbers."""
    if x.dtype.kind == "c":
        half = x.dtype.itemsize // 2
        return x.view(f"i{half}").reshape(-1, 2)
    return x.view(f"i{x.dtype.itemsize}")


def _same_but_sign(x: Array, y: Array) -> Array:
    np = numpy()
    if x.dtype.kind != "c":
        return (x == y) | (np.isnan(x) & np.isnan(y))
    real, imaginary = (_same_but_sign(getattr(x, p), getattr(y, p)) for p in ("real", "imag"))
    return real & imaginary


def _ulps(ours: Array, theirs: Array) -> Array:
    """Distances in units in the last place, as uint64; of complex numbers the larger one."""
    np = numpy()
    lowest = np.iinfo(ours.dtype).min
    a, b = (np.where(side < 0, lowest - side, side) for side in (ours, theirs))
    if a.dtype.itemsize == 8:
        # The distance of two int64 may need 64 bits: subtraction modulo 2**64 gives it.
        low, high = np.minimum(a, b), np.maximum(a, b)
        distance = high.view("u8") - low.view("u8")
    else:
        distance = np.abs(a.astype("i8") - b.astype("i8")).view("u8")
    return distance.max(axis=1) if distance.ndim == 2 else distance
