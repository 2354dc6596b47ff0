"""Hooks of pytest-arm64 itself."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .config.settings import Settings
    from .mirror.transport import Transport
    from .run.cells import PlannedCell
    from .run.place import Place
    from .run.unseen_session import CellResult, Receiver, SilentCell


@pytest.hookspec(firstresult=True)
def pytest_arm64_place(
    config: pytest.Config, settings: Settings, planned: PlannedCell
) -> AbstractContextManager[Place] | None:
    """Return the place where the session of the cell *planned* runs, instead of a container.

    For endpoints that Docker does not reach; this project's fidelity tests use it as well.
    """


@pytest.hookspec
def pytest_arm64_refused(config: pytest.Config) -> None:
    """Called where no part of the run could be started, before the error that says why."""


@pytest.hookspec
def pytest_arm64_cell(
    config: pytest.Config,
    cell: SilentCell,
    result: CellResult,
    others: Sequence[Receiver],
    mirrored: Transport,
) -> None:
    """Called after a silent cell has run; *others* and then the mirrored one start next.

    Their ``give`` puts files where their tests find them. *cell* can repeat tests until the end
    of the session.
    """


@pytest.hookspec
def pytest_arm64_finished(
    config: pytest.Config,
    mirrored: Transport,
    complete: bool,
    collected: Mapping[str, int],
    again: Callable[[Collection[str]], CellResult],
) -> None:
    """Called when the mirrored session is over and every test is accounted for.

    Args:
        config: pytest's configuration.
        mirrored: its ``fetch`` brings what the tests left below ``$PYTEST_ARM64_OUT``.
        complete: whether no result is missing.
        collected: how often each node id was to run.
        again: repeats tests, by node id, in the mirrored cell.
    """
