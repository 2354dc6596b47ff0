"""The machine learns, the same each time; what training and asking take, by number of features.

SVM_CYCLES and SVM_FEATURES reduce the measurement: `SVM_CYCLES=5 SVM_FEATURES=16,64 pytest`.
"""

import os
from typing import Any

import pytest
from svm_benchmark import (
    ASKED,
    CYCLES,
    FEATURES,
    TRAINED_ON,
    accuracy,
    make_problem,
    predict,
    train,
)

MEASURED = [int(n) for n in os.environ.get("SVM_FEATURES", "").split(",") if n] or FEATURES
ROUNDS = int(os.environ.get("SVM_CYCLES") or CYCLES)


@pytest.mark.parametrize("features", [16, 128])
def test_it_learns(features: int) -> None:
    problem = make_problem(features)
    assert problem.train.shape == (TRAINED_ON, features)
    assert problem.ask.shape == (ASKED, features)
    assert accuracy(predict(train(problem), problem), problem) >= 0.9


def test_the_data_are_exact() -> None:
    """Multiples of 1/4096: no machine rounds them."""
    data = make_problem(16).train * 4096
    assert (data == data.astype("i8")).all()


def test_training_is_repeatable() -> None:
    problem = make_problem(32)
    one, other = train(problem), train(problem)
    assert one.n_iter_.tolist() == other.n_iter_.tolist()
    assert one.n_support_.tolist() == other.n_support_.tolist()
    assert (one.dual_coef_ == other.dual_coef_).all()


@pytest.mark.parametrize("features", MEASURED)
@pytest.mark.arm64_budget(latency="1s", memory="64MB")
def test_what_it_takes(features: int, arm64_measure: Any) -> None:
    problem = make_problem(features)
    machine = arm64_measure(train, problem, rounds=ROUNDS).result
    found = arm64_measure(predict, machine, problem, rounds=ROUNDS)
    assert accuracy(found.result, problem) >= 0.9
