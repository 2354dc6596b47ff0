"""What plugins inside add to the terminal, shown here at the place of a conftest's own hooks."""

from __future__ import annotations

import warnings

import pytest

from ..inside.frames import OWN_HEADER
from .mirror import STATUS, HostMirror
from .pytest_internals import TerminalReporter, remove_implementations
from .session import MirroredSession

NAME = "arm64-inside"


class ShownInside:
    """Shows for one session after the other."""

    def __init__(self) -> None:
        self.session: MirroredSession | None = None
        self.mirror: HostMirror | None = None
        self._mirrors: list[HostMirror] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self) -> None:
        # What plugins warn of while they are configured, they warn of inside as well. Pytest
        # restores the filters after this hook.
        warnings.simplefilter("ignore")

    def take(self, session: MirroredSession, pluginmanager: pytest.PytestPluginManager) -> None:
        """Show for *session*; plugins that are on both sides show what they know inside."""
        self.session, self.mirror = session, session.mirror
        mirror = session.mirror
        self._mirrors.append(mirror)
        for name, modules in mirror.showing.items():
            remove_implementations(pluginmanager, name, modules)
        if len(self._mirrors) == 1:  # the header is shown once
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
    def pytest_report_teststatus(self, report: pytest.TestReport) -> object:
        return getattr(report, STATUS, None)

    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> None:
        for mirror in self._mirrors:
            if mirror.summary:
                terminalreporter.ensure_newline()
                terminalreporter.write("".join(mirror.summary))


class _HeaderBelow:
    """What plugins inside show below pytest's own lines."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_header(self) -> list[str]:
        return self._lines
