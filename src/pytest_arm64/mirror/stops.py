"""Why a session inside stopped before its time, and the same stop raised here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from _pytest._code.code import ReprFileLocation, ReprTracebackNative

from .option_table import missing_plugins


class InsideError(Exception):
    """An internal error of the session inside."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


@dataclass(frozen=True)
class Stop:
    """What ended a phase of the session inside."""

    kind: str
    message: Any
    code: int | None
    place: tuple[str, int, str] | None
    traceback: str

    @classmethod
    def of(cls, values: Sequence[Any]) -> Stop:
        """From the reason in a frame."""
        kind, message, code, place, traceback = values[:5]
        where = (str(place[0]), int(place[1]), str(place[2])) if place is not None else None
        return cls(str(kind), message, code, where, str(traceback))

    def raise_here(self, session: pytest.Session, internal_error: str | None) -> None:
        """End this phase here as it ended there."""
        if self.kind == "UsageError":
            raise pytest.UsageError(*map(_with_next_step, self.message))
        if self.kind == "Failed":
            raise session.Failed(self.message)
        if self.kind == "Interrupted":
            raise session.Interrupted(self.message)
        if self.kind == "Exit":
            raise pytest.exit.Exception(self.message, self.code)
        if self.kind == "KeyboardInterrupt":
            raise KeyboardInterrupt(self.message)
        raise InsideError(internal_error or self.traceback)

    def shown_as_interrupt(self) -> Any:
        """What pytest's reporter asks of an interrupt: where it was, and the whole traceback."""
        return _Interrupt(self)


def _with_next_step(message: str) -> str:
    """*message*, and where it refuses a known plugin's option, how to have that plugin."""
    _, refused, words = str(message).partition("unrecognized arguments: ")
    plugins = missing_plugins({word.partition("=")[0] for word in words.split()})
    if not refused or not plugins:
        return message
    return (
        f"{message}\n  next step: have {' and '.join(plugins)} among the packages of the tests, "
        "for it is in the container that it is needed"
    )


class _Interrupt:
    def __init__(self, stop: Stop) -> None:
        path, line, message = stop.place or ("", 0, stop.message)
        self.reprcrash = ReprFileLocation(path, line, message)
        self._text = stop.traceback

    def toterminal(self, writer: Any) -> None:
        writer.line(self._text)


def show_as_inside(excrepr: Any, error: InsideError) -> None:
    """Have an internal error's description here say what the one inside said."""
    excrepr.reprtraceback = ReprTracebackNative([error.text])
    excrepr.chain = [(excrepr.reprtraceback, None, None)]
