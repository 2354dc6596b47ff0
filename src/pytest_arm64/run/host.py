"""The host side of ``--arm64``: prepares the place of each part in turn, and mirrors it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from ..errors import Arm64Error, ArtifactError, InstallError, SettingsError
from ..mirror.pytest_internals import remember_interrupt, terminal_reporter
from ..mirror.reconcile import together
from ..mirror.session import MirroredSession
from ..mirror.shown_inside import NAME as INSIDE
from ..mirror.shown_inside import ShownInside
from ..mirror.stops import InsideError, show_as_inside
from ..report.matrix_output import printable
from .bounded import skip
from .cells import Role
from .chosen_parts import chosen_parts
from .coverage import bring_coverage
from .gates import (
    Gate,
    emit,
    gates_alone,
    is_of_service,
    named_gates,
    refuse_unknown,
    refuse_unknown_before,
    refuse_unknown_services,
)
from .incidents import stop_words
from .keep import Held
from .launch import places, prepare, show_provenance
from .loaded_first import begin_to_load
from .part_header import part_header
from .part_session import NestedRun
from .parts import RunPart
from .place import OpenPlace
from .service_endings import ends_alone, show_end, stop_of
from .usage import as_end, as_usage_error, instead_of, until_closed

if TYPE_CHECKING:
    from ..decide.assessment import Assessment
    from .findings import Findings

# Plugins whose twin inside owns the project's cache, and the debugger, which is for a test inside.
_INSIDE_ONLY = ("lfplugin", "nfplugin", "stepwiseplugin", "stepwise", "pdbinvoke")


class HostPlugin:
    """Registered where ``--arm64`` is given."""

    def __init__(self, config: pytest.Config, missing: str) -> None:
        self._config = config
        self._resources = ExitStack()
        self._waiting: list[NestedRun] = []
        self._parts = 0
        self._several = False
        """Whether there are sessions of several services."""
        self._ended: set[str] = set()
        """Names of the parts whose session has ended early, alone."""
        self._open_place: OpenPlace | None = None
        self.missing = missing
        """A test path that does not exist: nothing is built, and pytest itself says so."""
        self._lines = [instead_of(self.missing, config)] if self.missing else []
        """What is told below the results."""
        self.current: NestedRun | None = None
        """The part that runs, or ran last."""
        self.findings: Findings | None = None
        """What the audit found; None where nothing was audited."""
        self.runs: list[NestedRun] = []
        """Those that were started, in their order."""
        self.refused: list[tuple[RunPart, Exception]] = []
        """Those that could not be started, and why."""
        self.failure: Exception | None = None
        """What ended the run before the first test."""
        self.problems: list[str] = []
        """What makes the run incomplete, beside what its parts tell themselves."""
        # Where nothing runs inside, the host's own plugins write the cache.
        for name in () if self.missing else _INSIDE_ONLY:
            plugin = config.pluginmanager.getplugin(name)
            if plugin is not None:
                config.pluginmanager.unregister(plugin)

    @property
    def held(self) -> list[Held]:
        """What is left of each session that was shown."""
        return [run.held for run in self.runs if run.held is not None]

    @property
    def not_run(self) -> list[tuple[RunPart, Exception]]:
        """Parts without a session: those that could not be started, and those still waiting."""
        ended = self.failure or SettingsError("the run ended before its turn")
        return [*self.refused, *((run.part, ended) for run in self._waiting)]

    @property
    def _session(self) -> MirroredSession | None:
        return self.current.session if self.current is not None else None

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        if getattr(self._config.option, "cacheshow", None):
            return  # the cache lies in the project: nothing has to run for it
        try:
            with as_usage_error():
                self._start(session)
        except Exception as error:
            self.failure = error
            self._config.hook.pytest_arm64_refused(config=self._config)
            raise

    def _start(self, session: pytest.Session) -> None:
        config = self._config
        project, task = prepare(config)
        if self.missing:
            return
        parts = chosen_parts(config, project, task)
        self._parts = len(parts)
        self._several = len({part.owner for part in parts}) > 1
        if project.services.configured:
            refuse_unknown_services(config, parts)
        opened = places(config, project, parts)
        open_place = self._open_place = self._resources.enter_context(opened)
        self._loading = begin_to_load()
        self._waiting = [NestedRun(config, part, open_place) for part in parts]
        if gates_alone(config):
            self._open_for_gates()
        elif not self._begin_next(session):
            raise SettingsError("; ".join(self.problems))

    def _open_for_gates(self) -> None:
        """Open the place of the service whose gates are named, for these alone.

        Raises:
            Arm64Error: it cannot be opened, or has no such gate.
        """
        named = named_gates(self._config)
        run = next(
            (run for run in self._waiting if is_of_service(named[0], run.part.owner)),
            self._waiting[0],
        )
        self._waiting.clear()
        self.current = run
        self._resources.callback(run.close)
        run.open(alone=True)
        self._take_findings(run)
        refuse_unknown(named, self._known_gates())

    def _known_gates(self) -> list[str]:
        return self.findings.nodeids() if self.findings is not None else []

    def _begin_next(self, session: pytest.Session) -> bool:
        """Start the next part that can be started; whether there was one.

        Raises:
            Arm64Error, UsageError: the only part cannot be started.
        """
        while self._waiting:
            run = self._waiting.pop(0)
            try:
                self._resources.callback(run.close)
                if run.part.bounded and run.part.settings.artifact is not None:
                    raise ArtifactError("what is deployed is built already, for ARM64")
                run.open()
                bring_coverage(self._config, copied=run.place.copied)
                self._take_findings(run)
                waiting = [other.part.owner for other in self._waiting]
                refuse_unknown_before(self._config, run.part, waiting, self._known_gates())
                records = self.findings.records(run.part.owner) if self.findings else {}
                self._loading.result()
                self._start_session(run, session, records)
            except Arm64Error as error:
                if run.assessment is not None:
                    self._keep(run.assessment, run.part)
                if run.part.bounded and not isinstance(error, InstallError):
                    self._lines.append(skip(session, run.part, error))
                    run.close()
                    continue
                self.refused.append((run.part, error))
                if self._parts == 1:
                    raise
                self.problems.append(f"{run.part.name}: {error}")
                self._report_refused(run.part, error)
                run.close()
                continue
            assert run.session is not None
            self.current = run
            self.runs.append(run)
            inside: ShownInside | None = self._config.pluginmanager.getplugin(INSIDE)
            assert inside is not None
            inside.take(run.session, self._config.pluginmanager)
            return True
        return False

    def _start_session(
        self, run: NestedRun, session: pytest.Session, records: Mapping[str, Any]
    ) -> None:
        """Start the session of *run*; one of several that cannot start ends alone.

        Raises:
            Arm64Error, UsageError: it cannot be started.
        """
        try:
            run.start(session, records)
        except pytest.UsageError as error:
            if self._parts == 1:
                raise
            raise SettingsError(str(error) or "the session refused its arguments") from None
        except BaseException:
            stop = stop_of(run)
            if stop is None or not self._several or not ends_alone(run, session):
                raise
            raise SettingsError(stop_words(stop)) from None

    def _report_refused(self, part: RunPart, error: Arm64Error) -> None:
        """Say at once, where its header would stand, that *part* does not run."""
        reporter = terminal_reporter(self._config)
        if reporter is not None and reporter.verbosity >= 0:
            first = printable((error.what.splitlines() or [""])[0])
            reporter.write_line(f"arm64: {self._numbered(part)}: NOT RUN: {first}")

    def _numbered(self, part: RunPart) -> str:
        number = self._parts - len(self._waiting)
        return f"{part.name} ({number} of {self._parts})"

    def _expect_bounded(self) -> None:
        """Have what the part that runs has left for x86 run next."""
        run = self.current
        if run is None or run.session is None or run.part.bounded:
            return
        bounded = run.session.mirror.bounded
        awaited = any(waiting.part.bounded for waiting in self._waiting)
        if bounded and not awaited and self._open_place is not None:
            part = run.part.behind_boundary(bounded.values())
            self._waiting.insert(0, NestedRun(self._config, part, self._open_place))
            self._parts += 1

    def _take_findings(self, run: NestedRun) -> None:
        assessment = run.place.assessment
        if run.part.bounded:  # nothing is audited for it
            return
        if assessment is None or not (assessment.matrices or assessment.problem):
            return
        findings = self._keep(assessment, run.part)
        if not run.part.beside:
            findings.add(assessment, run.place, run.part.name)

    def _keep(self, assessment: Assessment, part: RunPart) -> Findings:
        """The findings of the run, which begin with the first *assessment*."""
        from .findings import Findings

        if self.findings is None:
            # What is installed beside the services says nothing of any of them.
            own = replace(assessment, observed={}) if part.beside else assessment
            self.findings = Findings(self._config, own)
            self._config.pluginmanager.register(self.findings, "arm64-findings")
        return self.findings

    def pytest_report_header(self) -> list[str]:
        run = self.current
        if run is None:
            return []
        number = self._numbered(run.part) if self._parts > 1 else ""
        return list(part_header(self._config, run, number))

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> bool | None:
        if self.missing:
            self._config.args = [self.missing]
            return None
        session.items = []
        session.testscollected = 0
        self._step(self._collect, session)
        return True

    def _step(self, step: Callable[[pytest.Session], None], session: pytest.Session) -> None:
        """Take *step* of the part whose turn it is, unless its session has ended already."""
        run = self.current
        if run is None or run.part.name in self._ended:
            return
        try:
            step(session)
        except BaseException as error:
            if not self._several or not ends_alone(run, session):
                raise
            self._ended.add(run.part.name)
            name = self._numbered(run.part)
            self._lines.append(show_end(run, name, self._config, error))

    def _collect(self, session: pytest.Session) -> None:
        if self._session is not None:  # None where nothing but gates was asked for
            with as_usage_error():
                self._session.collect()
            self._expect_bounded()
        session.testscollected += len(self._gates())

    def _gates(self) -> list[Gate]:
        run = self.current
        if run is None:
            return []
        waiting = [other.part.name for other in self._waiting]
        gates = self.findings.gates(run.part.name, waiting) if self.findings else []
        further = [r for r in run.results if r.planned.role is Role.FURTHER]
        return [*gates, *map(run.core_gate, further)]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self._step(self._run_tests, session)
        reporter = terminal_reporter(self._config)
        while self._waiting:
            if reporter is not None:
                reporter.ensure_newline()
            self._leave()
            with as_usage_error():
                begun = self._begin_next(session)
            if not begun:
                break
            if reporter is not None and reporter.verbosity >= 0:
                for line in self.pytest_report_header():
                    reporter.write_line(line)
            self._step(self._collect, session)
            self._step(self._run_tests, session)
        return True

    def _run_tests(self, session: pytest.Session) -> None:
        """The gates and the tests of the part whose turn it is."""
        for gate in self._gates():
            emit(self._config, gate)
            if session.shouldfail:  # -x, --maxfail
                if self._session is not None:
                    self._session.abandon()
                raise session.Failed(session.shouldfail)
        if self._session is not None:
            with as_usage_error():
                self._session.run()
            self._expect_bounded()  # with workers it is known only now

    def _leave(self) -> None:
        """End the part that ran, before the next one begins."""
        if self.current is not None:
            self.current.finish()
            self.current.close()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if self.current is None or self.current.session is None:
            return
        with as_end():
            self.current.finish()
        statuses = [
            run.session.exit_status(int(exitstatus)) for run in self.runs if run.session is not None
        ]
        session.exitstatus = together(statuses, complete=not self.problems)

    def pytest_internalerror(
        self, excrepr: object, excinfo: pytest.ExceptionInfo[BaseException]
    ) -> None:
        if isinstance(excinfo.value, InsideError):
            show_as_inside(excrepr, excinfo.value)

    @pytest.hookimpl(trylast=True)
    def pytest_keyboard_interrupt(self) -> None:
        stop = self._session.mirror.stop if self._session is not None else None
        reporter = terminal_reporter(self._config)
        if stop is not None and stop.place is not None and reporter is not None:
            remember_interrupt(reporter, stop.place, stop.traceback)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        places = [run.place for run in self.runs] or ([self.current.place] if self.current else [])
        problems = [
            f"{run.part.name}: {problem}" if self._parts > 1 else problem
            for run in self.runs
            for problem in run.problems
        ]
        show_provenance(terminalreporter, places, [*problems, *self.problems])
        for line in self._lines:
            terminalreporter.line(f"arm64: {printable(line)}")
        if self._waiting and self.runs:
            names = ", ".join(run.part.name for run in self._waiting)
            terminalreporter.line(f"arm64: not run (session stopped early): {names}")

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        for run in self.runs:
            if run.session is not None:
                run.session.close()
                sys.stdout.flush()
                sys.stderr.write(run.session.mirror.late_output())
                sys.stderr.flush()
        with until_closed(self._config):
            self._resources.close()
