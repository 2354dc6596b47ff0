"""The only door to pytest's private parts on the side of the session inside.

Each function names what it needs of pytest; ``tests/fidelity/test_pytest_internals.py`` tries them
with every version of pytest that is supported. pluggy's and execnet's private parts are here too.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from io import StringIO
from typing import Protocol, TextIO, cast

import pytest
from _pytest import config as _config
from _pytest.config import create_terminal_writer
from _pytest.junitxml import LogXML
from _pytest.reports import getworkerinfoline
from _pytest.skipping import evaluate_xfail_marks
from _pytest.terminal import TerminalReporter

from .frames import TerminalLook

PACKAGE = "_pytest"
"""Of pytest's own plugins."""


class TextFile(Protocol):
    """What pytest asks of the file that it writes to."""

    def write(self, text: str, /) -> int: ...
    def flush(self) -> None: ...


class HookImpl(Protocol):
    """One implementation of a hook; ``function`` may be replaced."""

    plugin: object
    function: Callable[..., object]


class _HookCaller(Protocol):
    def get_hookimpls(self) -> list[HookImpl]: ...
    def _remove_plugin(self, plugin: object) -> None: ...


class XdistNode(Protocol):
    """The controller's side of a worker of pytest-xdist."""

    gateway: _Gateway
    workerinput: dict[str, object]
    workeroutput: Mapping[str, object]


class _Gateway(Protocol):
    id: str


def terminal_reporter(config: pytest.Config) -> TerminalReporter | None:
    """The plugin that shows the session; None where ``-p no:terminal`` is given."""
    return cast("TerminalReporter | None", config.pluginmanager.getplugin("terminalreporter"))


def replace_terminal(
    reporter: TerminalReporter, file: TextFile, *, width: int, markup: bool
) -> TextIO:
    """Have *reporter* write to *file* as to a terminal of that kind; the file before."""
    writer = reporter._tw
    before, writer._file = writer._file, cast("TextIO", file)
    writer.fullwidth = reporter._screen_width = width
    writer.hasmarkup = markup
    reporter.hasmarkup = markup
    reporter._show_progress_info = False  # the host shows how far it is
    return before


@contextmanager
def writing_to(reporter: TerminalReporter, file: TextFile) -> Iterator[None]:
    """Have *reporter* write to *file* for a while."""
    writer = reporter._tw
    before, writer._file = writer._file, cast("TextIO", file)
    try:
        yield
    finally:
        writer._file = before


def wrap_tree_printer(
    reporter: TerminalReporter, wrap: Callable[[Callable[..., None]], Callable[..., None]]
) -> None:
    """Replace what prints the tree of ``--collect-only``."""
    vars(reporter)["_printcollecteditems"] = wrap(reporter._printcollecteditems)


def count_of_collected(reporter: TerminalReporter | None, otherwise: int) -> int:
    """How many tests *reporter* has counted."""
    return int(getattr(reporter, "_numcollected", otherwise))


def paths_shown(reporter: TerminalReporter | None) -> bool | None:
    """What ``reporter.showfspath`` was set to; None where nobody did."""
    return cast("bool | None", getattr(reporter, "_showfspath", None))


def captures_descriptors(config: pytest.Config) -> bool:
    """Whether descriptor 1 is captured right now."""
    manager = config.pluginmanager.getplugin("capturemanager")
    capture = getattr(manager, "_global_capturing", None)
    started = getattr(capture, "_state", "") == "started"
    return started and getattr(manager, "_method", "") == "fd"


def hook_implementations(config: pytest.Config, name: str) -> list[HookImpl]:
    """Of one hook, in the order of registration."""
    return implementations_in(config.pluginmanager, name)


def implementations_in(manager: pytest.PytestPluginManager, name: str) -> list[HookImpl]:
    """The same of the plugins of *manager*."""
    return cast("_HookCaller", getattr(manager.hook, name)).get_hookimpls()


def all_hook_implementations(config: pytest.Config) -> list[HookImpl]:
    """Of every hook."""
    hooks = vars(config.pluginmanager.hook).values()
    return [i for hook in hooks if hasattr(hook, "get_hookimpls") for i in hook.get_hookimpls()]


def remove_implementation(config: pytest.Config, name: str, plugin: object) -> None:
    """Have the hook no longer call *plugin*, which stays registered."""
    cast("_HookCaller", getattr(config.pluginmanager.hook, name))._remove_plugin(plugin)


def rendered(config: pytest.Config, shown: object, file: StringIO, look: TerminalLook) -> str:
    """What *shown*, a failure's description, prints on a terminal of that *look*."""
    writer = create_terminal_writer(config, file)
    writer.hasmarkup, writer.fullwidth = look["markup"], look["width"]
    cast("_Printed", shown).toterminal(writer)
    return file.getvalue()


class _Printed(Protocol):
    def toterminal(self, writer: object) -> None: ...


def junit_recorder(config: pytest.Config) -> LogXML | None:
    """pytest's plugin for JUnit files; None without ``--junitxml``."""
    plugins = config.pluginmanager.get_plugins()
    return next((plugin for plugin in plugins if isinstance(plugin, LogXML)), None)


def junit_attributes(recorder: LogXML, report: pytest.TestReport) -> dict[str, str] | None:
    """What a test has recorded for its element."""
    key = (getattr(report, "id", report.nodeid), getattr(report, "node", None))
    element = cast("dict[tuple[str, object], _NodeReporter]", recorder.node_reporters).get(key)
    return {str(k): str(v) for k, v in element.attrs.items()} if element is not None else None


class _NodeReporter(Protocol):
    attrs: Mapping[str, object]


def xfail_reason(item: pytest.Item) -> str | None:
    """Why *item* is expected to fail in whatever way; None where it is not.

    A mark that names exceptions does not mean a death.
    """
    if item.config.option.runxfail:
        return None
    try:
        mark = evaluate_xfail_marks(item)
    except (Exception, pytest.fail.Exception):  # noqa: BLE001  (pytest reports it at the setup)
        return None
    return mark.reason if mark is not None and mark.raises is None else None


def worker_line(node: XdistNode) -> str:
    """Machine and interpreter of a worker, as pytest prints them above a failure."""
    line = cast("Callable[[XdistNode], str]", getworkerinfoline)
    return line(node) if hasattr(node, "workerinfo") else ""


def worker_status(node: XdistNode, seconds: float) -> int | None:
    """Exit status of a worker's process, for which this waits; None where there is no process.

    Raises:
        subprocess.TimeoutExpired: it did not end in *seconds*.
    """
    process = getattr(getattr(node.gateway, "_io", None), "popen", None)
    return int(process.wait(seconds)) if process is not None else None


def use_pytests_name(parser: pytest.Parser) -> None:
    """Name the program in errors as pytest's own start would."""
    name = getattr(_config, "_get_prog_name", None)
    if name is not None:
        parser.prog = name(sys.argv)


def count_failures(config: pytest.Config, nodeids: list[str]) -> None:
    """Have ``--maxfail`` count failures of a process before, and ``--lf`` remember them."""
    config.pluginmanager.getplugin("session").testsfailed += len(nodeids)
    last = config.pluginmanager.getplugin("lfplugin")
    if last is not None:
        last.lastfailed.update(dict.fromkeys(nodeids, True))


def leave_file_to_host(recorder: LogXML | None) -> None:
    """Have the JUnit file written on the host only; what tests record is still collected."""
    if recorder is not None:
        recorder.logfile = os.devnull
