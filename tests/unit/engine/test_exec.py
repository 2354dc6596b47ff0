"""The output of a command is read to its end."""

from __future__ import annotations

import struct
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_arm64.engine.exec import Exec

OUTPUT = struct.pack(">BxxxL", 1, 4) + b"last"


class PlayedStream:
    """Gives *events* one after another: bytes, or nothing for too long."""

    def __init__(self, *events: bytes | None) -> None:
        self.events = list(events)

    def receive(self, _: float) -> bytes:
        event = self.events.pop(0)
        if event is None:
            raise TimeoutError
        return event


def running(stream: PlayedStream, *, lost: bool = False) -> Exec:
    """A command that has ended."""
    made: Any = object.__new__(Exec)

    def check() -> None:
        if lost:
            raise ConnectionError

    made._stream, made._id, made.deadline = stream, "1", float("inf")
    made._patience = SimpleNamespace(check=check)
    made._api = SimpleNamespace(exec_inspect=lambda _: {"Running": False})
    return made  # type: ignore[no-any-return]  # an Exec, without an engine


@pytest.mark.parametrize("end", [b"", None], ids=["closed", "held open by a child"])
def test_what_arrives_after_the_news_of_its_end_is_read(end: bytes | None) -> None:
    stream = PlayedStream(None, OUTPUT, *([end, end] if end is None else [end]))
    assert list(running(stream)) == [(1, b"last")]


def test_of_an_engine_that_is_gone_nothing_more_is_waited_for() -> None:
    stream = PlayedStream(None, OUTPUT)
    assert list(running(stream, lost=True)) == []
    assert stream.events == [OUTPUT]
