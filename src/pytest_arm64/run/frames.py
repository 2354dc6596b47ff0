"""From the bytes of the protocol channel to frames; whatever cannot be one is an error."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..errors import ProtocolError

PROTOCOL_VERSION = 2
# Fewest values of each kind of frame.
KINDS = {
    "mark": 1,
    "hello": 3,
    "session": 4,
    "deselected": 1,
    "collectreport": 1,
    "collected": 5,
    "collection": 1,
    "logstart": 2,
    "passed": 7,
    "report": 4,
    "logfinish": 2,
    "warning": 9,
    "terminal": 3,
    "loop": 1,
    "internalerror": 1,
    "stopped": 1,
    "properties": 1,
    "finish": 3,
    "exit": 1,
}


@dataclass(frozen=True)
class Frame:
    """One event of the session inside."""

    kind: str
    values: tuple[Any, ...]


class FrameReader:
    """Cuts a byte stream into frames."""

    def __init__(self) -> None:
        self._pending: list[bytes] = []

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Frames that *data* completes.

        Raises:
            ProtocolError: a line is no frame of this protocol.
        """
        first, *more = data.split(b"\n")
        self._pending.append(first)
        for following in more:
            line = b"".join(self._pending)
            self._pending = [following]
            yield parse_frame(line)

    @property
    def incomplete(self) -> bool:
        """Whether the stream ended inside a frame."""
        return any(self._pending)


class Ordered:
    """Puts frames and what was printed in the order in which they were written.

    They come by two ways. Before each batch of frames a mark is written among what is printed;
    the batch tells its number, and waits here for that mark.
    """

    def __init__(self, nonce: str) -> None:
        self._reader = FrameReader()
        self._frames: deque[Frame] = deque()
        self._printed = b""
        start = b"\0arm64-" + nonce.encode() + b"-"
        beginnings = b"|".join(re.escape(start[:n]) for n in range(len(start) - 1, 0, -1))
        self._mark = re.compile(re.escape(start) + rb"([0-9]{1,15})\0")
        self._unfinished = re.compile(
            rb"(?:" + re.escape(start) + rb"[0-9]{0,15}|" + beginnings + rb")\Z"
        )
        self._awaited: int | None = None
        self._reached: int | None = None

    @property
    def incomplete(self) -> bool:
        """Whether the frames ended inside one."""
        return self._reader.incomplete

    def feed(self, data: bytes, *, protocol: bool) -> Iterator[Frame | bytes]:
        """What can be handled now that *data* has come by one of the ways.

        Raises:
            ProtocolError: a line is no frame of this protocol.
        """
        if protocol:
            self._frames.extend(self._reader.feed(data))
        else:
            self._printed += data
        yield from self._ready()

    def rest(self) -> Iterator[Frame | bytes]:
        """Everything that is left when nothing more can come."""
        yield from self._ready()
        while self._frames or self._awaited is not None or self._reached is not None:
            self._awaited = self._reached = None
            yield from self._ready()
        if self._printed:
            yield self._printed
            self._printed = b""

    def _ready(self) -> Iterator[Frame | bytes]:
        while True:
            while self._frames and self._awaited is None:
                frame = self._frames.popleft()
                if frame.kind == "mark":
                    self._awaited = frame.values[0]
                else:
                    yield frame
            if self._reached is None:
                text, self._reached = self._cut()
                if text:
                    yield text
            if self._reached is None or self._awaited is None:
                return
            reached, awaited = self._reached, self._awaited
            if reached >= awaited:
                self._awaited = None
            if reached <= awaited:
                self._reached = None

    def _cut(self) -> tuple[bytes, int | None]:
        """Text up to the next mark, and its number; what may yet become a mark is kept."""
        found = self._mark.search(self._printed)
        if found:
            text = self._printed[: found.start()]
            self._printed = self._printed[found.end() :]
            return text, int(found[1])
        unfinished = self._unfinished.search(self._printed)
        at = unfinished.start() if unfinished else len(self._printed)
        text, self._printed = self._printed[:at], self._printed[at:]
        return text, None


def parse_frame(line: bytes) -> Frame:
    """One line of the protocol.

    Raises:
        ProtocolError: it is no frame of this protocol.
    """
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, list) or not value or not isinstance(value[0], str):
        raise ProtocolError(f"the session inside sent no frame: {line[:120]!r}")
    kind, *values = value
    if kind not in KINDS or len(values) < KINDS[kind]:
        raise ProtocolError(f"the session inside sent an unknown frame: {line[:120]!r}")
    if kind == "mark" and type(values[0]) is not int:
        raise ProtocolError(f"the session inside sent a mark without a number: {line[:120]!r}")
    return Frame(kind, tuple(values))
