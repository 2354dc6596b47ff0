"""What other cores say of a service, beside their gates."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_arm64.config.services import ServiceConfig
from pytest_arm64.config.settings import Settings
from pytest_arm64.config.targets import find_target
from pytest_arm64.decide.evidence import TestOutcome
from pytest_arm64.inside.ran import Ran
from pytest_arm64.run.cells import planned_cells
from pytest_arm64.run.gates import core_findings
from pytest_arm64.run.unseen_session import CellResult, Outcome

SETTINGS = Settings(
    root=Path("/p"),
    target=find_target("al2023-python3.12", {}),
    cores=("graviton2", "graviton3"),
    reference=True,
)
X86, GRAVITON3, _ = planned_cells(SETTINGS, ServiceConfig("p", SETTINGS.root, itself=True))
SHOWN = [TestOutcome("t.py::a", "passed"), TestOutcome("t.py::b", "failed")]
HERE = Ran("aarch64", "graviton2", emulated=True)


def ended(outcomes: dict[str, str], *, x86: bool = False) -> CellResult:
    tests = {nodeid: Outcome(nodeid, outcome) for nodeid, outcome in outcomes.items()}
    there = Ran("aarch64", "graviton3 (qemu neoverse-v1)", emulated=True)
    return CellResult(X86 if x86 else GRAVITON3, there, 0, (), tests, {}, Path())


def test_a_test_that_fails_on_another_core_alone_is_a_grave_finding_for_the_verdict() -> None:
    (finding,) = core_findings([ended({"t.py::a": "failed"})], SHOWN, HERE)
    assert finding.grave
    assert finding.text == "1 test fails on graviton3 alone: t.py::a"
    assert finding.where.core == "graviton3 (qemu neoverse-v1)"


@pytest.mark.parametrize(
    "result",
    [
        ended({"t.py::a": "passed"}),
        ended({"t.py::b": "failed"}),  # as on the core that is shown
        ended({"other.py::a": "failed"}),  # of another service
        ended({"t.py::a": "failed"}, x86=True),
    ],
)
def test_what_is_not_of_the_core_alone_is_none(result: CellResult) -> None:
    assert list(core_findings([result], SHOWN, HERE)) == []
