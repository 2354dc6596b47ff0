"""What the machine answers, against what x86-64 gives: `arm64_golden` of pytest-arm64.

The values in `arm64_golden/` were recorded on x86-64 with `pytest --arm64 --arm64-record`; they are
compared wherever these tests run. Labels and support vectors may not differ at all; a score may
move in its last bits, but not to the other side.
"""

from typing import Any

import pytest
from svm_benchmark import make_problem, predict, train


@pytest.mark.parametrize("features", [16, 128])
def test_answers(features: int, arm64_golden: Any) -> None:
    problem = make_problem(features)
    machine = train(problem)
    arm64_golden.check(predict(machine, problem), "labels")
    arm64_golden.check(machine.n_support_, "support vectors of each class")
    arm64_golden.check(machine.n_iter_, "iterations")
    arm64_golden.check(machine.decision_function(problem.ask), "scores", decision=0.0)
