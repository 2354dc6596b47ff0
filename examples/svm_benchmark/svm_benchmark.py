"""A support vector machine, trained and asked: the workload of a published Lambda comparison.

512 samples to train, 1,024 to predict, 16 to 512 features, 40 cycles. The data are made here,
from a seed, and are the same to the last bit on every machine: they are integers over a power of
two, so that no step of making them rounds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
from sklearn.svm import SVC

TRAINED_ON = 512
ASKED = 1024
FEATURES = (16, 32, 64, 128, 256, 512)
CYCLES = 40
_STEPS = 1 << 10


@dataclass(frozen=True)
class Problem:
    """A binary classification."""

    train: np.ndarray
    labels: np.ndarray
    ask: np.ndarray
    truth: np.ndarray


def make_problem(features: int, seed: int = 20230) -> Problem:
    """Two clouds around opposite corners of a cube, wide enough to overlap a little."""
    random = Random(seed)
    corner = [random.choice((-1, 1)) for _ in range(features)]
    samples, labels = [], []
    for _ in range(TRAINED_ON + ASKED):
        label = random.randrange(2)
        side = 1 if label else -1
        samples.append([_coordinate(random, side * sign, features) for sign in corner])
        labels.append(label)
    data, truth = np.array(samples), np.array(labels)
    return Problem(data[:TRAINED_ON], truth[:TRAINED_ON], data[TRAINED_ON:], truth[TRAINED_ON:])


def _coordinate(random: Random, centre: int, features: int) -> float:
    """Near *centre*: the noise grows with the number of features, or they would make it easy."""
    width = 4 + features // 64
    return centre / 4 + random.randrange(-width * _STEPS, width * _STEPS + 1) / (4 * _STEPS)


def train(problem: Problem) -> SVC:
    """The machine, fitted with the library's defaults."""
    return SVC(kernel="rbf").fit(problem.train, problem.labels)


def predict(machine: SVC, problem: Problem) -> np.ndarray:
    """A label for each sample that is asked."""
    return machine.predict(problem.ask)


def accuracy(found: Sequence[int] | np.ndarray, problem: Problem) -> float:
    """Share of the labels that are right."""
    return float(np.mean(np.asarray(found) == problem.truth))
