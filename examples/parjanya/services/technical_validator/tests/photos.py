"""The real photographs that the tests use, and the ways in which the tests spoil them."""

import io
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import Any

from PIL import Image, ImageChops, ImageFilter

FILES = (
    "astronaut.png",  # portrait with deep blacks
    "camera.png",  # greyscale, a man and his camera on a lawn
    "chelsea.png",  # soft fur of a cat
    "coffee.png",  # cup on a wooden table
    "rocket.jpg",  # JPEG, launch pad under a smooth sky
)


def directory() -> Path:
    """Where scikit-image's wheel put its photographs; the package itself is not imported."""
    spec = find_spec("skimage")
    assert spec is not None, "scikit-image is not installed: see requirements-test.txt"
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0], "data")


@cache
def load(file: str) -> Image.Image:
    """A photograph in its own mode, RGB or L. Shared between tests: never change it in place."""
    with Image.open(directory() / file) as image:
        image.load()
        return image.copy()


def encode(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """The bytes of an image file."""
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def jpeg(image: Image.Image, quality: int = 90) -> bytes:
    return encode(image, "JPEG", quality=quality)


def exposed(image: Image.Image, tenths: int) -> Image.Image:
    """As if the shutter had been open for tenths/10 of the time; too bright is clipped."""
    curve = [min(255, level * tenths // 10) for level in range(256)]
    return image.point(curve * len(image.getbands()))


def blurred(image: Image.Image, radius: int) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(radius))


def noisy(image: Image.Image, amplitude: int, seed: int = 0) -> Image.Image:
    """Uniform noise of ±amplitude on the luma, the same on every run."""
    luma = image.convert("L")
    grain = Image.frombytes("L", luma.size, Random(seed).randbytes(luma.width * luma.height))
    scaled = grain.point([level * (2 * amplitude + 1) >> 8 for level in range(256)])
    return ImageChops.add(luma, scaled, offset=-amplitude)


def cropped(image: Image.Image, percent: int) -> Image.Image:
    """Without `percent` of the width and of the height, off the left and the top."""
    return image.crop(
        (image.width * percent // 100, image.height * percent // 100, image.width, image.height)
    )
