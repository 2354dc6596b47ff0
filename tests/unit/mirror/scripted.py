"""A transport that plays back what was recorded, changed as a test wants it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_arm64.inside import frames
from pytest_arm64.inside.frames import Frame
from pytest_arm64.mirror.kept_place import KeptPlace
from pytest_arm64.mirror.task import End, Task
from pytest_arm64.mirror.transport import OUTPUT, PROTOCOL

Frames = list[Frame]
NO_DETAILS = frames.ReportDetails(worker=None, shown=None, missing_variables=[])


def session(nodeids: Sequence[str] = ("t.py::a", "t.py::b", "t.py::c"), status: int = 0) -> Frames:
    """The frames of a whole, uneventful session."""
    return [
        frames.Hello(frames.PROTOCOL_VERSION, 4_000_000, 4_000_001, "9.0"),
        frames.SessionStarted([], [], {}, collect_only=False, showfspath=None),
        frames.ItemsCollected(list(nodeids), "", len(nodeids), [], ""),
        frames.CollectionEnded(None),
        *(frame for nodeid in nodeids for frame in test(nodeid)),
        frames.LoopEnded(None),
        frames.SessionFinished(status, None, status),
        frames.Exited(status, []),
    ]


def test(nodeid: str) -> Frames:
    """The frames of one test that passes."""
    location = ("t.py", 1, nodeid.partition("::")[2])
    phases = [frames.PhasePassed(nodeid, location, when, {}, 0.1, 1, 2) for when in PHASES]
    return [frames.LogStart(nodeid, location), *phases, frames.LogFinish(nodeid, location)]


test.__test__ = False  # type: ignore[attr-defined]  # for pytest, which looks for it
PHASES = ("setup", "call", "teardown")


def reported(nodeid: str, outcome: str = "failed") -> frames.PhaseReported:
    """The report of a call."""
    data: frames.ReportData = {
        "$report_type": "TestReport",
        "nodeid": nodeid,
        "location": ["t.py", 1, "x"],
        "keywords": {},
        "outcome": outcome,
        "longrepr": "broken",
        "when": "call",
        "sections": [],
        "user_properties": [],
        "duration": 0.1,
    }
    return frames.PhaseReported(data, NO_DETAILS, None, None, hidden=False, death=None)


def as_json(frame: Frame) -> list[object]:
    """*frame* as the sender writes it."""
    return [type(frame).__name__, *frame]


def encoded(sent: Sequence[Frame | list[object]]) -> bytes:
    """Frames, or what is written in their place, as they come by the wire."""
    values = [frame if isinstance(frame, list) else as_json(frame) for frame in sent]
    return b"".join(json.dumps([0, value]).encode() + b"\n" for value in values)


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

    def keep(self, task: Task) -> KeptPlace:
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

    def wake(self, pid: int) -> None:
        raise AssertionError(f"nobody wakes {pid}")

    def cut(self) -> None:
        raise AssertionError("nobody cuts the connection")

    def collecting(self) -> str:
        return ""

    def end(self) -> End:
        return End(self.code)

    def close(self) -> None:
        pass
