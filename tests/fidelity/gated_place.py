"""A plugin: as ``local_place``, with the audit of a small service; named by ``-p``."""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from local_place import _local  # type: ignore[import-not-found]

if TYPE_CHECKING:
    from pytest_arm64.advisories.database import KnownDefect
    from pytest_arm64.run.cells import PlannedCell
    from pytest_arm64.run.place import Place


@pytest.hookimpl(optionalhook=True)
def pytest_arm64_place(config: pytest.Config, planned: PlannedCell) -> Any:
    """Called on the host alone: inside, nobody knows this hook."""
    return _gated(config.option.arm64_gate or "all")


@contextmanager
def _gated(policy: str) -> Iterator[Place]:
    from pytest_arm64.audit.matrix import Row, WheelMatrix
    from pytest_arm64.decide.assessment import Assessment

    path = ("requirements.txt:2", "slow 1.0")
    slow = Row("slow", "1.0", "source", path, cause="not-published", detail="\x1b[2Jnone")
    quick = Row("quick", "2.0", "wheel", advisories=_known_defects())
    rows = (slow, quick, Row("plain", "3.0", "pure"))
    atexit.register(_log, "ended")
    try:
        with _local({}) as place:
            yield replace(
                place,
                assessment=Assessment((WheelMatrix("api", "target", rows),), policy),
            )
    finally:
        _log("closed")


def _known_defects() -> tuple[KnownDefect, ...]:
    """A grave one, where a test wants it."""
    from pytest_arm64.advisories.database import KnownDefect

    if "GATED_PLACE_DEFECT" not in os.environ:
        return ()
    return (KnownDefect("A-1", "abort", "quick ends", fixed="2.1", grave=True),)


def _log(event: str) -> None:
    """Write *event* where a test wants to know the order."""
    path = os.environ.get("GATED_PLACE_LOG")
    if path:
        with Path(path).open("a", encoding="utf-8") as stream:
            stream.write(f"{event}\n")
