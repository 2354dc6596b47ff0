"""pHash and dHash: against a floating-point DCT, exact symmetries, and harmless edits."""

import math
from random import Random
from statistics import median

import oracles
import photos
import pytest
from PIL import Image

from technical_validator.duplicates import THRESHOLD
from technical_validator.perceptual_hash import (
    HASH_BITS,
    dct_block,
    dhash,
    from_hex,
    hamming,
    phash,
    to_hex,
)

ALL_SET = (1 << HASH_BITS) - 1


@pytest.fixture
def thumbnail(luma: Image.Image) -> Image.Image:
    """Each photograph at 32x32, where pHash needs no resizing of its own."""
    return luma.resize((32, 32))


@pytest.mark.exhaustive
def test_dct_and_bits_match_the_textbook_in_floats(thumbnail: Image.Image) -> None:
    """Two cosines rounded to 20 bits: an error of at most 32·32·255·2·2^-21 < 0.25.

    So a bit is beyond doubt where the strength is more than 0.5 from the median.
    """
    exact = oracles.dct_block(oracles.grid(thumbnail))
    assert [c / 2**40 for c in dct_block(thumbnail.tobytes())] == pytest.approx(exact, abs=0.25)
    middle = median(exact)
    digits = f"{phash(thumbnail):064b}"
    clear = [i for i in range(64) if abs(exact[i] - middle) > 0.5]
    assert len(clear) > 50
    assert [digits[i] for i in clear] == ["01"[exact[i] > middle] for i in clear]


def test_one_pixel_shows_the_cosines_correctly_rounded(random: Random) -> None:
    """The transform is linear, so its answers to single pixels are all that there is to know."""
    for x, y in [(0, 0), (31, 31), *((random.randrange(32), random.randrange(32)) for _ in "1234")]:
        pixels = [0] * 1024
        pixels[32 * y + x] = 1
        across = [round(math.cos((2 * x + 1) * u * math.pi / 64) * 2**20) for u in range(1, 9)]
        down = [round(math.cos((2 * y + 1) * v * math.pi / 64) * 2**20) for v in range(1, 9)]
        assert dct_block(pixels) == [a * b for b in down for a in across]


def test_a_flat_image_has_a_spectrum_of_true_zeros() -> None:
    flat = Image.new("L", (640, 480), 200)
    assert dct_block(flat.resize((32, 32)).tobytes()) == [0] * 64
    assert phash(flat) == dhash(flat) == 0


def test_phash_splits_the_spectrum_in_halves(coffee: Image.Image) -> None:
    """A photograph has no two equal strengths, so exactly half lie above the median."""
    assert phash(coffee.convert("L")).bit_count() == HASH_BITS // 2


def test_brightness_changes_not_one_bit(coffee: Image.Image) -> None:
    """Frequency 0 is left out, and integers do not round: a constant disappears entirely."""
    thumbnail = coffee.convert("L").resize((32, 32))
    dim = thumbnail.point([level // 2 for level in range(256)])
    bright = dim.point([min(255, level + 100) for level in range(256)])
    assert phash(bright) == phash(dim)


def test_a_mirror_negates_the_odd_frequencies(coffee: Image.Image) -> None:
    thumbnail = coffee.convert("L").resize((32, 32))
    mirrored = thumbnail.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    spectrum = dct_block(thumbnail.tobytes())
    signs = [-1, 1, -1, 1, -1, 1, -1, 1] * 8
    assert dct_block(mirrored.tobytes()) == [s * c for s, c in zip(signs, spectrum, strict=True)]


def test_dhash_reads_the_grid_row_by_row(random: Random) -> None:
    grid = Image.frombytes("L", (9, 8), random.randbytes(72))
    expected = "".join(
        "1" if grid.getpixel((x, y)) < grid.getpixel((x + 1, y)) else "0"  # type: ignore[operator]
        for y in range(8)
        for x in range(8)
    )
    assert f"{dhash(grid):064b}" == expected


def test_dhash_of_ramps() -> None:
    rising = Image.linear_gradient("L").transpose(Image.Transpose.ROTATE_90)
    assert dhash(rising) == ALL_SET
    assert dhash(rising.transpose(Image.Transpose.ROTATE_180)) == 0
    assert dhash(rising.transpose(Image.Transpose.ROTATE_90)) == 0


def test_resizing_stays_within_the_threshold(coffee: Image.Image) -> None:
    luma = coffee.convert("L")
    for percent in (200, 75, 40):
        size = (luma.width * percent // 100, luma.height * percent // 100)
        other = luma.resize(size, Image.Resampling.BICUBIC)
        assert hamming(phash(other), phash(luma)) <= THRESHOLD
        assert hamming(dhash(other), dhash(luma)) <= THRESHOLD


def test_different_photographs_are_far_apart() -> None:
    lumas = [photos.load(file).convert("L") for file in photos.FILES]
    for kind in (phash, dhash):
        values = [kind(luma) for luma in lumas]
        pairs = [(a, b) for i, a in enumerate(values) for b in values[:i]]
        assert min(hamming(a, b) for a, b in pairs) > 2 * THRESHOLD


def test_hexadecimal_there_and_back() -> None:
    for value in (0, 1, 1 << 63, ALL_SET, 0x0123456789ABCDEF):
        assert len(to_hex(value)) == 16
        assert from_hex(to_hex(value)) == value


@pytest.mark.parametrize("digits", ["0" * 17, "G" * 16, "ABCDEF0123456789"])
def test_malformed_hexadecimal_is_refused(digits: str) -> None:
    with pytest.raises(ValueError, match=r"64-bit hash|invalid literal"):
        from_hex(digits)
