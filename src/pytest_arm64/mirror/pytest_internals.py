"""The only door to pytest's private parts on the host's side.

Each function names what it needs of pytest; ``tests/fidelity/test_pytest_internals.py`` tries them
with every version of pytest that is supported. pluggy's private parts are here too.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TextIO, cast

import pytest
from _pytest._code.code import ReprFileLocation, ReprTracebackNative
from _pytest._io import TerminalWriter as TerminalWriter  # noqa: PLC0414  (exported)
from _pytest.junitxml import LogXML
from _pytest.mark.expression import Expression
from _pytest.terminal import TerminalReporter as TerminalReporter  # noqa: PLC0414  (exported)

from ..inside.frames import Location, TerminalLook

WARNING_MODULES = ("pytest", "_pytest.warning_types")
"""Modules whose categories of warnings are names of the module ``pytest``."""


def terminal_reporter(config: pytest.Config) -> TerminalReporter | None:
    """The plugin that shows the session; None where ``-p no:terminal`` is given."""
    return cast("TerminalReporter | None", config.pluginmanager.getplugin("terminalreporter"))


def terminal_file(reporter: TerminalReporter) -> TextIO:
    """What *reporter* writes to."""
    return reporter._tw._file


def terminal_look(reporter: TerminalReporter) -> TerminalLook:
    """What the terminal of *reporter* is like."""
    writer = reporter._tw
    tty = bool(reporter.isatty)
    return {"width": writer.fullwidth, "markup": bool(writer.hasmarkup), "tty": tty}


def end_line(reporter: TerminalReporter) -> None:
    """End the line of results, which is not that of a file where *reporter* is quiet."""
    reporter.ensure_newline()
    if reporter._tw.width_of_current_line:
        reporter._tw.line()


@contextmanager
def writing_nowhere(reporter: TerminalReporter) -> Iterator[None]:
    """Drop what *reporter* writes for a while."""
    writer = reporter._tw
    before, writer._file = writer._file, io.StringIO()
    try:
        yield
    finally:
        writer._file = before


def show_collected(
    reporter: TerminalReporter, session: pytest.Session, total: int, tree: str
) -> None:
    """Have *reporter* show the end of a collection of *total* tests.

    *tree* is what it prints of them with ``--collect-only``.
    """
    reporter._numcollected = total
    vars(reporter)["_printcollecteditems"] = lambda _: reporter._tw.write(tree)
    reporter.pytest_collection_finish(session)


def counts_items(reporter: TerminalReporter | None) -> bool:
    """Whether *reporter* looks at ``session.items`` while tests run."""
    return getattr(reporter, "_show_progress_info", "") == "times"


def remember_interrupt(
    reporter: TerminalReporter, place: tuple[str, int, str], traceback: str
) -> None:
    """Have *reporter* show an interrupt at *place*, path, line and message, at the end."""
    memo = _Interrupt(ReprFileLocation(*place), traceback)
    reporter._keyboardinterrupt_memo = memo  # type: ignore[assignment]  # it asks for no more


@dataclass(frozen=True)
class _Interrupt:
    reprcrash: ReprFileLocation
    traceback: str

    def toterminal(self, writer: TerminalWriter) -> None:
        writer.line(self.traceback)


def replace_traceback(excrepr: object, text: str) -> None:
    """Have the description of an internal error say *text*."""
    traceback = ReprTracebackNative([text])
    vars(excrepr).update(reprtraceback=traceback, chain=[(traceback, None, None)])


def junit_recorders(config: pytest.Config) -> list[LogXML]:
    """pytest's plugins for JUnit files: one, or none without ``--junitxml``."""
    return [p for p in config.pluginmanager.get_plugins() if isinstance(p, LogXML)]


def add_junit_attributes(
    recorder: LogXML, report: pytest.TestReport, attributes: Mapping[str, str]
) -> None:
    """Add *attributes* to the element of the test of *report*."""
    recorder.node_reporter(report).attrs.update(attributes)


def put_properties_first(recorder: LogXML, properties: Sequence[tuple[str, str]]) -> None:
    """Have the file begin with *properties*, each once."""
    others = [entry for entry in recorder.global_properties if entry not in properties]
    recorder.global_properties[:] = [*properties, *others]


def restore_subtest(report: object, data: Mapping[str, object]) -> None:
    """Give a subtest's report the values as they were described inside.

    pytest describes them when it makes the context, and would again here.
    """
    context, described = getattr(report, "context", None), data.get("_subtest.context")
    if isinstance(described, Mapping) and hasattr(context, "kwargs"):
        object.__setattr__(context, "kwargs", described.get("kwargs", {}))


@dataclass(frozen=True)
class Gateway:
    """What pytest asks of the way to a worker of pytest-xdist."""

    id: str


@dataclass(frozen=True)
class Worker:
    """What pytest asks of the worker of pytest-xdist that ran a test."""

    gateway: Gateway
    _workerinfocache: str
    """Where pytest looks for the worker's machine and interpreter, printed above a failure."""


def remove_implementations(
    pluginmanager: pytest.PytestPluginManager, name: str, modules: Collection[str]
) -> None:
    """Have the hook *name* no longer call plugins of *modules*, which stay registered."""
    caller = getattr(pluginmanager.hook, name)
    for implementation in caller.get_hookimpls():
        if implementation.function.__module__ in modules:
            caller._remove_plugin(implementation.plugin)


def forget_warning_filters(config: pytest.Config) -> None:
    """Have *config* filter no warning: neither by options nor by the ini file."""
    config.known_args_namespace.pythonwarnings = None
    config._inicache["filterwarnings"] = []


def forget_python_path(config: pytest.Config) -> None:
    """Have *config* put no folder of the ini file on ``sys.path``."""
    config._inicache["pythonpath"] = []


def accept_ini_keys(config: pytest.Config, parser: pytest.Parser) -> None:
    """Register the keys of the ini file that no plugin here knows."""
    keys = config._inicfg if hasattr(config, "_inicfg") else config.inicfg
    for name in keys:
        if name not in parser._inidict:
            parser.addini(name, "known to the session inside")


def compiled_expression(text: str) -> Callable[[Callable[[str], bool]], bool]:
    """What ``-k`` or ``-m`` *text* selects, given what each name in it stands for.

    Raises:
        ValueError: it is not such an expression.
    """
    try:
        evaluate = Expression.compile(text).evaluate
    except Exception as error:  # its class differs between versions of pytest
        raise ValueError(str(error)) from error
    return cast("Callable[[Callable[[str], bool]], bool]", evaluate)


def plain_location(nodeid: str) -> Location:
    """For a report whose test says no location."""
    path, _, name = nodeid.partition("::")
    return path, None, name or nodeid
