"""pytest-xdist inside: what its workers get of ours, and what is told of one that died."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from .bound_stdlib import originals
from .boundary import RECORD
from .frames import BoundaryTest, BoundaryTests, LinesExecuted, Omitted, WorkerDeath
from .pytest_internals import XdistNode, worker_status
from .worker import EXECUTED, FORGET, INPUT, MAPPED, NAME, OMITTED, REACHED, WorkerInput

if TYPE_CHECKING:
    from .reach import Reached


class XdistWorkers:
    """Registered in the process that distributes.

    *seconds* is what a test may take, 0 for any; *finished* are tests that others have run.
    """

    def __init__(self, seconds: float, finished: Mapping[str, int]) -> None:
        self._seconds = seconds
        self._finished = dict(finished)
        self._notes = ""
        self._began: dict[str, float] = {}
        self._deaths: dict[str, WorkerDeath] = {}
        self.mapped: set[str] = set()
        """Libraries that workers had loaded at their end."""
        self.reached: dict[str, list[str]] = {}
        """What test files reach: a worker loads modules late only for the tests that it runs."""
        self.executed: list[LinesExecuted] = []
        """Statements that workers executed, of those that the host asked about."""
        self.omitted: dict[Omitted, None] = {}
        """What code of the project left out: each worker collects the same."""

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_setupnodes(self) -> None:
        self._load_ours()

    @pytest.hookimpl(optionalhook=True, trylast=True)
    def pytest_testnodedown(self, node: XdistNode) -> None:
        output = getattr(node, "workeroutput", {})
        self.mapped |= set(cast("list[str]", output.get(MAPPED, ())))
        for file, packages in cast("Reached", output.get(REACHED, {})).items():
            self.reached[file] = sorted({*packages, *self.reached.get(file, ())})
        lines = cast("list[tuple[dict[str, list[int]], str]]", output.get(EXECUTED, ()))
        self.executed += [LinesExecuted(*each) for each in lines]
        omissions = cast("list[tuple[str, str, bool, int]]", output.get(OMITTED, ()))
        self.omitted.update(dict.fromkeys(Omitted(*each) for each in omissions))
        self._load_ours()  # another worker may be started in its place

    def _load_ours(self) -> None:
        """Have workers that are started from now on load our plugin, and forget that again."""
        if FORGET not in os.environ:
            before = os.environ.get("PYTEST_PLUGINS", "")
            os.environ[FORGET] = before
            os.environ["PYTEST_PLUGINS"] = f"{before},{NAME}".strip(",")

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: XdistNode) -> None:
        if not self._notes:
            self._notes = tempfile.mkdtemp()
            atexit.register(shutil.rmtree, self._notes, ignore_errors=True)
        ours: WorkerInput = {
            "seconds": self._seconds,
            "notes": self._notes,
            "finished": self._finished,
        }
        node.workerinput[INPUT] = ours

    def bounded(self, node: XdistNode) -> BoundaryTests | None:
        """Tests behind an x86 boundary, as the worker *node* noted them."""
        note = Path(self._notes, f"{node.gateway.id}.{RECORD}")
        try:
            selected, marked = json.loads(note.read_text("utf-8"))
        except FileNotFoundError:
            return None
        return BoundaryTests([BoundaryTest(*test) for test in selected], marked)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._began[nodeid] = originals.monotonic()

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        self._began.pop(nodeid, None)

    @pytest.hookimpl(optionalhook=True)
    def pytest_handlecrashitem(self, crashitem: str, report: pytest.TestReport) -> None:
        # The last words of several workers may be mixed; how long each took is known.
        took = originals.monotonic() - self._began.pop(crashitem, originals.monotonic())
        with contextlib.suppress(AttributeError, OSError, subprocess.TimeoutExpired):
            code = worker_status(report.node, 5)
            if code is not None:
                # The watch of the worker ends it so.
                overdue = code == 1 and 0 < 0.9 * self._seconds <= took
                self._deaths[crashitem] = WorkerDeath(code, overdue)
        with contextlib.suppress(AttributeError, OSError):
            note = Path(self._notes, report.node.gateway.id).read_text("utf-8")
            nodeid, _, reason = note.partition("\0")
            if nodeid == crashitem:
                report.outcome, report.wasxfail = "skipped", reason

    def death_of(self, report: pytest.TestReport) -> WorkerDeath | None:
        """How the worker died about which *report* is; None where it is about a test."""
        if report.when in ("setup", "call", "teardown"):
            return None
        return self._deaths.pop(report.nodeid, None)

    def pytest_unconfigure(self) -> None:
        if self._notes:
            shutil.rmtree(self._notes, ignore_errors=True)
