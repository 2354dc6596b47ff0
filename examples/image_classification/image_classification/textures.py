"""Images whose class is known: stripes, columns, checks and discs under noise, from a seed."""

from random import Random

import numpy as np

from .preprocess import CHANNELS, SIDE

CLASSES = ("rows", "columns", "checks", "discs")


def texture(label: int, random: Random) -> np.ndarray:
    """A 224×224 RGB image of class *label*; integers only, so the same everywhere."""
    period = random.choice((8, 12, 16))
    across, down = np.meshgrid(np.arange(SIDE), np.arange(SIDE))
    down, across = down + random.randrange(period), across + random.randrange(period)
    rows, columns = down // (period // 2) % 2, across // (period // 2) % 2
    offset = (down % period - period // 2) ** 2 + (across % period - period // 2) ** 2
    pattern = (rows, columns, rows ^ columns, offset < period * period // 10)[label]
    noise = np.frombuffer(random.randbytes(SIDE * SIDE * CHANNELS), np.uint8)
    image = 64 + 96 * np.asarray(pattern, np.int64)[..., np.newaxis]
    return (image + noise.reshape(SIDE, SIDE, CHANNELS) % 64).astype(np.uint8)


def textures(count: int, seed: int) -> list[tuple[int, np.ndarray]]:
    """*count* images with their labels, each class in turn."""
    random = Random(seed)
    return [(n % len(CLASSES), texture(n % len(CLASSES), random)) for n in range(count)]
