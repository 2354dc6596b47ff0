"""The host side of ``--arm64``: keeps the project's code out, prepares the place, mirrors."""

from __future__ import annotations

import os
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Collection
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ..errors import Arm64Error
from ..report.header import plugin_lines
from .arguments import same_everywhere, unknown_here
from .cells import Planned, Role, planned_cells
from .gates import Gate, cell_gate, emit, gates_alone
from .keep import Held
from .launch import places, prepare, session_in, tell_what_it_rests_on, told_as_usage_error
from .mirror import HostMirror
from .place import Place
from .session import MirroredSession
from .silent import CellResult, SilentCell
from .stops import InsideError, show_as_inside
from .task import Task

if TYPE_CHECKING:
    from .findings import Findings

INSIDE = "arm64-inside"
# Stands among the header's lines of the session inside for those that are told here.
OWN_HEADER = "\0"
# Plugins whose twin inside owns the project's cache, and the debugger, which is for a test inside.
_INSIDE_ONLY = ("lfplugin", "nfplugin", "stepwiseplugin", "stepwise", "pdbinvoke")


def keep_project_out(config: pytest.Config, parser: pytest.Parser, args: list[str]) -> None:
    """No conftest is loaded here, and what only a conftest or an inner plugin knows is no error.

    The session inside gets every argument as the user typed it.
    """
    config.pluginmanager.register(Inside(), INSIDE)
    config.known_args_namespace.noconftest = True
    # What is filtered is filtered where it is raised; categories need not be known here.
    config.known_args_namespace.pythonwarnings = None
    config._inicache["filterwarnings"] = []
    config.known_args_namespace.strict_config = False
    # pytest-cov would start to measure this process and overwrite what its twin inside writes.
    config.known_args_namespace.cov_source = None
    _, unknown = parser.parse_known_and_unknown_args(list(args))
    unknown_here(args, unknown)
    inicfg = config._inicfg if hasattr(config, "_inicfg") else config.inicfg
    for name in inicfg:
        if name not in parser._inidict:
            parser.addini(name, "known to the session inside")


def keep_workers_out(config: pytest.Config) -> None:
    """``-n`` is for the pytest-xdist inside: this process distributes nothing."""
    config.option.pythonwarnings = None
    if hasattr(config.option, "numprocesses"):
        config.option.numprocesses = None
        config.option.dist = "no"
        config.option.tx = []


class Inside:
    """What plugins inside add to what is shown, at the place of a conftest's own hooks."""

    def __init__(self) -> None:
        self.session: MirroredSession | None = None
        self.mirror: HostMirror | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self) -> None:
        # What plugins warn of while they are configured, they warn of inside as well. Pytest
        # restores the filters after this hook.
        warnings.simplefilter("ignore")

    def take(self, session: MirroredSession, pluginmanager: Any) -> None:
        """Show for *session*; plugins that are on both sides show what they know inside."""
        self.session, self.mirror = session, session.mirror
        mirror = session.mirror
        for name, modules in mirror.showing.items():
            caller = getattr(pluginmanager.hook, name)
            for implementation in caller.get_hookimpls():
                if implementation.function.__module__ in modules:
                    caller._remove_plugin(implementation.plugin)
        pluginmanager.register(_HeaderBelow(self._header()[1]))

    def pytest_report_header(self) -> list[str]:
        return self._header()[0]

    def _header(self) -> tuple[list[str], list[str]]:
        """Lines of plugins inside: before pytest's own, and after them."""
        lines = list(self.mirror.header) if self.mirror is not None else []
        at = lines.index(OWN_HEADER) if OWN_HEADER in lines else len(lines)
        return lines[:at], lines[at + 1 :]

    def pytest_report_collectionfinish(self) -> list[str]:
        return list(self.mirror.collection_lines) if self.mirror is not None else []

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        if self.session is not None:
            self.session.leave()

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: Any) -> Any:
        return getattr(report, "_arm64_status", None)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self.mirror is not None and self.mirror.summary:
            terminalreporter.ensure_newline()
            terminalreporter.write("".join(self.mirror.summary))


class _HeaderBelow:
    """What plugins inside show below pytest's own lines."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_header(self) -> list[str]:
        return self._lines


class HostPlugin:
    """Registered where ``--arm64`` is given."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._resources = ExitStack()
        self._session: MirroredSession | None = None
        self._place: Place | None = None
        self._planned: Planned | None = None
        self._task: Task | None = None
        self._folder: Path | None = None
        self._results: list[CellResult] = []
        self._findings: Findings | None = None
        for name in _INSIDE_ONLY:
            plugin = config.pluginmanager.getplugin(name)
            if plugin is not None:
                config.pluginmanager.unregister(plugin)

    @property
    def place(self) -> Place | None:
        """Where the mirrored session runs; None where none was started."""
        return self._place if self._session is not None else None

    @property
    def held(self) -> Held | None:
        """What is left of the session that was shown; None where there was none."""
        if self._session is None or self._place is None or self._task is None:
            return None
        return Held(self._place.transport, self._task, self._session.mirror)

    @property
    def mapped(self) -> frozenset[str]:
        """Libraries that the mirrored session's processes had loaded at their end."""
        return frozenset(self._session.mirror.mapped if self._session is not None else ())

    @property
    def problems(self) -> list[str]:
        """What makes the run incomplete."""
        return self._session.problems if self._session is not None else []

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        if getattr(self._config.option, "cacheshow", None):
            return  # the cache lies in the project: nothing has to run for it
        with told_as_usage_error():
            self._start(session)

    def _start(self, session: pytest.Session) -> None:
        config = self._config
        settings, task = prepare(config)
        *others, self._planned = planned_cells(settings)
        alone = gates_alone(config)
        others = [] if alone else others
        if others:
            task = replace(task, environment=same_everywhere(os.environ))
        open_place = self._resources.enter_context(places(config, settings))
        silent = [
            self._silent(planned, self._resources.enter_context(open_place(planned)), task)
            for planned in others
        ]
        place = self._place = self._resources.enter_context(open_place(self._planned))
        if place.copied:
            from .coverage import CopiedCoverage

            config.pluginmanager.register(CopiedCoverage(), "arm64-coverage")
        self._take_findings(place)
        if alone:
            return
        records = self._findings.records if self._findings is not None else {}
        task = self._task = replace(task, facts=place.facts, where=place.where, records=records)
        for number, cell in enumerate(silent, start=1):
            result = cell.run()
            self._results.append(result)
            config.hook.pytest_arm64_cell(
                config=config,
                cell=cell,
                result=result,
                others=silent[number:],
                mirrored=place.transport,
            )
        _forget_warnings(config)
        self._session = session_in(place, task, session, HostMirror(session))
        self._session.start()
        inside: Any = config.pluginmanager.getplugin(INSIDE)
        inside.take(self._session, config.pluginmanager)

    def _take_findings(self, place: Place) -> None:
        found = place.assessment
        if found is None or not (found.matrices or found.problem):
            return
        from .findings import Findings

        self._findings = Findings(self._config, found)
        self._config.pluginmanager.register(self._findings, "arm64-findings")

    def _silent(
        self, planned: Planned, place: Place, task: Task, collected: Counter[str] | None = None
    ) -> SilentCell:
        from ..report.progress import TerminalProgress

        if self._folder is None:
            self._folder = Path(
                self._resources.enter_context(tempfile.TemporaryDirectory(prefix="pytest-arm64-"))
            )
        progress = TerminalProgress(sys.stdout)
        return SilentCell(self._config, planned, place, task, self._folder, progress, collected)

    def _again(self, only: Collection[str]) -> CellResult:
        """Run *only* these tests of the mirrored cell again, unseen."""
        assert self._session is not None
        assert self._place is not None
        assert self._planned is not None
        assert self._task is not None
        collected = Counter(self._session.mirror.ledger.collected)
        return self._silent(self._planned, self._place, self._task, collected).run(only)

    def pytest_report_header(self) -> list[str]:
        lines = list(self._place.header) if self._place is not None else []
        if self._session is not None:
            distributions = self._config.pluginmanager.list_plugin_distinfo()
            here = {f"{d.metadata['Name']}-{d.version}" for _, d in distributions}
            lines += plugin_lines(here, self._session.mirror.plugins)
        if _measured_here():
            lines.append(
                "arm64: `coverage run` measures this process, in which no test runs: "
                "use pytest-cov (--cov)"
            )
        return lines

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> bool:
        session.items = []
        session.testscollected = 0
        if self._session is not None:  # None where nothing but gates was asked for
            with told_as_usage_error():
                self._session.collect()
        session.testscollected += len(self._gates())
        return True

    def _gates(self) -> list[Gate]:
        found = self._findings.gates() if self._findings is not None else []
        x86 = [r for r in self._results if r.planned.role is Role.REFERENCE]
        compared = x86[0] if x86 and self._config.option.arm64_compare else None
        further = [r for r in self._results if r.planned.role is Role.FURTHER]
        return [*found, *(cell_gate(result, compared) for result in further)]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        for gate in self._gates():
            emit(self._config, gate)
            if session.shouldfail:  # -x, --maxfail
                if self._session is not None:
                    self._session.abandon(str(session.shouldfail))
                raise session.Failed(session.shouldfail)
        if self._session is not None:
            with told_as_usage_error():
                self._session.run()
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if self._session is not None:
            try:
                self._session.finish()
            except Arm64Error as error:
                self._session.problems.append(str(error))
            for result in self._results:
                name = result.planned.name
                self._session.problems += [f"{name}: {problem}" for problem in result.problems]
            self._tell_finished()
            self._session.close()
            session.exitstatus = self._session.exit_status(int(exitstatus))

    def _tell_finished(self) -> None:
        """Let those who wait for the results of this run have them."""
        session, place = self._session, self._place
        if session is None or place is None:
            return
        try:
            self._config.hook.pytest_arm64_finished(
                config=self._config,
                mirrored=place.transport,
                complete=not session.problems,
                collected=dict(session.mirror.ledger.collected),
                again=self._again,
            )
        except Arm64Error as error:
            session.problems.append(str(error))

    def pytest_internalerror(self, excrepr: Any, excinfo: pytest.ExceptionInfo[Any]) -> None:
        if isinstance(excinfo.value, InsideError):
            show_as_inside(excrepr, excinfo.value)

    @pytest.hookimpl(trylast=True)
    def pytest_keyboard_interrupt(self) -> None:
        stop = self._session.mirror.stop if self._session is not None else None
        reporter: Any = self._config.pluginmanager.getplugin("terminalreporter")
        if stop is not None and stop.place is not None and reporter is not None:
            reporter._keyboardinterrupt_memo = stop.shown_as_interrupt()

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        tell_what_it_rests_on(terminalreporter, self._place, self._session)

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        if self._session is not None:
            self._session.close()
            sys.stdout.flush()
            sys.stderr.write(self._session.mirror.late_output())
            sys.stderr.flush()
        self._resources.close()


def _measured_here() -> bool:
    """Whether coverage measures this process; pytest-cov does not, it is kept from it."""
    coverage: Any = sys.modules.get("coverage")
    return coverage is not None and coverage.Coverage.current() is not None


def _forget_warnings(config: pytest.Config) -> None:
    """What this process warned of while it read the configuration is said again inside."""
    reporter: Any = config.pluginmanager.getplugin("terminalreporter")
    if reporter is not None:
        reporter.stats.pop("warnings", None)
