"""The way out: what waits, what goes at once, in which order and from whom."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from pytest_arm64.inside.frames import (
    CollectionReported,
    Exited,
    LogFinish,
    LogStart,
    ReportDetails,
)
from pytest_arm64.inside.sender import Sender


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


PASSED = LogFinish("t.py::a", None)


def test_what_is_held_goes_first_and_in_one_line(pipes: tuple[Sender, int, int]) -> None:
    sender, frames, _ = pipes
    sender.hold(PASSED)
    assert lines(frames) == []
    sender.send(LogStart("t.py::b", ("t.py", 3, "b")))
    assert lines(frames) == [
        [0, ["LogFinish", "t.py::a", None], ["LogStart", "t.py::b", ["t.py", 3, "b"]]]
    ]
    sender.flush()
    assert lines(frames) == []


def test_a_mark_is_written_before_its_frames(pipes: tuple[Sender, int, int]) -> None:
    sender, frames, printed = pipes
    sender.mark_with("c0ffee")
    sender.send(Exited(0, []))
    sender.send(Exited(1, []))
    assert lines(frames) == [[1, ["Exited", 0, []]], [2, ["Exited", 1, []]]]
    assert os.read(printed, 100) == b"\0arm64-c0ffee-1\0\0arm64-c0ffee-2\0"


def test_a_fork_stays_silent(pipes: tuple[Sender, int, int]) -> None:
    sender, frames, _ = pipes
    sender.hold(PASSED)
    child = os.fork()
    if child == 0:
        sender.send(Exited(3, []))
        os._exit(0)
    os.waitpid(child, 0)
    assert lines(frames) == []
    sender.flush()
    assert lines(frames) == [[0, ["LogFinish", "t.py::a", None]]]


class Unshowable:
    def __repr__(self) -> str:
        raise RuntimeError("never")


def sent(pipes: tuple[Sender, int, int], value: object) -> Any:
    """What *value*, in a report, becomes on the wire."""
    sender, frames, _ = pipes
    details = ReportDetails(worker=None, shown=None, missing_variables=[])
    sender.send(CollectionReported({"value": value}, details))
    ((_, (_, data, _)),) = lines(frames)
    return data["value"]


def test_values_that_json_does_not_have_are_described(pipes: tuple[Sender, int, int]) -> None:
    value = {"odd": {1}, (1, 2): 3, "text": "\ud800\u2028"}
    assert sent(pipes, value) == {"odd": "{1}", "text": "\ud800\u2028"}


def test_a_value_that_cannot_be_described_is_named_by_its_type(
    pipes: tuple[Sender, int, int],
) -> None:
    assert "Unshowable object at" in sent(pipes, [Unshowable()])[0]


def test_a_value_that_holds_itself_is_cut_off(pipes: tuple[Sender, int, int]) -> None:
    circle: list[object] = [1]
    circle.append(circle)
    assert sent(pipes, circle)[0] == 1
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert "[...]" in json.dumps(sent(pipes, deep))


PATCHED = {
    "os.write": "os.write = broken",
    "os.getpid": "os.getpid = lambda: 1",
    "json encoder": "json.JSONEncoder.encode = json.JSONEncoder.iterencode = broken",
    "json accelerator": "json.encoder.c_make_encoder = broken",
    "json strings": "json.encoder.encode_basestring_ascii = broken",
    "select.poll": "select.poll = broken",
    "standard output": "sys.__stdout__ = broken",
    "modules": "sys.modules.clear()",
    "builtins": "import builtins; builtins.repr = builtins.open = broken",
}


@pytest.mark.parametrize("patch", PATCHED.values(), ids=PATCHED)
def test_what_a_test_replaces_is_not_used(patch: str) -> None:
    code = f"""
import json, os, select, sys
from pytest_arm64.inside.frames import Exited
from pytest_arm64.inside.sender import take_standard_output
def broken(*_, **__): raise RuntimeError("replaced")
sender = take_standard_output()
sender.mark_with("c0ffee")
{patch}
sender.send(Exited(3, []))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout == b'[1,["Exited",3,[]]]\n'
    assert done.stderr == b"\0arm64-c0ffee-1\0"


CLOSING = """
import os, resource, sys
from pytest_arm64.inside.frames import Exited
from pytest_arm64.inside.sender import take_standard_output
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
sender = take_standard_output()
assert resource.getrlimit(resource.RLIMIT_NOFILE) == ({soft}, {hard})
{close}
sender.send(Exited(3, []))
"""


@pytest.mark.parametrize("hard", [1024, 8192])
@pytest.mark.parametrize("close", ["", "os.closerange(3, 4096)", "os.closerange(3, 2**31 - 1)"])
def test_closing_descriptors(hard: int, close: str) -> None:
    """Up to the limit that a test sees; it does not see ours if the hard limit has room."""
    code = CLOSING.format(soft=1024, hard=hard, close=close)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    if close.endswith("1)") or (close and hard == 1024):
        assert done.returncode == 1
        assert b"a test closed the descriptor by which its outcome is reported" in done.stderr
    else:
        assert (done.returncode, done.stdout) == (0, b'[0,["Exited",3,[]]]\n')
