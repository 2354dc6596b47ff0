"""A plugin for ``-p``: prints each module of ours that the host imports after the first test."""

from __future__ import annotations

import os
import sys

import pytest

_BEGUN: list[str] = []


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if event == "import" and _BEGUN and str(arguments[0]).startswith("pytest_arm64"):
        print(f"LATE {arguments[0]}", file=sys.__stderr__)


if "PYTEST_ARM64_OUT" not in os.environ:
    sys.addaudithook(_watch)


@pytest.hookimpl(trylast=True)
def pytest_runtest_logstart(nodeid: str) -> None:
    if not nodeid.startswith("arm64::"):
        _BEGUN.append(nodeid)
