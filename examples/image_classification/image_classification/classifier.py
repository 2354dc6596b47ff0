"""Runs the network."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime

from .preprocess import to_network

Normalise = Callable[[np.ndarray], np.ndarray]


class Classifier:
    """A network in a file, with the normalisation that goes before it."""

    def __init__(self, model: Path, normalise: Normalise) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            str(model), options, providers=["CPUExecutionProvider"]
        )
        self._normalise = normalise

    def scores(self, image: np.ndarray) -> np.ndarray:
        """One score for each class."""
        inputs = {"image": to_network(self._normalise(image))}
        return np.asarray(self._session.run(None, inputs)[0][0])

    def label(self, image: np.ndarray) -> int:
        """The class with the highest score."""
        return int(np.argmax(self.scores(image)))
