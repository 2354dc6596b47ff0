"""The way out: what waits, what goes at once, in which order and from whom."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

from pytest_arm64.inside.sender import PROTOCOL, Sender
from pytest_arm64.mirror.frames import PROTOCOL_VERSION


@pytest.fixture
def pipes() -> Iterator[tuple[Sender, int, int]]:
    """A sender, where its frames can be read, and where its marks can be."""
    frames, into_frames = os.pipe()
    printed, into_printed = os.pipe()
    yield Sender(into_frames, into_printed), frames, printed
    for descriptor in (frames, into_frames, printed, into_printed):
        os.close(descriptor)


def lines(descriptor: int) -> list[Any]:
    os.set_blocking(descriptor, False)
    try:
        return [json.loads(line) for line in os.read(descriptor, 65536).splitlines()]
    except BlockingIOError:
        return []


def test_both_sides_speak_the_same_protocol() -> None:
    assert PROTOCOL == PROTOCOL_VERSION


def test_what_is_held_goes_first_and_in_one_line(pipes: tuple[Sender, int, int]) -> None:
    sender, frames, _ = pipes
    sender.hold("passed", "t.py::a")
    assert lines(frames) == []
    sender.send("logfinish", "t.py::a")
    assert lines(frames) == [[0, ["passed", "t.py::a"], ["logfinish", "t.py::a"]]]
    sender.flush()
    assert lines(frames) == []


def test_a_mark_is_written_before_its_frames(pipes: tuple[Sender, int, int]) -> None:
    sender, frames, printed = pipes
    sender.mark_with("c0ffee")
    sender.send("exit", 0)
    sender.send("exit", 1)
    assert lines(frames) == [[1, ["exit", 0]], [2, ["exit", 1]]]
    assert os.read(printed, 100) == b"\0arm64-c0ffee-1\0\0arm64-c0ffee-2\0"


def test_a_fork_stays_silent(pipes: tuple[Sender, int, int]) -> None:
    sender, frames, _ = pipes
    sender.hold("passed", "t.py::a")
    child = os.fork()
    if child == 0:
        sender.send("exit", 3)
        os._exit(0)
    os.waitpid(child, 0)
    assert lines(frames) == []
    sender.flush()
    assert lines(frames) == [[0, ["passed", "t.py::a"]]]


def test_values_that_json_does_not_have_are_described(pipes: tuple[Sender, int, int]) -> None:
    sender, frames, _ = pipes
    sender.send("report", {"odd": {1}, (1, 2): 3, "text": "\ud800\u2028"})
    assert lines(frames) == [[0, ["report", {"odd": "{1}", "text": "\ud800\u2028"}]]]
