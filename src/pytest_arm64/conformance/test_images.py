"""Cases of Pillow, OpenCV and imagehash."""

from __future__ import annotations

import io
from typing import Any

import pytest

from .case import DISPATCH, EXACT_BY_DESIGN, IMAGE, Case

SIZE = (97, 61)
FIXED = "Pillow resamples in fixed point"


def pixels(bands: int = 3) -> bytes:
    """A picture with edges and gradients, made of integers."""
    width, height = SIZE
    return bytes(
        (x * (band + 2) + y * 3 + 90 * ((x // 12 + y // 9) % 2)) % 256
        for y in range(height)
        for x in range(width)
        for band in range(bands)
    )


class Lazily:
    """A library that is imported by the case that needs it."""

    def __init__(self, name: str, package: str) -> None:
        self._name = name
        self._package = package

    def __getattr__(self, name: str) -> Any:
        reason = f"{self._package} is not among the deployed packages"
        return getattr(pytest.importorskip(self._name, reason=reason), name)


pil = Lazily("PIL.Image", "Pillow")
filters = Lazily("PIL.ImageFilter", "Pillow")
cv2 = Lazily("cv2", "opencv-python")
imagehash = Lazily("imagehash", "imagehash")
np = Lazily("numpy", "NumPy")


def picture() -> Any:
    return pil.frombytes("RGB", SIZE, pixels())


def array(bands: int = 3) -> Any:
    shape = (SIZE[1], SIZE[0], bands) if bands > 1 else (SIZE[1], SIZE[0])
    return np.frombuffer(pixels(bands), "u1").reshape(shape)


def resized() -> Any:
    names = ("NEAREST", "BOX", "BILINEAR", "HAMMING", "BICUBIC", "LANCZOS")
    return {name: picture().resize((40, 30), getattr(pil.Resampling, name)) for name in names}


def encoded(kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    picture().save(stream, kind, **options)
    return stream.getvalue()


def decoded(kind: str, **options: Any) -> Any:
    image = pil.open(io.BytesIO(encoded(kind, **options)))
    image.load()
    return image.convert("RGB")


CASES = [
    Case("Pillow: resize with all filters", resized, "feared: SIMD resampling", FIXED),
    Case("Pillow: luma", lambda: picture().convert("L"), "feared: rounding of weights",
         EXACT_BY_DESIGN),
    Case("Pillow: Gaussian blur", lambda: picture().filter(filters.GaussianBlur(2)),
         "feared: rounding of box blurs", EXACT_BY_DESIGN),
    Case("Pillow: kernel", lambda: picture().convert("L").filter(filters.FIND_EDGES),
         "feared: clamping to 8 bits", EXACT_BY_DESIGN),
    Case("Pillow: PNG", lambda: decoded("PNG"), "feared: filters in SIMD", EXACT_BY_DESIGN),
    Case("Pillow: PNG, encoded", lambda: encoded("PNG"),
         "feared: another match found by zlib's SIMD", EXACT_BY_DESIGN),
    Case("Pillow: JPEG, encoded", lambda: encoded("JPEG", quality=85),
         "feared: SIMD of libjpeg-turbo", "libjpeg-turbo: its SIMD gives what its C code gives"),
    Case("Pillow: JPEG, decoded", lambda: decoded("JPEG", quality=85),
         "feared: SIMD of libjpeg-turbo", "libjpeg-turbo: its SIMD gives what its C code gives"),
    Case("Pillow: WebP, decoded", lambda: decoded("WEBP", quality=80),
         "feared: SIMD of libwebp", "libwebp decodes in integers"),
    Case("Pillow: WebP, encoded", lambda: encoded("WEBP", quality=80),
         "feared: SIMD of libwebp", "libwebp encodes in integers"),
    Case("Pillow: quantised", lambda: picture().quantize(16).convert("RGB"),
         "feared: order of equal colours", EXACT_BY_DESIGN),
    Case("imagehash: four hashes", lambda: [str(getattr(imagehash, name)(picture()))
         for name in ("average_hash", "phash", "dhash", "whash")],
         "feared: floats of the transforms at a threshold", "imagehash's documentation"),
    Case("OpenCV: resize, linear", lambda: cv2.resize(array(), (40, 30)),
         "fixed point in SIMD, rounded by kernel",
         "OpenCV: INTER_LINEAR_EXACT is the bit-exact one", IMAGE),
    Case("OpenCV: resize, linear exact",
         lambda: cv2.resize(array(), (40, 30), interpolation=cv2.INTER_LINEAR_EXACT),
         "feared: as the linear one", "OpenCV: INTER_LINEAR_EXACT is bit-exact"),
    Case("OpenCV: resize, area", lambda: cv2.resize(array(), (40, 30), interpolation=cv2.INTER_AREA),
         "sums of floats", "OpenCV's documentation of InterpolationFlags", IMAGE),
    Case("OpenCV: luma", lambda: cv2.cvtColor(array(), cv2.COLOR_BGR2GRAY),
         "feared: rounding of weights", EXACT_BY_DESIGN, IMAGE),
    Case("OpenCV: Lab", lambda: cv2.cvtColor(array(), cv2.COLOR_BGR2LAB),
         "tables and interpolation", "OpenCV's documentation of colour conversions", IMAGE),
    Case("OpenCV: Gaussian blur", lambda: cv2.GaussianBlur(array(), (5, 5), 1.5),
         "feared: SIMD of the filter", "OpenCV: bit-exact for 8 bits", IMAGE),
    Case("OpenCV: variance of the Laplacian",
         lambda: float(cv2.Laplacian(array(1), cv2.CV_64F).var()),
         "feared: order of summation", "integers up to the last step", DISPATCH),
    Case("OpenCV: threshold and edges", lambda: [cv2.threshold(array(1), 127, 255, 0)[1],
         cv2.Canny(array(1), 50, 150)], "feared: shuffles in SIMD", EXACT_BY_DESIGN),
    Case("OpenCV: PNG and back", lambda: cv2.imdecode(cv2.imencode(".png", array())[1], 1),
         "feared: codecs", EXACT_BY_DESIGN),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_images(case: Case, conform: Any) -> None:
    conform(case)
