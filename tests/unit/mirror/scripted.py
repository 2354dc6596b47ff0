"""A transport that plays back what was recorded, changed as a test wants it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_arm64.mirror.kept_place import Kept
from pytest_arm64.mirror.task import End, Task
from pytest_arm64.mirror.transport import OUTPUT, PROTOCOL

Lines = list[list[Any]]


def session(nodeids: Sequence[str] = ("t.py::a", "t.py::b", "t.py::c"), status: int = 0) -> Lines:
    """The frames of a whole, uneventful session."""
    return [
        ["hello", 4, 4_000_000, "9.0"],
        ["session", [], [], {}, False, None],
        ["collected", list(nodeids), "", len(nodeids), [], ""],
        ["collection", None],
        *(frame for nodeid in nodeids for frame in test(nodeid)),
        ["loop", None],
        ["finish", status, None, status],
        ["exit", status],
    ]


def test(nodeid: str) -> Lines:
    """The frames of one test that passes."""
    location = ["t.py", 1, nodeid.partition("::")[2]]
    phases = [["passed", nodeid, location, when, {}, 0.1, 1, 2] for when in PHASES]
    return [["logstart", nodeid, location], *phases, ["logfinish", nodeid, location]]


test.__test__ = False  # type: ignore[attr-defined]
PHASES = ("setup", "call", "teardown")


def failed(nodeid: str) -> list[Any]:
    """The report of a failure."""
    data = {
        "$report_type": "TestReport",
        "nodeid": nodeid,
        "location": ["t.py", 1, "x"],
        "keywords": {},
        "outcome": "failed",
        "longrepr": "broken",
        "when": "call",
        "sections": [],
        "user_properties": [],
        "duration": 0.1,
    }
    return ["report", data, None, None, False]


def encoded(frames: Lines) -> bytes:
    """As they come by the wire."""
    return b"".join(json.dumps([0, frame]).encode() + b"\n" for frame in frames)


@dataclass
class Scripted:
    """One process after another: bytes of the protocol, and how each ended."""

    processes: list[tuple[bytes, int | None]]
    printed: bytes = b""

    def start(self, task: Task) -> Playback:
        data, code = self.processes.pop(0) if self.processes else (b"", 1)
        return Playback(data, code, self.printed)

    def give(self, files: Mapping[str, bytes]) -> None:
        raise AssertionError(f"nobody gives {files}")

    def fetch(self, folder: Path) -> None:
        """There is nothing in it."""

    def keep(self, task: Task) -> Kept:
        raise AssertionError(f"nobody keeps the place of {task}")


@dataclass
class Playback:
    data: bytes
    code: int | None
    printed: bytes

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        if self.printed:
            yield OUTPUT, self.printed
        for at in range(0, len(self.data), 1000):
            yield PROTOCOL, self.data[at : at + 1000]

    def interrupt(self, pid: int) -> None:
        raise AssertionError(f"nobody interrupts {pid}")

    def kill(self, pid: int) -> None:
        raise AssertionError(f"nobody kills {pid}")

    def collecting(self) -> str:
        return ""

    def end(self) -> End:
        return End(self.code)

    def close(self) -> None:
        pass
