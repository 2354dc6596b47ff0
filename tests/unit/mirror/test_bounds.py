"""What a hostile suite can make the host hold in memory, or on its disk."""

from __future__ import annotations

import tarfile
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from pytest_arm64.engine.container import Container
from pytest_arm64.engine.container_plan import Plan
from pytest_arm64.engine.endpoint import Engine
from pytest_arm64.errors import EngineError, ProtocolError
from pytest_arm64.mirror import results
from pytest_arm64.mirror.results import unpack
from unit.support import peak_memory

MOST_MEMORY = 500 << 20
MEASURED = """
import sys
from pytest_arm64.errors import ProtocolError
from pytest_arm64.mirror.frames import Ordered

def pieces():
    {pieces}

ordered = Ordered("nonce")
refused = False
try:
    for piece in pieces():
        for _ in ordered.feed(piece, protocol=True):
            pass
except ProtocolError as error:
    refused = True
    print(error, file=sys.stderr)
print(refused)
"""
SENT = {
    "no newline": "for _ in range(512): yield b'x' * (1 << 20)",
    "a line of empty objects": "yield b'[0,' + b'{},' * (20 << 20) + b'{}]\\n'",
    "a line of short texts": "yield b'[0,' + b'\"ab\",' * (12 << 20) + b'0]\\n'",
    "frames whose mark never comes": (
        "line = b'[7,[\"Exited\",1,[]],[\"Exited\",' + b' ' * (1 << 20) + b'1,[]]]\\n'\n"
        "    for _ in range(600): yield line"
    ),
}


@pytest.mark.parametrize("sent", SENT)
def test_what_the_session_sends_takes_no_more_memory(sent: str) -> None:
    refused, peak = peak_memory(MEASURED.format(pieces=SENT[sent]))
    assert refused == "True"
    assert peak < MOST_MEMORY


def test_a_large_line_of_text_is_taken() -> None:
    code = "yield b'[0,[\"Exited\",1,[]],[\"Exited\",' + b' ' * (60 << 20) + b'1,[]]]\\n'"
    refused, peak = peak_memory(MEASURED.format(pieces=code))
    assert refused == "False"
    assert peak < MOST_MEMORY


def test_too_many_results_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "MOST_FILES", 10)
    stream = BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for number in range(11):
            member = tarfile.TarInfo(f"results/{number}")
            member.type = tarfile.SYMTYPE
            archive.addfile(member)
    stream.seek(0)
    with pytest.raises(ProtocolError, match="more than 10 files"):
        unpack(stream, tmp_path)


class Endless:
    """An engine that has a file of 6 GB, of which it sends what is read."""

    def __init__(self) -> None:
        self.sent = 0
        self.client = SimpleNamespace(api=self)
        self.patience = SimpleNamespace(wait_for=lambda call: call())

    def get_archive(self, container: str, path: str) -> tuple[object, object]:
        def chunks() -> object:
            while self.sent < 6 << 30:
                self.sent += 1 << 20
                yield b"\0" * (1 << 20)

        return chunks(), {}


@pytest.mark.parametrize("how", ["fetch", "read"])
def test_no_more_of_a_file_is_taken_than_the_limit(
    how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Endless()
    monkeypatch.setattr(Container, "id", "container")
    container = Container(cast("Engine", engine), Plan("image", "linux/arm64"))
    with pytest.raises(EngineError, match=r"larger than 64 MiB"):
        container.read("/marker") if how == "read" else container.fetch("/marker", 64 << 20)
    assert engine.sent <= 65 << 20
