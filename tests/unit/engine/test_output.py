"""What commands print has bounds, and so has the time that they take."""

from __future__ import annotations

import struct
import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.engine.container import Container
from pytest_arm64.engine.container_plan import Plan
from pytest_arm64.engine.exec import STDERR, STDOUT
from pytest_arm64.engine.output import LONGEST_LINE, MOST_BYTES, Output, OutputLines
from pytest_arm64.errors import EngineError, OverdueCommandError
from unit.support import peak_memory


@given(st.lists(st.binary(max_size=40)), st.integers(4, 64))
def test_both_ends_are_kept(chunks: list[bytes], most: int) -> None:
    output = Output(most)
    for chunk in chunks:
        output.add(chunk)
    whole, value = b"".join(chunks), output.value()
    if len(whole) <= most:
        assert value == whole
    else:
        assert value.startswith(whole[: most // 4])
        assert value.endswith(whole[-(most - most // 4) :])
        assert b"[%d bytes left out]" % (len(whole) - most) in value


def test_ten_gigabytes_take_little_memory() -> None:
    code = """
from pytest_arm64.engine.output import Output
output, chunk = Output(), bytes(2**20)
for _ in range(10_000):
    output.add(chunk)
print(len(output.value()))
"""
    length, peak = peak_memory(code)
    assert int(length) < MOST_BYTES + 100
    assert peak < 200 * 2**20


@given(st.lists(st.binary(max_size=20)))
def test_each_line_is_seen_once(chunks: list[bytes]) -> None:
    seen: list[str] = []
    lines = OutputLines(seen.append)
    for chunk in chunks:
        lines.add(chunk)
    whole = b"".join(chunks).split(b"\n")[:-1]
    assert seen == [line.decode("utf-8", "replace") for line in whole]


def test_a_line_that_does_not_end_is_seen_in_pieces() -> None:
    seen: list[str] = []
    lines = OutputLines(seen.append)
    for _ in range(100):
        lines.add(b"x" * 10_000)
    assert len(seen) >= 14
    assert all(len(line) <= LONGEST_LINE for line in seen)


class Printing:
    """An engine's stream of a command: what it prints, and then for ever."""

    chunks: tuple[bytes, ...] = ()
    again = b""

    def __init__(self, _: object) -> None:
        self._left = list(self.chunks)

    def receive(self, seconds: float) -> bytes:
        if self._left:
            return self._left.pop(0)
        time.sleep(min(seconds, 0.02))
        if not self.again:
            raise TimeoutError
        return self.again

    def close(self) -> None:
        pass


def frame(channel: int, content: bytes) -> bytes:
    return struct.pack(">BxxxL", channel, len(content)) + content


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> Container:
    monkeypatch.setattr("pytest_arm64.engine.exec.Stream", Printing)
    api = SimpleNamespace(
        exec_create=lambda *_, **__: {"Id": "x"},
        exec_start=lambda *_, **__: None,
        exec_inspect=lambda _: {"Running": True, "ExitCode": 0},
    )
    engine = SimpleNamespace(
        client=SimpleNamespace(api=api), patience=SimpleNamespace(check=lambda: None)
    )
    made = Container(cast("Any", engine), Plan("image", "linux/arm64"))
    made._container = cast("Any", SimpleNamespace(id="c"))
    return made


@pytest.mark.parametrize("again", [b"", frame(STDOUT, b"still here\n"), frame(STDERR, b"!")])
def test_a_command_that_does_not_end_is_an_error(
    running: Container, monkeypatch: pytest.MonkeyPatch, again: bytes
) -> None:
    monkeypatch.setattr(Printing, "chunks", (frame(STDOUT, b"begun\n"),))
    monkeypatch.setattr(Printing, "again", again)
    monkeypatch.setattr("pytest_arm64.engine.exec.BETWEEN_SECONDS", 0.05)
    began = time.monotonic()
    with pytest.raises(EngineError, match="pip wheel did not end within") as caught:
        running.run(["pip", "wheel"], seconds=0.3)
    assert time.monotonic() - began < 5
    assert "begun" in caught.value.next_step
    assert isinstance(caught.value, OverdueCommandError)
    assert caught.value.log.startswith("begun\n")
    longest = replace(running._plan, longest=0.2)
    monkeypatch.setattr(running, "_plan", longest)
    with pytest.raises(OverdueCommandError):
        running.run(["pip", "wheel"])


def test_an_unknown_channel_is_output(running: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    chunks = (frame(STDOUT, b"a"), frame(7, b"b"), frame(STDERR, b"c"), b"")
    monkeypatch.setattr(Printing, "chunks", chunks)
    finished = running.run(["true"])
    assert (finished.stdout, finished.stderr) == (b"ab", b"c")
