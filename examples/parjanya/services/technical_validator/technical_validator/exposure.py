"""Measures exposure clipping: which share of the pixels has lost its shadows or highlights."""

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

DARKEST = 4
"""Levels 0…4 count as clipped shadows: JPEG compression lifts a true 0 by a few levels."""
BRIGHTEST = 251
"""Levels 251…255 count as clipped highlights, for the same reason."""

_LEVELS = 256


@dataclass(frozen=True)
class Clipping:
    """The shares, from 0 to 1, of one channel's pixels that are clipped at either end."""

    shadows: float
    highlights: float


@dataclass(frozen=True)
class Exposure:
    """Clipping of the luma, and of each stored channel: (R, G, B), or (grey,)."""

    luma: Clipping
    channels: tuple[Clipping, ...]


def measure_exposure(colour: Image.Image, luma: Image.Image) -> Exposure:
    """Count clipped pixels in an RGB or L image and in its luma."""
    counts = colour.histogram()
    channels = (counts[start : start + _LEVELS] for start in range(0, len(counts), _LEVELS))
    return Exposure(_clipping(luma.histogram()), tuple(_clipping(channel) for channel in channels))


def _clipping(histogram: Sequence[int]) -> Clipping:
    """Python rounds int / int correctly, so that a share has the same bits on every machine."""
    total = sum(histogram)
    return Clipping(
        shadows=sum(histogram[: DARKEST + 1]) / total,
        highlights=sum(histogram[BRIGHTEST:]) / total,
    )
