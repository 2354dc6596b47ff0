"""The host side of ``--arm64``: keeps the project's code out, prepares the place, mirrors."""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ..cell import Cell
from ..errors import Arm64Error, EmulationError
from ..settings import Settings, load_settings
from .arguments import inner_arguments, unknown_here
from .mirror import HostMirror
from .session import MirroredSession
from .stops import InsideError, show_as_inside
from .task import Task
from .transport import ContainerTransport, Transport

if TYPE_CHECKING:
    from ..audit.assess import Assessment
    from ..environment.record import InstallRecord
    from .gates import GateKeeper

INSIDE = "arm64-inside"
# Plugins whose twin inside owns the project's cache.
_INSIDE_ONLY = ("lfplugin", "nfplugin", "stepwiseplugin", "stepwise")


@dataclass(frozen=True)
class Place:
    """Where a session runs: the way there, what is shown of it, what its fixtures tell."""

    transport: Transport
    header: tuple[str, ...]
    facts: Mapping[str, Any]
    where: str
    """For a death's report: machine, core, native or emulated."""
    summary: str = ""
    """What every result has to say of itself, whatever the verbosity; empty for nothing."""
    assessment: Assessment | None = None
    """What the audit found, None where nothing was audited."""
    record: InstallRecord | None = None
    """What is installed there, None where nothing was installed for it."""


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

    def take(self, session: MirroredSession, pluginmanager: Any) -> None:
        """Show for *session*; plugins that are on both sides show what they know inside."""
        self.session, self.mirror = session, session.mirror
        mirror = session.mirror
        for name, modules in mirror.showing.items():
            caller = getattr(pluginmanager.hook, name)
            for implementation in caller.get_hookimpls():
                if implementation.function.__module__ in modules:
                    caller._remove_plugin(implementation.plugin)

    def pytest_report_header(self) -> list[str]:
        return list(self.mirror.header) if self.mirror is not None else []

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


class HostPlugin:
    """Registered where ``--arm64`` is given."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._resources = ExitStack()
        self._session: MirroredSession | None = None
        self._place: Place | None = None
        self._keeper: GateKeeper | None = None
        for name in _INSIDE_ONLY:
            plugin = config.pluginmanager.getplugin(name)
            if plugin is not None:
                config.pluginmanager.unregister(plugin)

    @property
    def place(self) -> Place | None:
        """Where the mirrored session runs; None where none was started."""
        return self._place if self._session is not None else None

    @property
    def problems(self) -> list[str]:
        """What makes the run incomplete."""
        return self._session.problems if self._session is not None else []

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        if getattr(self._config.option, "cacheshow", None):
            return  # the cache lies in the project: nothing has to run for it
        with _told_as_usage_error():
            config = self._config
            arguments = inner_arguments(config.invocation_params.args)
            settings = load_settings(
                config.option,
                os.environ,
                rootpath=config.rootpath,
                cwd=Path(config.invocation_params.dir),
            )
            place: AbstractContextManager[Place] = config.hook.pytest_arm64_place(
                config=config, settings=settings
            ) or container_place(settings, config.rootpath, config.option.arm64_gate or "")
            self._place = self._resources.enter_context(place)
            transport, facts, where = self._place.transport, self._place.facts, self._place.where
            records = self._guard(self._place.assessment)
            if self._keeper is not None and self._keeper.alone:
                return
            terminal = _terminal(config)
            _forget_warnings(config)

            def task(finished: dict[str, int], failed: list[str]) -> Task:
                return Task(
                    args=arguments,
                    cwd=str(config.invocation_params.dir),
                    module=Path(sys.argv[0]).name == "__main__.py",
                    facts=facts,
                    records=records,
                    finished=finished,
                    failed=failed,
                    terminal=terminal,
                    nonce=uuid.uuid4().hex,
                )

            self._session = MirroredSession(
                session, transport, task, lambda end: f"{end} ({where})"
            )
            self._session.start()
            inside: Any = config.pluginmanager.getplugin(INSIDE)
            inside.take(self._session, config.pluginmanager)

    def _guard(self, assessment: Assessment | None) -> dict[str, Any]:
        """Register the gates of *assessment*; what the fixtures inside tell of it."""
        if assessment is None or not (assessment.matrices or assessment.problem):
            return {}
        from .gates import GateKeeper

        self._keeper = GateKeeper(self._config, assessment)
        self._config.pluginmanager.register(self._keeper, "arm64-gates")
        return {"matrices": [matrix.to_json() for matrix in assessment.matrices]}

    def pytest_report_header(self) -> list[str]:
        return list(self._place.header) if self._place is not None else []

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> bool:
        session.items = []
        session.testscollected = 0
        if self._session is None:  # nothing but gates was asked for
            return True
        with _told_as_usage_error():
            self._session.collect()
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if self._keeper is not None:
            self._keeper.report(session)
            if session.shouldfail:
                if self._session is not None:
                    self._session.abandon(str(session.shouldfail))
                raise session.Failed(session.shouldfail)
        if self._session is not None:
            with _told_as_usage_error():
                self._session.run()
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if self._session is not None:
            try:
                self._session.finish()
            except Arm64Error as error:
                self._session.problems.append(str(error))
            self._session.close()
            session.exitstatus = self._session.exit_status(int(exitstatus))

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
        if self._place is not None and self._place.summary:
            terminalreporter.line(self._place.summary)
        if self._session is not None and self._session.problems:
            terminalreporter.section("arm64: this run is not complete", red=True, bold=True)
            for problem in self._session.problems:
                terminalreporter.line(problem, red=True)

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        if self._session is not None:
            self._session.close()
            sys.stdout.flush()
            sys.stderr.write(self._session.mirror.late_output())
            sys.stderr.flush()
        self._resources.close()


def _forget_warnings(config: pytest.Config) -> None:
    """What this process warned of while it read the configuration is said again inside."""
    reporter: Any = config.pluginmanager.getplugin("terminalreporter")
    if reporter is not None:
        reporter.stats.pop("warnings", None)


def _terminal(config: pytest.Config) -> dict[str, Any]:
    reporter: Any = config.pluginmanager.getplugin("terminalreporter")
    if reporter is None:
        return {"width": 80, "markup": False, "tty": False}
    writer = reporter._tw
    tty = bool(reporter.isatty)
    return {"width": writer.fullwidth, "markup": bool(writer.hasmarkup), "tty": tty}


@contextmanager
def container_place(settings: Settings, rootpath: Path, policy: str = "") -> Iterator[Place]:
    """A container of the target's image, with the project's environment in it."""
    # What talks to an engine is loaded when one is needed.
    from concurrent.futures import ThreadPoolExecutor

    from ..audit.assess import assess
    from ..environment.pipconfig import host_pip_config

    # pip tells its configuration, and the audit is made, while the engine is asked.
    asking = ThreadPoolExecutor(2)
    pip_config = asking.submit(host_pip_config)
    audit = asking.submit(assess, settings, rootpath, policy=policy, config=pip_config.result)
    asking.shutdown(wait=False)

    from ..engine.endpoint import open_engine
    from ..environment.build import make_environment
    from ..report.header import header_lines, summary_line
    from ..report.progress import TerminalProgress
    from .cell_container import cell_container, cell_environment

    progress = TerminalProgress(sys.stdout)
    with open_engine() as engine:
        cell = Cell(
            target=settings.target,
            architecture="arm64",
            core=settings.core,
            image=(settings.image or settings.target.reference).replace("{arch}", "arm64"),
        )
        if settings.require_native and engine.machine != "aarch64":
            raise EmulationError(
                f"--arm64-require-native: this engine's machine is {engine.machine}",
                why="the tests would be emulated",
                next_step="run on an ARM machine, or leave the option out",
            )
        environment = make_environment(
            engine, cell, settings, rootpath, progress, pip_config.result()
        )
        assessment = audit.result().installed(cell.target, environment.ran, environment.record)
        variables = cell_environment(engine, cell, environment, settings, os.environ)
        ran = environment.ran
        with cell_container(engine, cell, environment, settings) as (container, mounted):
            yield Place(
                transport=ContainerTransport(container, variables),
                header=tuple(header_lines(cell, environment, mounted=mounted)),
                facts=ran.to_json(cell.target),
                where=f"{ran.machine}, {'emulated' if ran.emulated else 'native'}, {ran.core}",
                summary=summary_line(cell, ran),
                assessment=assessment,
                record=environment.record,
            )


@contextmanager
def _told_as_usage_error() -> Iterator[None]:
    """What a user can mend is told as text; pytest shows a usage error without a traceback."""
    try:
        yield
    except Arm64Error as error:
        raise pytest.UsageError(str(error)) from None
