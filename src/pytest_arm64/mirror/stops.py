"""The reason why a session inside stopped early, raised here as there."""

from __future__ import annotations

import pytest

from ..inside.frames import StopReason
from .option_table import missing_plugins
from .pytest_internals import replace_traceback


class InsideError(Exception):
    """An internal error of the session inside."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


def raise_here(stop: StopReason, session: pytest.Session, internal_error: str | None) -> None:
    """End this phase here as it ended there."""
    if stop.kind == "UsageError":
        raise pytest.UsageError(*map(_with_next_step, stop.arguments))
    if stop.kind == "Failed":
        raise session.Failed(stop.message)
    if stop.kind == "Interrupted":
        raise session.Interrupted(stop.message)
    if stop.kind == "Exit":
        raise pytest.exit.Exception(stop.message, stop.code)
    if stop.kind == "KeyboardInterrupt":
        raise KeyboardInterrupt(stop.message)
    raise InsideError(internal_error or stop.traceback)


def _with_next_step(message: str) -> str:
    """*message*, and where it refuses a known plugin's option, how to have that plugin."""
    _, refused, words = message.partition("unrecognized arguments: ")
    plugins = missing_plugins({word.partition("=")[0] for word in words.split()})
    if not refused or not plugins:
        return message
    return (
        f"{message}\n  next step: have {' and '.join(plugins)} among the packages of the tests, "
        "for it is in the container that it is needed"
    )


def show_as_inside(excrepr: object, error: InsideError) -> None:
    """Have an internal error's description here say what the one inside said."""
    replace_traceback(excrepr, error.text)
