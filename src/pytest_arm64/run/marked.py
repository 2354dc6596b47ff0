"""``--arm64-marked``: tests marked ``arm64`` run in the container, all others here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from ..config.project import Project
from ..errors import Arm64Error, SettingsError
from ..inside import frames
from ..inside.function.record import RECORD as FUNCTION
from ..inside.ran import Ran
from ..mirror.mirror import HostMirror
from ..mirror.reconcile import COMPLETE_STATUSES
from ..mirror.session import MirroredSession
from ..mirror.task import Task
from .cells import planned_cells
from .function_record import function_record
from .keep import Held
from .launch import (
    places,
    prepare,
    session_in,
    show_provenance,
    widened_lines,
)
from .place import NotBuiltError, Place
from .usage import as_end, as_usage_error, until_closed

if TYPE_CHECKING:
    import pluggy

MARKER = "arm64"
_MARKED = "PYTEST_ARM64_MARKED"
"""Tells the session inside to keep marked tests only."""


class MarkedPlugin:
    """Registered where ``--arm64-marked`` is given and ``--arm64`` is not.

    This process collects as ever and gives up what is marked; the session inside gets the same
    arguments and gives up the rest. Both must agree on what is marked.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._resources = ExitStack()
        self._marked: Counter[str] = Counter()
        self._place: Place | None = None
        self._session: MirroredSession | None = None
        self._task: Task | None = None
        self._prepared: tuple[Project, Task] | None = None
        """None until the session starts."""
        self.ran: Ran | None = None
        """What the fixture ``arm64_target`` tells here; None where nothing is marked."""

    @property
    def held(self) -> list[Held]:
        """What is left of the session inside; nothing where there was none."""
        if self._session is None or self._place is None or self._task is None:
            return []
        return [Held(self._place.transport, self._task, self._session.mirror)]

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        with as_usage_error():
            if getattr(self._config.option, "numprocesses", None):
                raise SettingsError(
                    "-n does not work with --arm64-marked",
                    why="with workers of this machine, this process collects nothing",
                    next_step="leave out -n, or run all tests in the container: --arm64",
                )
            self._prepared = prepare(self._config)

    # Around the wrappers of others: pytest's cache remembers all that was collected.
    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> Iterator[None]:
        yield
        if self._config.option.collectonly:
            return
        self._marked.update(i.nodeid for i in items if i.get_closest_marker(MARKER))
        items[:] = [item for item in items if not item.get_closest_marker(MARKER)]

    # Within the wrappers of others, so that what they finish after the tests, such as the data of
    # coverage, finds all of it.
    @pytest.hookimpl(hookwrapper=True, trylast=True)
    def pytest_runtestloop(
        self, session: pytest.Session
    ) -> Generator[None, pluggy.Result[object], None]:
        if self._marked or self._config.option.collectonly:
            pass
        elif self._config.option.arm64_require_native:
            with as_usage_error():
                raise SettingsError(
                    "--arm64-require-native: no selected test is marked arm64",
                    why="no test would run on ARM",
                    next_step=f"mark tests with @pytest.mark.{MARKER}, or leave the option out",
                )
        if self._marked:
            session.testscollected += sum(self._marked.values())
            with as_usage_error():
                self._open(session)
        outcome = yield
        if outcome.excinfo is None and self._session is not None:
            with as_usage_error():
                for step in (self._session.start, self._session.collect, self._session.run):
                    step()

    def _open(self, session: pytest.Session) -> None:
        config = self._config
        assert self._prepared is not None
        project, task = self._prepared
        open_place = self._resources.enter_context(places(config, project))
        *_, planned = planned_cells(project.settings, project.itself)
        try:
            place = self._place = self._resources.enter_context(open_place(planned))
        except NotBuiltError as error:
            raise error.cause from None
        self.ran = place.ran
        reporter: pytest.TerminalReporter | None = config.pluginmanager.getplugin(
            "terminalreporter"
        )
        if reporter is not None and reporter.verbosity >= 0:
            for line in (*widened_lines(config), *place.header):
                reporter.write_line(line)
        environment = {_MARKED: "1", **self._coverage()}
        records = {FUNCTION: function_record(project.settings, project.itself)}
        self._task = task = replace(
            task, ran=place.ran, where=place.where, environment=environment, records=records
        )
        self._session = session_in(place, task, session, _MarkedMirror(session))

    def _coverage(self) -> dict[str, str]:
        """A data file beside the one of this process, whose pytest-cov merges both."""
        plugin: Any = self._config.pluginmanager.getplugin("_cov")
        controller = getattr(plugin, "cov_controller", None)
        if controller is None:
            return {}
        return {"COVERAGE_FILE": f"{controller.cov.config.data_file}.arm64"}

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if self._session is None:
            return
        ledger, problems = self._session.mirror.ledger, self._session.problems
        with as_end():
            try:
                self._session.finish()
            except Arm64Error as error:
                problems.append(str(error))
        self._session.close()
        if ledger.collected or ledger.final in COMPLETE_STATUSES:
            problems += _differences(self._marked, ledger.collected)
        if int(exitstatus) in COMPLETE_STATUSES:
            if ledger.final not in COMPLETE_STATUSES:
                session.exitstatus = ledger.final or 1
            elif problems or ledger.final == 1:
                session.exitstatus = 1

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        places = [self._place] if self._place is not None else []
        problems = self._session.problems if self._session is not None else []
        show_provenance(terminalreporter, places, problems)

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        with until_closed(self._config):
            self._resources.close()


def _differences(here: Counter[str], inside: Counter[str]) -> list[str]:
    only_here, only_inside = here - inside, inside - here
    return [
        *(
            f"{nodeid} is marked {MARKER} here, and was not collected inside"
            for nodeid in only_here
        ),
        *(f"{nodeid} is marked {MARKER} inside, and not here" for nodeid in only_inside),
    ]


class _MarkedMirror(HostMirror):
    """Shows tests; header, collection and what modules warn of were shown by this process."""

    def _on_sessionstarted(self, frame: frames.SessionStarted) -> None:
        self.started = True
        self.plugins = tuple(frame.plugins)

    def _on_collectionstarted(self, _: frames.CollectionStarted) -> None:
        pass

    def _on_deselected(self, _: frames.Deselected) -> None:
        pass

    def _on_itemscollected(self, frame: frames.ItemsCollected) -> None:
        self.ledger.collected.update(frame.nodeids)

    def _on_warningrecorded(self, frame: frames.WarningRecorded) -> None:
        if frame.when == "runtest":
            super()._on_warningrecorded(frame)
