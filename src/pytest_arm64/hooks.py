"""Hooks of pytest-arm64 itself."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .config.settings import Settings
    from .mirror.transport import Transport
    from .run.cells import PlannedCell
    from .run.place import Place
    from .run.silent import CellResult, SilentCell


@pytest.hookspec(firstresult=True)
def pytest_arm64_place(
    config: pytest.Config, settings: Settings, planned: PlannedCell
) -> AbstractContextManager[Place] | Any:
    """Where the session of the cell *planned* runs, in place of a container.

    A seam for endpoints of one's own, and what this project's fidelity tests use.
    """


@pytest.hookspec
def pytest_arm64_refused(config: pytest.Config) -> None:
    """No part of the run could be started; an error that ends it tells why, after this."""


@pytest.hookspec
def pytest_arm64_cell(
    config: pytest.Config,
    cell: SilentCell,
    result: CellResult,
    others: Sequence[SilentCell],
    mirrored: Transport,
) -> None:
    """A silent cell has run, and *others* and the mirrored one, in this order, are about to start.

    They take files for their tests with ``give``; *cell* can repeat tests until the end of the
    session.
    """


@pytest.hookspec
def pytest_arm64_finished(
    config: pytest.Config,
    mirrored: Transport,
    complete: bool,
    collected: Mapping[str, int],
    again: Callable[[Collection[str]], CellResult],
) -> None:
    """The mirrored session is over and accounted for; *complete* where nothing is missing.

    *collected* counts the node ids that were to run.

    *mirrored* hands out with ``fetch`` what the tests left below ``$PYTEST_ARM64_OUT``; *again*
    repeats tests, by node id, in the mirrored cell.
    """
