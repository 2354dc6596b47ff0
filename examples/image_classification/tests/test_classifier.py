"""The quick normalisation equals the slow one; accuracy is kept; what each takes.

CLASSIFIER_ROUNDS reduces the measurement: `CLASSIFIER_ROUNDS=5 pytest`.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from image_classification.classifier import Classifier
from image_classification.preprocess import Normaliser, normalise_with_loops
from image_classification.textures import textures

ROUNDS = int(os.environ.get("CLASSIFIER_ROUNDS") or 21)


@pytest.fixture(scope="session")
def image() -> np.ndarray:
    return textures(1, seed=3)[0][1]


def test_vectorised_is_the_same_to_the_last_bit(image: np.ndarray) -> None:
    slow, quick = normalise_with_loops(image), Normaliser()(image)
    assert slow.dtype == quick.dtype == np.float32
    assert slow.tobytes() == quick.tobytes()
    assert (slow.min(), slow.max()) >= (-1, -1)


def test_accuracy_is_kept(network: Path) -> None:
    held_out = textures(24, seed=2)
    quick = Classifier(network, Normaliser())
    assert sum(quick.label(image) == label for label, image in held_out) >= 23
    slow = Classifier(network, normalise_with_loops)
    for _, image in held_out[:4]:
        assert slow.scores(image).tobytes() == quick.scores(image).tobytes()


@pytest.mark.arm64_budget(latency="500ms", memory="16MB")
def test_normalising_with_loops(image: np.ndarray, arm64_measure: Any) -> None:
    arm64_measure(normalise_with_loops, image, rounds=max(1, ROUNDS // 4), warmup=1)


@pytest.mark.arm64_budget(latency="20ms", memory="4MB")
def test_normalising_vectorised(image: np.ndarray, arm64_measure: Any) -> None:
    arm64_measure(Normaliser(), image, rounds=ROUNDS)


@pytest.mark.arm64_budget(latency="100ms", memory="64MB")
def test_classifying(network: Path, image: np.ndarray, arm64_measure: Any) -> None:
    found = arm64_measure(Classifier(network, Normaliser()).label, image, rounds=ROUNDS)
    assert found.result == 0
    assert found.throughput > 0
