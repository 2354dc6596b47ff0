"""Blur and sharpness: exact against brute force, and ordered as the eye would order them."""

from itertools import pairwise
from random import Random

import oracles
import photos
import pytest
from PIL import Image, ImageFilter, ImageStat

from technical_validator.focus import Focus, measure_focus, working_size


@pytest.mark.exhaustive
def test_both_figures_equal_a_loop_over_the_pixels(luma: Image.Image) -> None:
    crop = luma.crop((100, 80, 221, 173))
    assert measure_focus(crop) == Focus(
        laplacian_variance=oracles.laplacian_variance(crop),
        gradient_energy=oracles.gradient_energy(crop),
    )


@pytest.mark.exhaustive
@pytest.mark.parametrize("size", [(3, 3), (3, 9), (64, 31)])
def test_noise_of_any_shape_equals_the_loop(size: tuple[int, int], random: Random) -> None:
    noise = Image.frombytes("L", size, random.randbytes(size[0] * size[1]))
    assert measure_focus(noise) == Focus(
        oracles.laplacian_variance(noise), oracles.gradient_energy(noise)
    )


def test_a_checkerboard_reaches_the_largest_laplacian() -> None:
    """±4·255 in equal numbers: variance (4·255)². Opposite neighbours are equal: no gradient."""
    levels = bytes(255 * ((x + y) % 2) for y in range(10) for x in range(10))
    board = Image.frombytes("L", (10, 10), levels)
    assert measure_focus(board) == Focus(laplacian_variance=1020.0**2, gradient_energy=0.0)


def test_a_ramp_has_a_gradient_but_no_laplacian() -> None:
    """A slope of 3 a pixel: central difference 6 everywhere, second difference 0 everywhere."""
    ramp = Image.frombytes("L", (20, 12), bytes(3 * x for _ in range(12) for x in range(20)))
    assert measure_focus(ramp) == Focus(laplacian_variance=0.0, gradient_energy=36.0)


def test_a_single_bright_pixel() -> None:
    """Over 9 interior pixels: 400 once, -100 four times; gradients of 100 at those four."""
    image = Image.new("L", (5, 5), 0)
    image.putpixel((2, 2), 100)
    assert measure_focus(image) == Focus(
        laplacian_variance=(400**2 + 4 * 100**2) / 9, gradient_energy=4 * 100**2 / 9
    )


def test_clamping_to_eight_bits_would_be_far_off(coffee: Image.Image) -> None:
    """The trap that the method avoids: Pillow's own kernel sees the positive half only."""
    luma = coffee.convert("L")
    kernel = ImageFilter.Kernel((3, 3), (0, -1, 0, -1, 4, -1, 0, -1, 0), scale=1)
    interior = luma.filter(kernel).crop((1, 1, luma.width - 1, luma.height - 1))
    assert ImageStat.Stat(interior).var[0] < 0.7 * measure_focus(luma).laplacian_variance


def test_more_blur_means_lower_figures(luma: Image.Image) -> None:
    steps = [measure_focus(luma), *(measure_focus(photos.blurred(luma, r)) for r in (1, 2, 4, 8))]
    for sharper, softer in pairwise(steps):
        assert softer.laplacian_variance < sharper.laplacian_variance
        assert softer.gradient_energy < sharper.gradient_energy


def test_noise_raises_both_figures(coffee: Image.Image) -> None:
    luma = coffee.convert("L")
    clean, grainy = measure_focus(luma), measure_focus(photos.noisy(luma, amplitude=20))
    assert grainy.laplacian_variance > clean.laplacian_variance
    assert grainy.gradient_energy > clean.gradient_energy


def test_turning_a_photograph_changes_nothing(coffee: Image.Image) -> None:
    luma = coffee.convert("L")
    turned = {measure_focus(luma.transpose(turn)) for turn in Image.Transpose}
    assert turned == {measure_focus(luma)}


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((2559, 1440), (2559, 1440)),
        ((2560, 1440), (1280, 720)),
        ((3000, 4000), (1000, 1334)),
        ((2560, 5), (2560, 5)),  # halved, a panorama's stencil would not fit
    ],
)
def test_working_size(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert working_size(Image.new("L", size)).size == expected


def test_a_doubled_photograph_measures_the_same(coffee: Image.Image) -> None:
    """Each pixel repeated 2x2: averaging the blocks gives back the very same pixels."""
    original = coffee.convert("L").resize((1280, 720))
    doubled = original.resize((2560, 1440), Image.Resampling.NEAREST)
    assert measure_focus(doubled) == measure_focus(original)


def test_too_small_for_the_stencil() -> None:
    with pytest.raises(ValueError, match="3x3"):
        measure_focus(Image.new("L", (100, 2)))
