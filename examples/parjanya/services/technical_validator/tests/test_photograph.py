"""Decoding: every mode a camera or an editor may write, and bytes that none would."""

import struct
import zlib
from random import Random

import photos
import pytest
from PIL import Image, ImageOps

from technical_validator import UnreadableImageError
from technical_validator.photograph import MAX_PIXELS, decode

ODD_ORIENTATION = (
    b"Exif\0\0MM\0*\0\0\0\x08"  # big-endian TIFF, its directory at byte 8
    b"\0\x01\x01\x12\0\x07\0\0\0\x01\x06\0\0\0"  # one entry: orientation, as raw bytes
    b"\0\0\0\0"
)


def same(one: Image.Image, other: Image.Image) -> bool:
    return (one.mode, one.size, one.tobytes()) == (other.mode, other.size, other.tobytes())


def png_header(width: int, height: int) -> bytes:
    """A PNG that declares a size and holds no pixel."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def test_lossless_files_come_back_pixel_by_pixel(coffee: Image.Image) -> None:
    photograph = decode(photos.encode(coffee))
    assert same(photograph.colour, coffee)
    assert same(photograph.luma, coffee.convert("L"))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(orientation: int, coffee: Image.Image) -> None:
    """Judged by Pillow's own exif_transpose, which the service does without."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    tagged = coffee.copy()
    tagged.getexif()[0x0112] = orientation
    photograph = decode(photos.encode(coffee, exif=exif))
    assert same(photograph.luma, ImageOps.exif_transpose(tagged).convert("L"))


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff", ODD_ORIENTATION]
)
def test_a_damaged_exif_block_does_not_cost_the_photograph(
    exif: bytes, coffee: Image.Image
) -> None:
    damaged = decode(photos.encode(coffee, "JPEG", exif=exif))
    assert same(damaged.luma, decode(photos.encode(coffee, "JPEG")).luma)


def test_cmyk_jpeg(coffee: Image.Image) -> None:
    cmyk = decode(photos.encode(coffee.convert("CMYK"), "JPEG", quality=95))
    assert cmyk.colour.mode == "RGB"
    assert mean_difference(cmyk.luma, coffee.convert("L")) < 3


def test_palette(coffee: Image.Image) -> None:
    palette = coffee.quantize(64)
    assert palette.mode == "P"
    assert same(decode(photos.encode(palette)).colour, palette.convert("RGB"))


def test_sixteen_bit_greyscale_is_scaled_not_clamped(coffee: Image.Image) -> None:
    luma = coffee.convert("L")
    words = b"".join(struct.pack("<H", level * 257) for level in luma.tobytes())
    deep = Image.frombytes("I;16", luma.size, words)
    assert same(decode(photos.encode(deep)).luma, luma)


def test_black_and_white(coffee: Image.Image) -> None:
    bilevel = coffee.convert("1")
    assert same(decode(photos.encode(bilevel, "TIFF")).luma, bilevel.convert("L"))


def test_transparent_pixels_are_neither_dark_nor_bright(coffee: Image.Image) -> None:
    layer = coffee.convert("RGBA")
    layer.putalpha(Image.new("L", layer.size, 0))
    assert decode(photos.encode(layer)).luma.getextrema() == (128, 128)
    layer.putalpha(Image.new("L", layer.size, 255))
    assert same(decode(photos.encode(layer)).luma, coffee.convert("L"))


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "MPO"])
def test_of_several_frames_the_first_counts(kind: str, coffee: Image.Image) -> None:
    """MPO, several JPEGs in one file, is what many phones and stereo cameras write."""
    frames = [coffee.convert("L"), photos.load("chelsea.png").convert("L").resize(coffee.size)]
    animated = photos.encode(frames[0], kind, save_all=True, append_images=frames[1:])
    luma = decode(animated).luma
    assert mean_difference(luma, frames[0]) < 5 < mean_difference(luma, frames[1])


@pytest.mark.hostile
@pytest.mark.parametrize("data", [b"", b"not an image", b"\xff\xd8\xff"])
def test_no_image(data: bytes) -> None:
    with pytest.raises(UnreadableImageError):
        decode(data)


@pytest.mark.hostile
@pytest.mark.parametrize("kind", ["BMP", "EPS"])
def test_formats_that_no_camera_writes_never_reach_a_decoder(
    kind: str, coffee: Image.Image
) -> None:
    with pytest.raises(UnreadableImageError):
        decode(photos.encode(coffee, kind))


def test_floating_point_pixels(coffee: Image.Image) -> None:
    with pytest.raises(UnreadableImageError, match="floating-point"):
        decode(photos.encode(coffee.convert("F"), "TIFF"))


@pytest.mark.hostile
@pytest.mark.parametrize("percent", [10, 99])
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_truncated(kind: str, percent: int, coffee: Image.Image) -> None:
    data = photos.encode(coffee, kind)
    with pytest.raises(UnreadableImageError, match="not a readable image"):
        decode(data[: len(data) * percent // 100])


@pytest.mark.hostile
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_damaged_bytes_raise_nothing_else(kind: str, coffee: Image.Image, random: Random) -> None:
    intact = photos.encode(coffee.resize((96, 64)), kind)
    refused = 0
    for _ in range(60):
        data = bytearray(intact)
        for _ in range(4):
            data[random.randrange(min(len(data), 600))] = random.randrange(256)
        try:
            decode(bytes(data))
        except UnreadableImageError:
            refused += 1
    assert refused > 0


@pytest.mark.hostile
@pytest.mark.parametrize(
    ("width", "height"),
    [(MAX_PIXELS // 5000 + 1, 5000), (12_000, 10_000), (60_000, 60_000)],
    ids=["just too large", "Pillow warns", "Pillow refuses"],
)
def test_huge_declared_size_is_refused_by_size(width: int, height: int) -> None:
    with pytest.raises(UnreadableImageError, match="pixels"):
        decode(png_header(width, height))


@pytest.mark.hostile
def test_the_largest_size_is_refused_for_its_missing_pixels_only() -> None:
    with pytest.raises(UnreadableImageError, match="not a readable image") as caught:
        decode(png_header(MAX_PIXELS // 5000, 5000))
    assert "pixels" not in str(caught.value)


def mean_difference(one: Image.Image, other: Image.Image) -> float:
    assert one.size == other.size
    pairs = zip(one.tobytes(), other.tobytes(), strict=True)
    return sum(abs(a - b) for a, b in pairs) / (one.width * one.height)
