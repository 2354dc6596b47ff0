"""Computes 64-bit perceptual hashes, pHash and dHash, from integers alone.

A hash bit is a comparison, and a comparison of floats may come out differently where a compiler
fuses a multiplication with an addition. So the cosines are integers, made by integer square roots,
and every comparison is between integers; Pillow's box filter, too, averages bytes in fixed point.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import isqrt
from operator import mul
from statistics import median_low

from PIL import Image

HASH_BITS = 64
_SIDE = 32
_FREQUENCIES = range(1, 9)
_ROWS, _COLUMNS = 8, 8
_COSINE_BITS = 20


def phash(luma: Image.Image) -> int:
    """Which of 64 low frequencies are stronger than their median.

    The photograph is averaged down to 32x32; frequencies 1…8 in both directions are kept. Frequency
    0, the brightness of rows and columns, is left out: it says little about the motif.
    """
    thumbnail = luma.resize((_SIDE, _SIDE), Image.Resampling.BOX)
    spectrum = dct_block(thumbnail.tobytes())
    # No value lies between the two in the middle, so the lower one separates as the median does.
    middle = median_low(spectrum)
    return _pack(strength > middle for strength in spectrum)


def dhash(luma: Image.Image) -> int:
    """Whether brightness rises from each cell of a 9x8 grid to its right-hand neighbour."""
    width = _COLUMNS + 1
    cells = luma.resize((width, _ROWS), Image.Resampling.BOX).tobytes()
    rows = (cells[start : start + width] for start in range(0, len(cells), width))
    return _pack(left < right for row in rows for left, right in pairwise(row))


def hamming(one: int, other: int) -> int:
    """The number of bits in which two hashes differ."""
    return (one ^ other).bit_count()


def to_hex(value: int) -> str:
    """A hash as the sixteen hexadecimal digits in which it is stored."""
    return f"{value:0{HASH_BITS // 4}x}"


def from_hex(digits: str) -> int:
    """The inverse of `to_hex`; raises ValueError for anything but its output."""
    value = int(digits, 16)
    if digits != to_hex(value):
        raise ValueError(f"not a {HASH_BITS}-bit hash in hexadecimal: {digits!r}")
    return value


def dct_block(pixels: Sequence[int]) -> list[int]:
    """The frequencies 1…8 by 1…8 of 32x32 pixels, row by row: a scaled DCT-II in integers."""
    lines = [pixels[start : start + _SIDE] for start in range(0, _SIDE * _SIDE, _SIDE)]
    across = [[sum(map(mul, line, wave)) for line in lines] for wave in _WAVES]
    return [sum(map(mul, column, wave)) for wave in _WAVES for column in across]


def _pack(bits: Iterable[bool]) -> int:
    """Bits to an integer, the first one most significant."""
    value = 0
    for bit in bits:
        value = value << 1 | bit
    return value


def _quarter_wave() -> list[int]:
    """cos(k·π/64) · 2^20 for k = 0…32, rounded, by integer arithmetic only.

    Halving an angle takes a square root, cos(t/2) = √((1 + cos t) / 2), and leads from π/2 to π/64
    in five steps; from there cos((k+1)t) = 2·cos t·cos kt - cos((k-1)t) visits all the multiples.
    108 guard bits make the errors of both vanish before the last rounding.
    """
    guard = 108
    one = 1 << (_COSINE_BITS + guard)
    step = 0
    for _ in range(5):
        step = isqrt((one + step) * one // 2)
    cosines = [one, step]
    while len(cosines) <= _SIDE:
        cosines.append(2 * step * cosines[-1] // one - cosines[-2])
    return [(cosine + (1 << (guard - 1))) >> guard for cosine in cosines]


def _waves() -> list[list[int]]:
    """cos((2x + 1)·u·π/64) for x = 0…31, one list for each frequency u.

    Every entry is folded into the quarter wave, so that the halves of a wave cancel exactly and a
    flat image has a spectrum of true zeros.
    """
    quarter = _quarter_wave()
    full_turn, half_turn = 4 * _SIDE, 2 * _SIDE

    def cosine(k: int) -> int:
        k %= full_turn
        k = min(k, full_turn - k)
        return quarter[k] if k <= _SIDE else -quarter[half_turn - k]

    return [[cosine((2 * x + 1) * u) for x in range(_SIDE)] for u in _FREQUENCIES]


_WAVES = _waves()
