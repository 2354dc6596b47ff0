"""Decodes an upload, whatever its mode, into the colour and luma planes that the checks read."""

import io
import warnings
from dataclasses import dataclass

from PIL import Image

FORMATS = ("JPEG", "PNG", "TIFF", "WEBP", "GIF")
MAX_PIXELS = 24_000_000
"""Flattening transparency, the most costly case, takes 16 bytes a pixel: 384 of the 512 MB."""

_ORIENTATION_TAG = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_HIGH_BYTE = [level >> 8 for level in range(1 << 16)]
_MID_GREY = (128, 128, 128, 255)


class UnreadableImageError(ValueError):
    """The bytes are not an image that this service is willing and able to decode."""


@dataclass(frozen=True)
class Photograph:
    """One decoded frame: `colour` as stored (RGB or L), `luma` (L) turned upright."""

    colour: Image.Image
    luma: Image.Image


def decode(data: bytes) -> Photograph:
    """Decode the first frame of an upload; raise `UnreadableImageError` for anything else.

    Only the luma is turned upright: the hashes need it, while a histogram looks the same from
    every side, and turning the colours would double the largest allocation.
    """
    with warnings.catch_warnings():
        # What is accepted must not depend on the warning filters of whoever runs this. The one
        # warning that matters, of a decompression bomb, is overtaken by a lower limit of our own.
        warnings.simplefilter("ignore")
        try:
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                _check_size(image.size)
                image.load()
                colour = _eight_bit(image)
                turn = _UPRIGHT.get(image.getexif().get(_ORIENTATION_TAG, 1))
        except UnreadableImageError:
            raise
        except Exception as error:  # decoders meet hostile bytes with many exception types
            raise UnreadableImageError(f"not a readable image: {error}") from error
    luma = colour.convert("L")
    return Photograph(colour, luma if turn is None else luma.transpose(turn))


def _check_size(size: tuple[int, int]) -> None:
    """Judge the declared size before a single pixel is allocated."""
    width, height = size
    if width * height > MAX_PIXELS:
        raise UnreadableImageError(f"{width}x{height} is more than {MAX_PIXELS} pixels")


def _eight_bit(image: Image.Image) -> Image.Image:
    """Bring any mode to RGB or L without a floating-point step."""
    if image.mode in ("RGB", "L"):
        return image
    if image.mode == "1":
        return image.convert("L")
    if image.mode == "I" or image.mode.startswith("I;16"):
        # convert("L") would clamp 16-bit levels at 255 and turn the picture white.
        return image.convert("I").point(_HIGH_BYTE, "L")
    if image.mode == "F":
        raise UnreadableImageError("floating-point pixels have no defined white")
    if image.has_transparency_data:
        # Mid-grey is neither a clipped shadow nor a clipped highlight.
        layer = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, _MID_GREY), layer).convert("RGB")
    return image.convert("RGB")
