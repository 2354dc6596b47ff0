"""From bytes to what the network reads: once with nested loops, once vectorised.

Both give the same bits: `(p - 127.5) / 127.5` is the same expression in both. `p / 127.5 - 1` would
not be; it rounds twice, elsewhere.
"""

import numpy as np

SIDE = 224
CHANNELS = 3
_MIDDLE = 127.5


def normalise_with_loops(image: np.ndarray) -> np.ndarray:
    """As found in many a tutorial: three nested loops over 150,528 bytes."""
    output = np.zeros((SIDE, SIDE, CHANNELS), dtype=np.float32)
    for row in range(SIDE):
        for column in range(SIDE):
            for channel in range(CHANNELS):
                output[row, column, channel] = (
                    float(image[row, column, channel]) - _MIDDLE
                ) / _MIDDLE
    return output


class Normaliser:
    """The same, vectorised, into an array that is allocated once."""

    def __init__(self) -> None:
        self._wide = np.empty((SIDE, SIDE, CHANNELS), dtype=np.float64)
        self._output = np.empty((SIDE, SIDE, CHANNELS), dtype=np.float32)

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """The normalised image; the next call overwrites it."""
        np.subtract(image, _MIDDLE, out=self._wide)
        np.divide(self._wide, _MIDDLE, out=self._wide)
        self._output[...] = self._wide
        return self._output


def to_network(normalised: np.ndarray) -> np.ndarray:
    """Channels first, one image a batch."""
    return np.ascontiguousarray(normalised.transpose(2, 0, 1))[np.newaxis]
