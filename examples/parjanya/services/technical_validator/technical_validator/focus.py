"""Measures blur (variance of the Laplacian) and sharpness (gradient energy), both exactly.

Pillow filters 8-bit images into 8-bit images: `ImageFilter.Kernel` clamps a Laplacian, which runs
from -1020 to 1020, to 0…255, and the variance of what is left is wrong by a factor of two or more.
Nothing is clamped here, because no filtered image is ever made. For weights a_i that add up to
zero, at any one pixel,

    (Σ a_i·x_i)² = -Σ_{i<j} a_i·a_j·(x_i - x_j)²

(expand the right-hand side and use Σ_{j≠i} a_j = -a_i). So the sum of a squared stencil over the
image is a weighted sum of Σ(x_i - x_j)² over pairs of shifted copies; each of those is one absolute
difference and one histogram, which Pillow does in C, on bytes, without rounding.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

from PIL import Image, ImageChops

MIN_EDGE = 3
"""Pixels that a 3x3 stencil needs."""
WORKING_EDGE = 1280
"""Larger photographs are averaged down, so that one limit fits a preview and a full frame."""

Stencil = Mapping[tuple[int, int], int]
"""Offset (right, down) → weight; the weights add up to zero."""

LAPLACIAN: Stencil = {(0, 0): 4, (1, 0): -1, (-1, 0): -1, (0, 1): -1, (0, -1): -1}
HORIZONTAL: Stencil = {(1, 0): 1, (-1, 0): -1}
VERTICAL: Stencil = {(0, 1): 1, (0, -1): -1}


@dataclass(frozen=True)
class Focus:
    """Both figures grow with detail; both are exact quotients of integers, rounded once."""

    laplacian_variance: float
    gradient_energy: float


def measure_focus(luma: Image.Image) -> Focus:
    """Measure an L image at its working size, over all pixels that have four neighbours."""
    if min(luma.size) < MIN_EDGE:
        raise ValueError(f"focus needs {MIN_EDGE}x{MIN_EDGE} pixels or more, not {luma.size}")
    plane = working_size(luma)
    count = (plane.width - 2) * (plane.height - 2)
    total = _sum(plane, LAPLACIAN)
    squares = _sum_of_squares(plane, LAPLACIAN)
    gradient = _sum_of_squares(plane, HORIZONTAL) + _sum_of_squares(plane, VERTICAL)
    return Focus(
        laplacian_variance=(count * squares - total * total) / (count * count),
        gradient_energy=gradient / count,
    )


def working_size(luma: Image.Image) -> Image.Image:
    """Average whole blocks of pixels until the longer edge is below twice `WORKING_EDGE`.

    A panorama is spared where the shorter edge would fall below what the stencils need.
    """
    factor = max(1, min(max(luma.size) // WORKING_EDGE, min(luma.size) // MIN_EDGE))
    return luma if factor == 1 else luma.reduce(factor)


def _sum(plane: Image.Image, stencil: Stencil) -> int:
    """Σ of the stencil's value over the interior."""
    total = 0
    for offset, weight in stencil.items():
        histogram = _shifted(plane, offset).histogram()
        total += weight * sum(level * n for level, n in enumerate(histogram))
    return total


def _sum_of_squares(plane: Image.Image, stencil: Stencil) -> int:
    """Σ of the stencil's squared value over the interior, by the identity above."""
    copies = [(_shifted(plane, offset), weight) for offset, weight in stencil.items()]
    total = 0
    for (one, a), (other, b) in combinations(copies, 2):
        histogram = ImageChops.difference(one, other).histogram()
        total -= a * b * sum(level * level * n for level, n in enumerate(histogram))
    return total


def _shifted(plane: Image.Image, offset: tuple[int, int]) -> Image.Image:
    """The interior of the plane as seen by a neighbour at `offset`."""
    right, down = offset
    return plane.crop((1 + right, 1 + down, plane.width - 1 + right, plane.height - 1 + down))
