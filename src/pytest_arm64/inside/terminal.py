"""What anybody but pytest's own reporter writes to this session's terminal goes to the host.

The host's reporter shows the session; it does so from reports and knows nothing of what a
conftest, a plugin, live logging or ``--setup-show`` write besides.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from inspect import isgeneratorfunction
from typing import Any

import pytest

from .sender import Sender

SHOWING = (
    "pytest_report_header",
    "pytest_report_collectionfinish",
    "pytest_terminal_summary",
    "pytest_report_teststatus",
)
"""Hooks by which plugins add to what the reporter shows."""
OWN_HEADER = "\0"
"""Stands among the header's lines for those that the host's own reporter tells."""


class Terminal:
    """The file of the reporter's writer; *like* tells what the host's terminal is."""

    encoding = "utf-8"

    def __init__(self, sender: Sender, like: Mapping[str, Any]) -> None:
        self._sender = sender
        self._like = like
        self._muted = False
        self._summary = False
        self._config: Any = None
        self._reporter: Any = None
        self._real: Any = None
        self._text: list[str] = []
        self.tree = ""

    def attach(self, config: pytest.Config, after: Mapping[str, Callable[..., None]]) -> None:
        """Take the place of the terminal; *after* is called, by hook, when the reporter was.

        It must be after the reporter: to ask how a report is to be shown may change it, as
        pytest's own subtests do, and what others write comes after what the reporter writes.
        """
        if self._config is not None:
            return
        reporter: Any = config.pluginmanager.getplugin("terminalreporter")
        self._config, self._reporter = config, reporter
        if reporter is None:
            config.pluginmanager.register(_Instead(after), "arm64-instead")
            return
        writer = reporter._tw
        self._real, writer._file = writer._file, self
        writer.fullwidth = self._like["width"]
        writer.hasmarkup = reporter.hasmarkup = self._like["markup"]
        reporter._screen_width = writer.fullwidth
        for implementation in self._implementations():
            if implementation.plugin is reporter:
                seen = self._with(implementation.function, muted=True)
                if implementation.function.__name__ in after:
                    seen = _then(seen, after[implementation.function.__name__])
                implementation.function = seen
        reporter._printcollecteditems = self._as_tree(reporter._printcollecteditems)
        # What the host's own pytest says is not said twice.
        headers: list[Any] = config.pluginmanager.hook.pytest_report_header.get_hookimpls()
        for implementation in headers:
            if implementation.plugin is reporter:
                implementation.function = _own_header
            elif implementation.function.__module__.startswith("_pytest."):
                config.pluginmanager.hook.pytest_report_header._remove_plugin(implementation.plugin)

    def before_summary(self) -> None:
        """From now on it is the closing summary that foreign plugins add to."""
        if self._reporter is None:
            return
        for (
            implementation
        ) in self._config.pluginmanager.hook.pytest_terminal_summary.get_hookimpls():
            if not _of_pytest(implementation):
                implementation.function = self._with(
                    implementation.function, muted=False, summary=True
                )

    def foreign(self) -> dict[str, list[str]]:
        """Modules of plugins, by the showing hook that they implement."""
        return {
            name: sorted({i.function.__module__ for i in _implementations_of(self._config, name)})
            for name in SHOWING
        }

    def rendered(self, shown: Any) -> str:
        """What *shown* would show of itself on the host's terminal."""
        import io

        from _pytest.config import create_terminal_writer

        file = io.StringIO()
        writer = create_terminal_writer(self._config, file)
        writer.hasmarkup, writer.fullwidth = self._like["markup"], self._like["width"]
        shown.toterminal(writer)
        return file.getvalue()

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
            closed = self._reporter.currentfspath is None
            text = "".join(self._text)
            self._text.clear()
            self._sender.send("terminal", text, closed, self._summary)

    def isatty(self) -> bool:
        return bool(self._like["tty"])

    def fileno(self) -> int:
        return int(self._real.fileno())

    def captured(self) -> bool:
        """Whether descriptor 1, and so the terminal, is captured: then so is what is written."""
        manager: Any = self._config.pluginmanager.getplugin("capturemanager")
        capture = getattr(manager, "_global_capturing", None)
        return (
            getattr(manager, "_method", "") == "fd" and getattr(capture, "_state", "") == "started"
        )

    def _implementations(self) -> list[Any]:
        hooks = vars(self._config.pluginmanager.hook).values()
        return [i for hook in hooks if hasattr(hook, "get_hookimpls") for i in hook.get_hookimpls()]

    def _switch(self, muted: bool, summary: bool) -> tuple[bool, bool]:
        """Treat what is written as told; how it was treated."""
        if self._text:
            self.flush()
        before = self._muted, self._summary
        self._muted, self._summary = muted, summary
        return before

    def _with(
        self, function: Callable[..., Any], *, muted: bool, summary: bool = False
    ) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            before = self._switch(muted, summary)
            try:
                return function(*args)
            finally:
                self._switch(*before)

        def wrap(*args: Any) -> Any:
            generator = function(*args)
            step, value = generator.send, None
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

        chosen = wrap if isgeneratorfunction(function) else call
        chosen.__module__ = function.__module__
        return chosen

    def _as_tree(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """``--collect-only``: the tree is made here, where the nodes are."""

        def call(*args: Any) -> None:
            writer = self._reporter._tw
            file = writer._file = Nowhere()
            try:
                function(*args)
            finally:
                writer._file = self
                self.tree = "".join(file.written)

        return call


class _Instead:
    """At the reporter's place where there is none."""

    def __init__(self, after: Mapping[str, Callable[..., None]]) -> None:
        self._after = after

    @pytest.hookimpl(trylast=True)
    def pytest_sessionstart(self) -> None:
        self._after["pytest_sessionstart"]()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._after["pytest_runtest_logreport"](report)


def _own_header(*_: Any) -> str:
    return OWN_HEADER


_own_header.__module__ = "_pytest.terminal"


def _then(function: Callable[..., Any], after: Callable[..., None]) -> Callable[..., Any]:
    def call(*args: Any) -> None:
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
    sys.stderr = Nowhere()


def _implementations_of(config: pytest.Config, name: str) -> list[Any]:
    return [
        i for i in getattr(config.pluginmanager.hook, name).get_hookimpls() if not _of_pytest(i)
    ]


def _of_pytest(implementation: Any) -> bool:
    package = implementation.function.__module__.split(".")[0]
    return package in ("_pytest", (__package__ or "").split(".")[0])
