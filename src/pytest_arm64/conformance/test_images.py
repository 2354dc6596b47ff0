"""Cases of Pillow, OpenCV and imagehash."""

from __future__ import annotations

import io
from typing import Any

import pytest

from .case import (
    DISPATCH,
    EXACT_BY_DESIGN,
    IMAGE,
    INTEGER,
    SIMD_MATH,
    SUMMATION,
    UNDEFINED_CAST,
    WITHIN,
    Case,
    Lazily,
    cases,
)

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


pil: Any = Lazily("PIL.Image")
filters: Any = Lazily("PIL.ImageFilter")
enhance: Any = Lazily("PIL.ImageEnhance")
stat: Any = Lazily("PIL.ImageStat")
cv2: Any = Lazily("cv2")
imagehash: Any = Lazily("imagehash")
np: Any = Lazily("numpy")


def picture() -> Any:
    return pil.frombytes("RGB", SIZE, pixels())


def array(bands: int = 3) -> Any:
    shape = (SIZE[1], SIZE[0], bands) if bands > 1 else (SIZE[1], SIZE[0])
    return np.frombuffer(pixels(bands), "u1").reshape(shape)


def translucent() -> Any:
    return pil.frombytes("RGBA", SIZE, pixels(4))


def thumbnail() -> Any:
    image = picture()
    image.thumbnail((31, 31), reducing_gap=2.0)
    return image


def pixel_planes() -> Any:
    """An image of 48 by 36 pixels in the layout of cameras: brightness, then colours."""
    return array(1)[:54, :48].copy()


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
    *cases("Pillow",
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
    Case("Pillow: rotated", lambda: picture().rotate(17, pil.Resampling.BICUBIC),
         "floats of the transform, rounded to pixels", "Pillow transforms in double precision", IMAGE),
    Case("Pillow: affine", lambda: picture().transform((50, 40), pil.Transform.AFFINE,
         (1.3, 0.2, -3, 0.1, 0.9, 4), pil.Resampling.BILINEAR),
         "floats of the transform, rounded to pixels", "Pillow transforms in double precision", IMAGE),
    Case("Pillow: blended and composited", lambda: [pil.blend(picture(), picture().rotate(180), 0.3),
         pil.alpha_composite(translucent(), translucent().rotate(180))],
         "feared: floats that do not fit a byte", "Pillow clips before it converts"),
    Case("Pillow: blended beyond white", lambda: pil.blend(picture(), picture().rotate(180), 3.5),
         "feared: floats that do not fit a byte", "Pillow clips before it converts"),
    Case("Pillow: thumbnail", thumbnail, "feared: SIMD of the reduction", FIXED),
    Case("Pillow: CMYK, HSV and Lab", lambda: [picture().convert(m) for m in ("CMYK", "HSV", "YCbCr")],
         "floats of the conversion", "Pillow: rgb2hsv computes in single precision", IMAGE),
    Case("Pillow: GIF", lambda: encoded("GIF"), "feared: order of equal colours", EXACT_BY_DESIGN),
    Case("Pillow: contrast and sharpness", lambda: [enhance.Contrast(picture()).enhance(1.4),
         enhance.Sharpness(picture()).enhance(1.7)], "feared: floats that do not fit a byte",
         "Pillow clips before it converts"),
    Case("Pillow: statistics", lambda: [stat.Stat(picture()).mean, stat.Stat(picture()).stddev],
         "feared: order of summation", EXACT_BY_DESIGN),
    Case("Pillow: floats as bytes", lambda: pil.fromarray(np.linspace(-300, 600, 64, dtype="f4")
         .reshape(8, 8)).convert("L"), "a float that does not fit a byte", "Pillow clips mode F"),
    ),
    *cases("ImageHash",
    Case("imagehash: four hashes", lambda: [str(getattr(imagehash, name)(picture()))
         for name in ("average_hash", "phash", "dhash", "whash")],
         "feared: floats of the transforms at a threshold", "imagehash's documentation"),
    ),
    *cases("OpenCV",
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
    Case("OpenCV: resize, cubic", lambda: cv2.resize(array(1), (40, 30), interpolation=cv2.INTER_CUBIC),
         "fixed point in SIMD, rounded by kernel", "OpenCV: only INTER_LINEAR_EXACT is bit-exact", IMAGE),
    Case("OpenCV: resize, cubic, three channels", lambda: cv2.resize(array(), (140, 90),
         interpolation=cv2.INTER_CUBIC), "fixed point in SIMD, rounded by kernel",
         "OpenCV issue 22477: INTER_CUBIC on ARM64 and x86-64", IMAGE),
    Case("OpenCV: resize of RGB and RGBA", lambda: np.abs(cv2.resize(array(), (40, 30)).astype("i4") -
         cv2.resize(cv2.cvtColor(array(), cv2.COLOR_BGR2BGRA), (40, 30))[..., :3]),
         "the kernel for three channels rounds otherwise", "OpenCV issue 28495: RGB and RGBA on ARM64",
         INTEGER),
    Case("OpenCV: resize, Lanczos", lambda: cv2.resize(array(), (140, 90),
         interpolation=cv2.INTER_LANCZOS4), "fixed point in SIMD, rounded by kernel",
         "OpenCV: only INTER_LINEAR_EXACT is bit-exact", IMAGE),
    Case("OpenCV: resize of f4", lambda: cv2.resize(array(1).astype("f4"), (40, 30)),
         "fused multiply-add", "C17 6.5: contraction", DISPATCH),
    Case("OpenCV: weighted sum", lambda: cv2.addWeighted(array(), 0.7, array()[::-1].copy(), 0.6, -10),
         "one rounding instead of two, then rounded to a byte", "OpenCV issue 24163: rounding in the ARM HAL",
         IMAGE),
    Case("OpenCV: convertScaleAbs", lambda: cv2.convertScaleAbs(array(1).astype("i2") - 128, alpha=1.7,
         beta=3), "one rounding instead of two, then rounded to a byte",
         "OpenCV pull request 24271: rounding on ARM", IMAGE),
    Case("OpenCV: scale and convert", lambda: cv2.normalize(array(1), None, 0, 255, cv2.NORM_MINMAX),
         "one rounding instead of two, then rounded to a byte", "OpenCV: convertTo rounds to nearest even",
         IMAGE),
    Case("OpenCV: divide", lambda: [cv2.divide(array(1), (array(1)[::-1] + 1).copy(), scale=3.0),
         cv2.divide(array(1), np.zeros_like(array(1)))], "division by zero in SIMD",
         "OpenCV issue 24213: ties away from zero on ARM, to even on x86", IMAGE),
    Case("OpenCV: multiply and saturate", lambda: [cv2.multiply(array(1), array(1), scale=0.01),
         cv2.add(array(1), array(1)), cv2.subtract(array(1), array(1)[::-1].copy())],
         "feared: saturation", "OpenCV saturates to the type", IMAGE),
    Case("OpenCV: NV21", lambda: cv2.cvtColor(pixel_planes(), cv2.COLOR_YUV2BGR_NV21),
         "fixed point in SIMD", "OpenCV: YUV conversions have 20 bits of fraction", IMAGE),
    Case("OpenCV: HSV and YCrCb", lambda: [cv2.cvtColor(array(), code) for code in
         (cv2.COLOR_BGR2HSV, cv2.COLOR_BGR2YCrCb)], "feared: tables and fixed point",
         "OpenCV's documentation of colour conversions", IMAGE),
    Case("OpenCV: HSV of f4", lambda: cv2.cvtColor(array().astype("f4") / 255, cv2.COLOR_BGR2HSV),
         "reciprocal estimates in SIMD", "OpenCV's documentation of colour conversions", WITHIN,
         {"rtol": 1e-4, "atol": 1e-3}),
    Case("OpenCV: affine warp", lambda: cv2.warpAffine(array(), np.array([[1.1, 0.2, -5], [0.1, 0.9, 3]]),
         (80, 60)), "coordinates in fixed point, rounded by kernel", "OpenCV: INTER_BITS is 5", IMAGE),
    Case("OpenCV: bilateral and median", lambda: [cv2.bilateralFilter(array(1), 5, 30, 30),
         cv2.medianBlur(array(), 5)], "exp and sums of floats", SIMD_MATH, IMAGE),
    Case("OpenCV: template", lambda: cv2.matchTemplate(array(1), array(1)[10:30, 10:30].copy(),
         cv2.TM_CCOEFF_NORMED), "a Fourier transform of floats", SUMMATION, WITHIN,
         {"atol": 1e-4}),
    Case("OpenCV: derivatives", lambda: [cv2.Sobel(array(1), cv2.CV_16S, 1, 0),
         cv2.Scharr(array(1), cv2.CV_32F, 0, 1)], "feared: order of summation", EXACT_BY_DESIGN),
    Case("OpenCV: histogram", lambda: [cv2.calcHist([array()], [0], None, [32], [0, 256]),
         cv2.equalizeHist(array(1))], "feared: rounding of the table", EXACT_BY_DESIGN),
    Case("OpenCV: Fourier transform", lambda: cv2.dft(array(1)[:32, :32].astype("f4")),
         "fused multiply-add in butterflies", "C17 6.5: contraction", DISPATCH),
    Case("OpenCV: contours and distances", lambda: [len(cv2.findContours(array(1) // 128, 1, 2)[0]),
         cv2.distanceTransform(array(1) // 128, cv2.DIST_L2, 5)], "feared: order of summation",
         EXACT_BY_DESIGN, DISPATCH),
    Case("OpenCV: JPEG, encoded", lambda: cv2.imencode(".jpg", array())[1], "feared: SIMD of libjpeg-turbo",
         "libjpeg-turbo: its SIMD gives what its C code gives"),
    Case("OpenCV: mean and deviation", lambda: [np.array(part) for part in cv2.meanStdDev(array())],
         "feared: order of summation", EXACT_BY_DESIGN, DISPATCH),
    Case("OpenCV: floats as bytes", lambda: cv2.convertScaleAbs(np.linspace(-1e10, 1e10, 64, dtype="f4")
         .reshape(8, 8)), "a float that does not fit an int32 on the way to a byte", UNDEFINED_CAST,
         INTEGER),
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_images(case: Case, conform: Any) -> None:
    conform(case)
