"""The lines that a part of a run adds to pytest's header."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..report.header import plugin_lines
from .launch import widened_lines

if TYPE_CHECKING:
    import pytest

    from .part_session import NestedRun


def part_header(config: pytest.Config, run: NestedRun, number: str) -> Iterator[str]:
    """Lines on where the tests of *run* take place; *number* says which part it is of several."""
    if number:
        yield f"arm64: {number}"
    yield from widened_lines(config)
    yield from run.place.header
    yield from run.core_lines
    if run.session is not None:
        distributions = config.pluginmanager.list_plugin_distinfo()
        here = {f"{d.metadata['Name']}-{d.version}" for _, d in distributions}
        yield from plugin_lines(here, run.session.mirror.plugins)
    if _measured_here():
        yield (
            "arm64: `coverage run` measures this process, in which no test runs: "
            "use pytest-cov (--cov)"
        )


def _measured_here() -> bool:
    """Whether coverage measures this process; pytest-cov does not, it is kept from it."""
    coverage: Any = sys.modules.get("coverage")
    return coverage is not None and coverage.Coverage.current() is not None
