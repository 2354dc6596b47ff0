"""From the bytes of the protocol channel to frames; whatever cannot be one is an error."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..errors import ProtocolError

PROTOCOL_VERSION = 1
# Fewest values of each kind of frame.
KINDS = {
    "hello": 3,
    "session": 1,
    "deselected": 1,
    "collectreport": 1,
    "collected": 1,
    "logstart": 2,
    "passed": 7,
    "report": 1,
    "logfinish": 2,
    "warning": 7,
    "internalerror": 1,
    "finish": 2,
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
        self._pending = b""

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Frames that *data* completes.

        Raises:
            ProtocolError: a line is no frame of this protocol.
        """
        *lines, self._pending = (self._pending + data).split(b"\n")
        for line in lines:
            yield parse_frame(line)

    @property
    def incomplete(self) -> bool:
        """Whether the stream ended inside a frame."""
        return bool(self._pending)


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
    return Frame(kind, tuple(values))
