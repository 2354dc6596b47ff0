"""Why a session inside stopped before its time, and the same stop raised here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from _pytest._code.code import ReprFileLocation, ReprTracebackNative


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
            raise pytest.UsageError(*self.message)
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
