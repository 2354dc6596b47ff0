"""What ends the session of one service only, and what ends the whole run."""

from __future__ import annotations

import pytest

from ..inside.frames import StopReason
from ..mirror.stops import InsideError
from .incidents import stop_words
from .part_session import NestedRun


def ends_alone(run: NestedRun, session: pytest.Session) -> bool:
    """Whether what has just ended *run* leaves the services after it to run.

    ``-x``, ``--maxfail`` and ``--stepwise`` are for the whole run; so is Ctrl-C, and an error of
    a plugin on the host.
    """
    stop = stop_of(run)
    if stop is None or stop.kind == "KeyboardInterrupt" or session.shouldfail:
        return False
    stepwise: bool = session.config.getoption("stepwise", default=False)
    return not stepwise


def stop_of(run: NestedRun) -> StopReason | None:
    """Why the session of *run* ended early; None unless it did so from inside."""
    if run.session is None or run.session.ended_on_host:
        return None
    return run.session.mirror.stop


def show_end(run: NestedRun, name: str, config: pytest.Config, error: BaseException) -> str:
    """Show at once that the session of *run* ended early by *error*; the line that says so."""
    stop = stop_of(run)
    assert stop is not None
    if isinstance(error, InsideError):
        config.notify_exception(pytest.ExceptionInfo.from_exception(error), config.option)
    line = f"{name}: {stop_words(stop)}"
    reporter: pytest.TerminalReporter | None = config.pluginmanager.getplugin("terminalreporter")
    if reporter is not None and reporter.verbosity >= 0:
        reporter.ensure_newline()
        reporter.write_line(f"arm64: {line}")
    return line
