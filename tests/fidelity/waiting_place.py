"""A plugin: as ``local_place``, and waits in the phase that ``WAITS`` names; for ``-p``."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from local_place import _local  # type: ignore[import-not-found]

if TYPE_CHECKING:
    from pytest_arm64.run.place import Place

SECONDS = 60


def _wait(phase: str) -> None:
    if os.environ["WAITS"] == phase:
        Path("running").touch()
        time.sleep(SECONDS)


@pytest.hookimpl(optionalhook=True, tryfirst=True)
def pytest_arm64_place() -> Any:
    """Called on the host alone: inside, nobody knows this hook."""
    return _waiting()


@contextmanager
def _waiting() -> Iterator[Place]:
    from pytest_arm64.index.workers import DaemonWorkers, in_background

    _wait("environment")
    if os.environ["WAITS"] == "audit":
        in_background(lambda: _wait("audit")).result()
    if os.environ["WAITS"] == "wheels":
        workers = DaemonWorkers(2)
        for future in [workers.submit(lambda: _wait("wheels")) for _ in range(4)]:
            future.result()
    try:
        with _local({}) as place:
            yield place
            _wait("containers")
    finally:
        sys.stdout.write("the place is closed\n")


@pytest.hookimpl(optionalhook=True)
def pytest_arm64_finished() -> None:
    """Called on the host when results are to be taken."""
    _wait("results")
