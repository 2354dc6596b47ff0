"""What bugs of kernels do to numbers: a table of corruptions, each of an array."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Corruption = Callable[[Any], Any]
"""Of a copy of an array, contiguous; None, or the same bits, where it does not apply."""


def _at(share: float, change: Callable[[Any], Any]) -> Corruption:
    """*change* to the element at this *share* of the magnitudes, 1 for the largest."""

    def damage(x: Any) -> Any:
        flat = x.reshape(-1)
        finite = np.flatnonzero(np.isfinite(flat) & (flat != 0))
        if not len(finite):
            return None
        order = finite[np.argsort(np.abs(flat[finite].astype("c16")), kind="stable")]
        at = order[round(share * (len(order) - 1))]
        flat[at] = change(flat[at])
        return x

    return damage


def _floats(change: Corruption) -> Corruption:
    return lambda x: change(x) if x.dtype.kind in "fc" else None


_SIGN, _EXPONENT, _MANTISSA = {2: 0, 4: 0, 8: 0}, {2: 4, 4: 6, 8: 9}, {2: 7, 4: 10, 8: 13}


def _bit(numbers: Mapping[int, int]) -> Corruption:
    """A bit of the middle element flipped: by size of float, its number from the sign's on."""

    def damage(x: Any) -> Any:
        flat = x.reshape(-1)
        part = flat.view(f"f{x.dtype.itemsize // 2}") if x.dtype.kind == "c" else flat
        bits = part.view(f"u{part.dtype.itemsize}")
        usual = np.flatnonzero(np.isfinite(part) & (np.abs(part) > np.nanmax(np.abs(part)) / 50))
        if not len(usual):
            return None
        size = part.dtype.itemsize
        bits[usual[len(usual) // 2]] ^= bits.dtype.type(1 << (8 * size - 1 - numbers[size]))
        return x

    return damage


def _tail(change: Callable[[Any], Any]) -> Corruption:
    """What fills no vector: the last three elements."""

    def damage(x: Any) -> Any:
        flat = x.reshape(-1)
        flat[-3:] = change(flat)
        return x

    return damage


def _mantissa(x: Any) -> Any:
    real = np.frexp(x.real)[0]
    return (real + 1j * x.imag if x.dtype.kind == "c" else real).astype(x.dtype)


def _swapped_bytes(x: Any) -> Any:
    swapped = x.byteswap()
    return swapped if x.dtype.itemsize > 1 else None


def _moved(x: Any, by: int) -> Any:
    return np.roll(x.reshape(-1), by).reshape(x.shape)


def _swapped(x: Any) -> Any:
    flat = x.reshape(-1)
    flat[[0, -1]] = flat[[-1, 0]]
    return x


def _stale(x: Any) -> Any:
    flat = x.reshape(-1)
    flat[len(flat) // 2 :] = flat[: len(flat) - len(flat) // 2]
    return x


def _half_zero(x: Any) -> Any:
    x.reshape(-1)[x.size // 2 :] = 0
    return x


def _every_fourth(x: Any) -> Any:
    x.reshape(-1)[::4] = 0
    return x


def _flushed(x: Any) -> Any:
    """Small elements as zeros."""
    small = np.abs(x) < np.nanmax(np.abs(x)) * 1e-3
    return np.where(small, x.dtype.type(0), x)


def _constant(x: Any) -> Any:
    return np.full_like(x, x.reshape(-1)[0])


def _uninitialised(x: Any) -> Any:
    x.reshape(-1)[-4:] = np.frombuffer(bytes(range(1, 1 + 4 * x.dtype.itemsize)), x.dtype)
    return x


def _shuffled(x: Any) -> Any:
    return np.random.default_rng(1).permutation(x.reshape(-1)).reshape(x.shape)


def _rounded(x: Any) -> Any:
    largest = float(np.nanmax(np.abs(x)))
    return np.round(x, 1 - int(np.floor(np.log10(largest)))) if largest else None


def _cut(x: Any) -> Any:
    """A conversion to an integer and back; of large numbers it is rounding."""
    return np.trunc(x.real).astype(x.dtype) if np.nanmax(np.abs(x)) < 100 else None


def _saturated(x: Any) -> Any:
    return np.minimum(x, x.dtype.type(np.nanquantile(x, 0.8))) if x.dtype.kind in "fiu" else None


def _wrapped(x: Any) -> Any:
    """As stored in a byte and read back."""
    with np.errstate(all="ignore"):
        return x.astype("i8").astype("u1").astype(x.dtype) if x.dtype.kind in "fiu" else None


def _infinite(x: Any) -> Any:
    x.reshape(-1)[x.size // 3] = np.inf
    return x


def _not_a_number(x: Any) -> Any:
    x.reshape(-1)[x.size // 3] = np.nan
    return x


def _gaps_filled(x: Any) -> Any:
    return np.nan_to_num(x) if np.isnan(x).any() else None


def _all_not_a_number(x: Any) -> Any:
    return np.full_like(x, np.nan)


CORRUPTIONS: Mapping[str, Corruption] = {
    "all zeros": np.zeros_like,
    "all ones": np.ones_like,
    "constant": _constant,
    "second half zeros": _half_zero,
    "every fourth element zero": _every_fourth,
    "last elements zeros": _tail(lambda flat: 0 * flat[-3:]),
    "last elements repeated": _tail(lambda flat: flat[:3][: len(flat[-3:])]),
    "last elements never written": _uninitialised,
    "second half stale": _stale,
    "largest element zero": _at(1, lambda v: v * 0),
    "middle element zero": _at(0.5, lambda v: v * 0),
    "smallest element zero": _at(0, lambda v: v * 0),
    "middle element off by a tenth": _at(
        0.5, lambda v: v + v / 10 if v.dtype.kind in "fc" else v + 1
    ),
    "smallest element twice as large": _at(0, lambda v: v * 2),
    "middle element negated": _at(0.5, lambda v: -v if v.dtype.kind != "u" else v ^ 255),
    "smallest element negated": _at(0, lambda v: -v if v.dtype.kind != "u" else v ^ 255),
    "all negated": lambda x: -x if x.dtype.kind != "u" else 255 - x,
    "absolute values": lambda x: np.abs(x).astype(x.dtype) if x.dtype.kind in "fi" else x.conj(),
    "first and last swapped": _swapped,
    "moved by one": lambda x: _moved(x, 1),
    "moved by a vector": lambda x: _moved(x, 4),
    "reversed": lambda x: x.reshape(-1)[::-1].reshape(x.shape).copy(),
    "shuffled": _shuffled,
    "sorted": lambda x: np.sort(x, axis=None).reshape(x.shape),
    "one element less": lambda x: x.reshape(-1)[:-1] if x.ndim == 1 else x[:-1],
    "one element more": lambda x: np.concatenate([x, x[:1]]),
    "exponents lost": _floats(_mantissa),
    "exponent's bit flipped": _floats(_bit(_EXPONENT)),
    "high bit of a mantissa flipped": _floats(_bit(_MANTISSA)),
    "sign's bit flipped": _floats(_bit(_SIGN)),
    "rounded to two digits": _floats(_rounded),
    "cut to whole numbers": _floats(_cut),
    "scaled by 1.02": _floats(lambda x: x * x.dtype.type(1.02)),
    "moved by a fiftieth of the largest": _floats(
        lambda x: x + np.nanmax(np.abs(x)) / x.dtype.type(50)
    ),
    "small elements flushed": _flushed,
    "saturated": _saturated,
    "stored in a byte": _wrapped,
    "bytes swapped": _swapped_bytes,
    "one infinite": _floats(_infinite),
    "one not a number": _floats(_not_a_number),
    "all not a number": _floats(_all_not_a_number),
    "gaps filled with zeros": _floats(_gaps_filled),
}


def corrupted(name: str, numbers: Any) -> Any:
    """*numbers* after the corruption *name*; None where it changes nothing that counts."""
    before = np.ascontiguousarray(numbers)
    with np.errstate(all="ignore"):
        after = CORRUPTIONS[name](before.copy())
    if after is None:
        return None
    same = after.shape == before.shape and np.array_equal(
        after, before, equal_nan=before.dtype.kind in "fc"
    )
    return None if same else after
