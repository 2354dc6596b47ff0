"""pytest-xdist inside: what its workers get of ours, and what is told of one that died."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from .worker import FORGET, NAME


class Workers:
    """Registered in the process that distributes."""

    def __init__(self, task: Mapping[str, Any]) -> None:
        self._seconds = task.get("timeout", 0)
        self._notes = ""
        self._plugins: str | None = None

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_setupnodes(self) -> None:
        self._load_ours()

    @pytest.hookimpl(optionalhook=True, trylast=True)
    def pytest_testnodedown(self) -> None:
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

    @pytest.hookimpl(optionalhook=True)
    def pytest_handlecrashitem(self, crashitem: str, report: Any) -> None:
        with contextlib.suppress(AttributeError, OSError, subprocess.TimeoutExpired):
            report._arm64_code = report.node.gateway._io.popen.wait(5)
        with contextlib.suppress(AttributeError, OSError):
            note = Path(self._notes, report.node.gateway.id).read_text("utf-8")
            nodeid, _, reason = note.partition("\0")
            if nodeid == crashitem:
                report.outcome, report.wasxfail = "skipped", reason

    def pytest_unconfigure(self) -> None:
        if self._notes:
            shutil.rmtree(self._notes, ignore_errors=True)
