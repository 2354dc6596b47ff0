"""Which tests of a session run on another core; whole runs are in ``fidelity/test_cells.py``."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from pytest_arm64.binary.cores import CoreCode
from pytest_arm64.config.services import ServiceConfig
from pytest_arm64.config.settings import Settings
from pytest_arm64.config.targets import find_target
from pytest_arm64.mirror.reconcile import Ledger
from pytest_arm64.mirror.session import MirroredSession
from pytest_arm64.run.cells import PlannedCell, planned_cells
from pytest_arm64.run.later_core import LaterCore
from pytest_arm64.run.unseen_session import SilentCell

SETTINGS = Settings(root=Path("/p"), target=find_target("al2023-python3.12", {}))
(SHOWN,) = planned_cells(SETTINGS, ServiceConfig("p", SETTINGS.root, itself=True))
CODE = CoreCode("graviton3", ("zed 1",), ("SVE",), {"/zed.so": ("zed",)})
LATER = LaterCore(SHOWN, CODE, SHOWN)


class _StartedError(Exception):
    """A place was opened for tests."""


def run(*nodeids: str, ledger: Ledger | None = None, failed: str = "") -> None:
    """Have what reaches the code of *nodeids* run; of no file it is known what it reaches."""
    ledger = ledger or Ledger(status=0, exit_code=0)
    ledger.finished = Counter(nodeids)
    mirror = SimpleNamespace(ledger=ledger, failed={failed}, loaded=set(), reached={})
    session = cast("MirroredSession", SimpleNamespace(mirror=mirror, problems=[]))

    def open_place(_: PlannedCell) -> SilentCell:
        raise _StartedError

    assert LATER.run(session, open_place) is None


def test_a_test_of_which_nothing_is_known_runs_there() -> None:
    with pytest.raises(_StartedError):
        run("test_a.py::test_a")


@pytest.mark.parametrize(
    "ledger",
    [
        Ledger(status=2, exit_code=2),
        Ledger(status=1, exit_code=1, reason="Failed"),
        Ledger(status=0, exit_code=0, collect_only=True),
    ],
)
def test_nothing_runs_there_after_a_session_that_did_not_run_all_of_its_tests(
    ledger: Ledger,
) -> None:
    run("test_a.py::test_a", ledger=ledger)


def test_what_failed_already_does_not_run_there() -> None:
    run("test_a.py::test_a", failed="test_a.py::test_a")


def test_the_conformance_suite_does_not_run_there() -> None:
    run("../site-packages/pytest_arm64/conformance/test_numpy.py::test_case")


def test_the_session_is_asked_for_the_modules_of_the_packages() -> None:
    assert LATER.records == {"newer_code": ["zed"]}
