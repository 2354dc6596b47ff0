"""What the classifier says of images, against what x86-64 gives: `arm64_golden` of pytest-arm64.

The values in `arm64_golden/` were recorded on x86-64 with `pytest --arm64 --arm64-record`; they are
compared wherever these tests run. Normalising gives the same bits everywhere; the network's sums
may move, and no label with them.
"""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from image_classification.classifier import Classifier
from image_classification.preprocess import Normaliser, normalise_with_loops
from image_classification.textures import CLASSES, textures

IMAGES = textures(8, seed=2)


@pytest.mark.parametrize("normalise", [normalise_with_loops, Normaliser()], ids=["loops", "quick"])
def test_normalised(normalise: Any, arm64_golden: Any) -> None:
    for number, (_, image) in enumerate(IMAGES[:2]):
        found = hashlib.sha256(normalise(image).tobytes()).hexdigest()
        arm64_golden.check(found, f"image {number}")


def test_answers(network: Path, arm64_golden: Any) -> None:
    classifier = Classifier(network, Normaliser())
    arm64_golden.check([CLASSES[classifier.label(image)] for _, image in IMAGES], "labels")
    for number, (_, image) in enumerate(IMAGES):
        # Averages of 11,881 sums of 147 float32 products, which AVX and NEON add up in another
        # order: seen to move by 8e-6 of the largest score.
        arm64_golden.check(classifier.scores(image), f"scores of image {number}", atol=1e-4)
