"""pytest-xdist inside: what its workers get of ours, and what is told of one that died."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from .boundary import RECORD
from .worker import FORGET, MAPPED, NAME


class Workers:
    """Registered in the process that distributes."""

    def __init__(self, task: Mapping[str, Any]) -> None:
        self._seconds = task.get("timeout", 0)
        self._notes = ""
        self._began: dict[str, float] = {}
        self.mapped: set[str] = set()
        """Libraries that workers had loaded at their end."""

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_setupnodes(self) -> None:
        self._load_ours()

    @pytest.hookimpl(optionalhook=True, trylast=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self.mapped |= set(getattr(node, "workeroutput", {}).get(MAPPED, ()))
        self._load_ours()  # another worker may be started in its place

    def _load_ours(self) -> None:
        """Have workers that are started from now on load our plugin, and forget that again."""
        if FORGET not in os.environ:
            before = os.environ.get("PYTEST_PLUGINS", "")
            os.environ[FORGET] = before
            os.environ["PYTEST_PLUGINS"] = f"{before},{NAME}".strip(",")

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        if not self._notes:
            self._notes = tempfile.mkdtemp()
        node.workerinput["arm64"] = {"seconds": self._seconds, "notes": self._notes}

    def bounded(self, node: Any) -> list[Any]:
        """What the worker *node* tells of tests behind an x86 boundary."""
        try:
            found = json.loads(Path(self._notes, f"{node.gateway.id}.{RECORD}").read_text("utf-8"))
        except FileNotFoundError:
            return []
        return list(found)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._began[nodeid] = time.monotonic()

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        self._began.pop(nodeid, None)

    @pytest.hookimpl(optionalhook=True)
    def pytest_handlecrashitem(self, crashitem: str, report: Any) -> None:
        # The last words of several workers may be mixed; how long each took is known.
        took = time.monotonic() - self._began.pop(crashitem, time.monotonic())
        with contextlib.suppress(AttributeError, OSError, subprocess.TimeoutExpired):
            report._arm64_code = report.node.gateway._io.popen.wait(5)
            # The watch of the worker ends it so.
            report._arm64_overdue = report._arm64_code == 1 and 0 < 0.9 * self._seconds <= took
        with contextlib.suppress(AttributeError, OSError):
            note = Path(self._notes, report.node.gateway.id).read_text("utf-8")
            nodeid, _, reason = note.partition("\0")
            if nodeid == crashitem:
                report.outcome, report.wasxfail = "skipped", reason

    def pytest_unconfigure(self) -> None:
        if self._notes:
            shutil.rmtree(self._notes, ignore_errors=True)
