"""What anybody but pytest's own reporter writes to this session's terminal goes to the host.

The host's reporter shows the session; it does so from reports and knows nothing of what a
conftest, a plugin, live logging or ``--setup-show`` write besides.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Generator, Mapping
from inspect import isgeneratorfunction
from typing import TYPE_CHECKING, TextIO, cast

import pytest

from .frames import OWN_HEADER, TerminalLook, TerminalText
from .pytest_internals import (
    PACKAGE,
    HookImpl,
    all_hook_implementations,
    captures_descriptors,
    hook_implementations,
    remove_implementation,
    rendered,
    replace_terminal,
    terminal_reporter,
    wrap_tree_printer,
    writing_to,
)
from .sender import Sender

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

Function = Callable[..., object]

SHOWING = (
    "pytest_report_header",
    "pytest_report_collectionfinish",
    "pytest_terminal_summary",
    "pytest_report_teststatus",
)
"""Hooks by which plugins add to what the reporter shows."""


class Terminal:
    """The file of the reporter's writer; *look* is what the host's terminal is like."""

    encoding = "utf-8"

    def __init__(self, sender: Sender, look: TerminalLook) -> None:
        self._sender = sender
        self._look = look
        self._muted = False
        self._summary = False
        self._config: pytest.Config | None = None
        self._reporter: TerminalReporter | None = None
        self._real: TextIO = sys.stdout
        self._text: list[str] = []
        self.tree = ""

    def attach(self, config: pytest.Config, after: Mapping[str, Function]) -> None:
        """Take the place of the terminal; *after* is called, by hook, when the reporter was.

        It must be after the reporter: to ask how a report is to be shown may change it, as
        pytest's own subtests do, and what others write comes after what the reporter writes.
        """
        if self._config is not None:
            return
        reporter = terminal_reporter(config)
        self._config, self._reporter = config, reporter
        if reporter is None:
            config.pluginmanager.register(_Instead(after), "arm64-instead")
            return
        look = self._look
        self._real = replace_terminal(reporter, self, width=look["width"], markup=look["markup"])
        for implementation in all_hook_implementations(config):
            if implementation.plugin is reporter:
                seen = self._with(implementation.function, muted=True)
                if implementation.function.__name__ in after:
                    seen = _then(seen, after[implementation.function.__name__])
                implementation.function = seen
        wrap_tree_printer(reporter, self._as_tree)
        # What the host's own pytest says is not said twice.
        for implementation in hook_implementations(config, "pytest_report_header"):
            if implementation.plugin is reporter:
                implementation.function = _own_header
            elif implementation.function.__module__.startswith(f"{PACKAGE}."):
                remove_implementation(config, "pytest_report_header", implementation.plugin)

    def before_summary(self) -> None:
        """From now on it is the closing summary that foreign plugins add to."""
        if self._reporter is None or self._config is None:
            return
        for implementation in _foreign(self._config, "pytest_terminal_summary"):
            function = implementation.function
            implementation.function = self._with(function, muted=False, summary=True)

    def foreign(self) -> dict[str, list[str]]:
        """Modules of plugins, by the showing hook that they implement."""
        assert self._config is not None
        config = self._config
        return {
            name: sorted({i.function.__module__ for i in _foreign(config, name)})
            for name in SHOWING
        }

    def rendered(self, shown: object) -> str:
        """What *shown* prints of itself on a terminal like the host's."""
        assert self._config is not None
        return rendered(self._config, shown, io.StringIO(), self._look)

    def write(self, text: str) -> int:
        if self.captured():
            self._real.write(text)  # becomes what the test has printed, as it would natively
            return len(text)
        if self._muted:
            return len(text)
        self._text.append(text)
        if text.endswith("\n"):
            self.flush()
        return len(text)

    def flush(self) -> None:
        if self._text:
            closed = self._reporter is None or self._reporter.currentfspath is None
            text = "".join(self._text)
            self._text.clear()
            self._sender.send(TerminalText(text, closed, self._summary))

    def isatty(self) -> bool:
        return bool(self._look["tty"])

    def fileno(self) -> int:
        return int(self._real.fileno())

    def captured(self) -> bool:
        """Whether descriptor 1, and so the terminal, is captured: then so is what is written."""
        return self._config is not None and captures_descriptors(self._config)

    def _switch(self, muted: bool, summary: bool) -> tuple[bool, bool]:
        """Treat what is written so from now on; how it was treated before."""
        if self._text:
            self.flush()
        before = self._muted, self._summary
        self._muted, self._summary = muted, summary
        return before

    def _with(self, function: Function, *, muted: bool, summary: bool = False) -> Function:
        def call(*args: object) -> object:
            before = self._switch(muted, summary)
            try:
                return function(*args)
            finally:
                self._switch(*before)

        def wrap(*args: object) -> Generator[object, object, object]:
            generator = cast("Generator[object, object, object]", function(*args))
            step: Function = generator.send
            value: object = None
            while True:
                before = self._switch(muted, summary)
                try:
                    shown = step(value)
                except StopIteration as stop:
                    return stop.value
                finally:
                    self._switch(*before)
                try:
                    step, value = generator.send, (yield shown)
                except BaseException as error:  # noqa: BLE001  (passed on)
                    step, value = generator.throw, error

        chosen: Function = wrap if isgeneratorfunction(function) else call
        chosen.__module__ = function.__module__
        return chosen

    def _as_tree(self, function: Callable[..., None]) -> Callable[..., None]:
        """``--collect-only``: the tree is printed here, where the nodes are."""

        def call(*args: object) -> None:
            assert self._reporter is not None
            file = Nowhere()
            try:
                with writing_to(self._reporter, file):
                    function(*args)
            finally:
                self.tree = "".join(file.written)

        return call


class _Instead:
    """At the reporter's place where there is none."""

    def __init__(self, after: Mapping[str, Function]) -> None:
        self._after = after

    @pytest.hookimpl(trylast=True)
    def pytest_sessionstart(self) -> None:
        self._after["pytest_sessionstart"]()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._after["pytest_runtest_logreport"](report)


def _own_header(*_: object) -> str:
    return OWN_HEADER


_own_header.__module__ = f"{PACKAGE}.terminal"


def _then(function: Function, after: Function) -> Function:
    def call(*args: object) -> None:
        function(*args)
        after(*args)

    call.__module__ = function.__module__
    return call


class Nowhere:
    """A text file that only remembers."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self.written: list[str] = []

    def write(self, text: str) -> int:
        self.written.append(text)
        return len(text)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return False


def hush_standard_error() -> None:
    """What pytest's entry point still says was told to the host already."""
    sys.stderr = cast("TextIO", Nowhere())


def _foreign(config: pytest.Config, name: str) -> list[HookImpl]:
    """Implementations of a hook that are neither pytest's nor ours."""
    own = (PACKAGE, (__package__ or "").split(".")[0])
    implementations = hook_implementations(config, name)
    return [i for i in implementations if i.function.__module__.split(".")[0] not in own]
