"""Slow, obvious second implementations, which share no code and no method with the fast ones."""

import math
from collections.abc import Mapping
from fractions import Fraction
from random import Random

from PIL import Image


def grid(image: Image.Image) -> list[list[int]]:
    """The rows of an L image."""
    assert image.mode == "L"
    data, width = image.tobytes(), image.width
    return [list(data[start : start + width]) for start in range(0, len(data), width)]


def laplacian_variance(image: Image.Image) -> float:
    """Mean of the squares less square of the mean, pixel by pixel, in exact fractions."""
    f = grid(image)
    values = [
        4 * f[y][x] - f[y - 1][x] - f[y + 1][x] - f[y][x - 1] - f[y][x + 1]
        for y in range(1, image.height - 1)
        for x in range(1, image.width - 1)
    ]
    mean = Fraction(sum(values), len(values))
    return float(Fraction(sum(v * v for v in values), len(values)) - mean * mean)


def gradient_energy(image: Image.Image) -> float:
    """The mean squared length of the central-difference gradient, pixel by pixel."""
    f = grid(image)
    values = [
        (f[y][x + 1] - f[y][x - 1]) ** 2 + (f[y + 1][x] - f[y - 1][x]) ** 2
        for y in range(1, image.height - 1)
        for x in range(1, image.width - 1)
    ]
    return float(Fraction(sum(values), len(values)))


def dct_block(rows: list[list[int]]) -> list[float]:
    """The textbook DCT-II of a 32x32 block in floats, frequencies 1…8 in both directions."""
    side = range(32)
    wave = {(u, x): math.cos(math.pi * (2 * x + 1) * u / 64) for u in range(1, 9) for x in side}
    return [
        math.fsum(rows[y][x] * wave[v, y] * wave[u, x] for y in side for x in side)
        for v in range(1, 9)
        for u in range(1, 9)
    ]


def hamming(one: int, other: int) -> int:
    """Different digits of the two hashes written out."""
    return sum(a != b for a, b in zip(f"{one:064b}", f"{other:064b}", strict=True))


def scan(hashes: Mapping[str, int], value: int, threshold: int) -> dict[str, int]:
    """A full table scan."""
    distances = {name: hamming(value, stored) for name, stored in hashes.items()}
    return {name: distance for name, distance in distances.items() if distance <= threshold}


def flip(value: int, count: int, random: Random) -> int:
    """The hash with `count` different bits turned over."""
    return value ^ sum(1 << position for position in random.sample(range(64), count))
