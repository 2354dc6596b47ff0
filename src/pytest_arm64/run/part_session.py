"""One part of a run: its silent cells, then the session that is mirrored, from start to end."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ..errors import Arm64Error
from ..mirror.deaths import SecondTry
from ..mirror.mirror import HostMirror
from ..mirror.pytest_internals import end_line, terminal_reporter
from ..mirror.session import MirroredSession
from ..mirror.task import End, Task
from ..progress import NoProgress, Progress
from ..report.matrix_output import printable
from ..temporary import temporary_folder
from .arguments import same_everywhere
from .cells import PlannedCell, Role
from .core_choice import core_choice
from .crash_repeat import doubtful, second_try
from .executed_code import WatchedCode, watched_code
from .gates import Gate, cell_gate, emit_after_the_tests
from .keep import Held
from .later_core import LaterCore
from .launch import session_in
from .parts import RunPart
from .place import NotBuiltError, OpenPlace, Place
from .unseen_session import CellResult, SilentCell

if TYPE_CHECKING:
    from ..decide.assessment import Assessment


class NestedRun:
    """Everything of one part; its containers live until ``close``."""

    def __init__(self, config: pytest.Config, part: RunPart, open_place: OpenPlace) -> None:
        self._config = config
        self._open_place = open_place
        self._resources = ExitStack()
        self._folder: Path | None = None
        self._task = part.task
        *self._others, self._planned = part.cells
        self._later: LaterCore | None = None
        self._opened: list[tuple[PlannedCell, Place]] = []
        """Places of the silent cells."""
        self._place: Place | None = None
        self._finished = False
        self.assessment: Assessment | None = None
        """What the audit of the run says, where a place of this part could not be built."""
        self.core_lines: tuple[str, ...] = ()
        """For the header: which cores were chosen, and why."""
        self.part = part
        self.session: MirroredSession | None = None
        """None until it was started."""
        self._host_session: pytest.Session | None = None
        self.code = WatchedCode()
        """Its code that assumes x86."""
        self.results: list[CellResult] = []
        """Of the silent cells."""

    @property
    def place(self) -> Place:
        """Where the mirrored session runs; there only once it was opened."""
        assert self._place is not None
        return self._place

    @property
    def problems(self) -> list[str]:
        """What makes it incomplete."""
        return self.session.problems if self.session is not None else []

    @property
    def mapped(self) -> frozenset[str]:
        """Libraries that the mirrored session's processes had loaded at their end."""
        return frozenset(self.session.mirror.loaded if self.session is not None else ())

    @property
    def deselected(self) -> tuple[str, ...] | None:
        """Node ids that were collected and left out, less what is marked as staying on x86.

        None where workers kept them to themselves.
        """
        if self.session is None or self.session.mirror.ledger.distributed:
            return None
        mirror = self.session.mirror
        return tuple(nodeid for nodeid in mirror.deselected if nodeid not in mirror.marked)

    @property
    def held(self) -> Held | None:
        """What is left of the session that was shown; None where there was none."""
        if self.session is None:
            return None
        return Held(self.place.transport, self._task, self.session.mirror)

    def open(self, *, alone: bool = False) -> None:
        """Open the places of all cells; *alone*: of none but the mirrored one.

        Raises:
            Arm64Error: one cannot be opened.
        """
        for planned in () if alone else self._others:
            self._opened.append((planned, self._enter(planned)))
        place = self._place = self._enter(self._planned)
        self._task = replace(self._task, ran=place.ran, where=place.where)
        choice = core_choice(self.part.settings, self._planned, place)
        self.core_lines = choice.lines
        if choice.further is not None and choice.code is not None and not alone:
            self.part = replace(self.part, cells=(choice.further, *self.part.cells))
            self._later = LaterCore(choice.further, choice.code, self._planned)
        if self._opened:
            self._task = replace(self._task, environment=same_everywhere(os.environ))

    def _enter(self, planned: PlannedCell) -> Place:
        try:
            return self._resources.enter_context(self._open_place(planned))
        except NotBuiltError as error:
            self.assessment = error.assessment
            raise error.cause from None

    def start(self, session: pytest.Session, records: Mapping[str, object]) -> None:
        """Run the silent cells, then start the mirrored session; *records* are its fixtures'.

        Raises:
            Arm64Error: what came from inside cannot be used.
        """
        if not self._config.option.collectonly:
            records = {**records, **self.part.records}
        self._task = replace(self._task, records=records)
        silent = [self._silent_cell(planned, place, self._task) for planned, place in self._opened]
        later = [self._later] if self._later is not None else []
        for number, cell in enumerate(silent, start=1):
            result = cell.run()
            self.results.append(result)
            self._config.hook.pytest_arm64_cell(
                config=self._config,
                cell=cell,
                result=result,
                others=[*silent[number:], *later],
                mirrored=self.place.transport,
            )
        _forget_warnings(self._config)
        mirror = HostMirror(session)
        task = self._task
        self.code = watched_code(self._config, self.part)
        mirror.executed.watched = self.code.statements
        for more in (self.code.records, *(each.records for each in later)):
            task = replace(task, records={**task.records, **more})
        self._host_session = session
        self.session = session_in(self.place, task, session, mirror, self._second_try)
        self.session.start()

    def finish(self) -> None:
        """Account for everything, once, and let those who wait for the results have them."""
        session = self.session
        if session is None or self._finished:
            return
        self._finished = True
        try:
            session.finish()
            self._run_later(session)
        except Arm64Error as error:
            session.problems.append(str(error))
        for result in self.results:
            name = result.planned.name
            session.problems += [f"{name}: {problem}" for problem in result.problems]
        try:
            self._config.hook.pytest_arm64_finished(
                config=self._config,
                mirrored=self.place.transport,
                complete=not session.problems,
                collected=dict(session.mirror.ledger.collected),
                again=self._again,
            )
        except Arm64Error as error:
            session.problems.append(str(error))
        session.close()

    def core_gate(self, result: CellResult) -> Gate:
        """The gate of the core on which *result* came out."""
        x86 = [r for r in self.results if r.planned.role is Role.REFERENCE]
        compared = x86[0] if x86 and self._config.option.arm64_compare else None
        return cell_gate(result, self.part.name, compared)

    def _run_later(self, session: MirroredSession) -> None:
        """Run what reaches code for another core there, and report it as a gate.

        Raises:
            Arm64Error: that cannot be run.
        """
        later, host_session = self._later, self._host_session
        if later is None or host_session is None or session.ended_on_host:
            return
        reporter = terminal_reporter(self._config)
        if reporter is not None:
            end_line(reporter)
        places: list[Place] = []
        collected = Counter(session.mirror.ledger.collected)
        task = replace(
            self._task, environment={**same_everywhere(os.environ), **self._task.environment}
        )

        def cell_on(planned: PlannedCell) -> SilentCell:
            if not places:
                places.append(self._enter(later.planned))
            return self._silent_cell(planned, places[0], task, collected)

        result = later.run(session, cell_on)
        if result is None:
            return
        self.results.append(result)
        self._config.hook.pytest_arm64_cell(
            config=self._config,
            cell=cell_on(later.planned),
            result=result,
            others=[],
            mirrored=self.place.transport,
        )
        emit_after_the_tests(host_session, [self.core_gate(result)])
        lines = filter(None, (self.place.summary, f"arm64: {printable(later.line)}"))
        self._place = replace(self.place, summary="\n".join(lines))

    def close(self) -> None:
        """Let go of its containers."""
        if self.session is not None:
            self.session.close()
        self._resources.close()

    def _silent_cell(
        self,
        planned: PlannedCell,
        place: Place,
        task: Task,
        collected: Counter[str] | None = None,
        progress: Progress | None = None,
    ) -> SilentCell:
        from ..report.progress import TerminalProgress

        if self._folder is None:
            self._folder = self._resources.enter_context(temporary_folder())
        progress = progress or TerminalProgress(sys.stdout)
        return SilentCell(self._config, planned, place, task, self._folder, progress, collected)

    def _second_try(self, nodeids: Sequence[str], end: End) -> SecondTry | None:
        """Run *nodeids*, whose process had this *end*, on another core where that may help."""
        if self.session is None or not doubtful(self.place, self._planned, end):
            return None
        collected = Counter(self.session.mirror.ledger.collected)
        cell = self._silent_cell(
            self._planned, self.place, self._task, collected, progress=NoProgress()
        )
        return second_try(cell, nodeids)

    def _again(self, only: Collection[str]) -> CellResult:
        """Run *only* these tests of the mirrored cell again, unseen."""
        assert self.session is not None
        collected = Counter(self.session.mirror.ledger.collected)
        return self._silent_cell(self._planned, self.place, self._task, collected).run(only)


def _forget_warnings(config: pytest.Config) -> None:
    """What this process warned of while it read the configuration is said again inside."""
    reporter: pytest.TerminalReporter | None = config.pluginmanager.getplugin("terminalreporter")
    if reporter is not None:
        reporter.stats.pop("warnings", None)
