"""From the bytes of the protocol channel to batches of frames, in the order of their writing."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..errors import ProtocolError
from ..inside.frames import Frame
from .decoding import decoded

MOST_BYTES = 64 << 20
"""Of frames that are written at once, and of all that wait for what is printed before them."""
MOST_PARTS = 4_000_000
"""Of the commas and brackets of such frames: a few bytes of JSON may become a hundred here."""


@dataclass(frozen=True)
class Batch:
    """Frames that were written at once."""

    mark: int
    """Number of the mark that was written among what is printed just before; 0 for none."""
    frames: tuple[Frame, ...]
    size: int = field(default=0, compare=False)
    """Bytes that they had on their way."""


class BatchReader:
    """Cuts a byte stream into batches, a line each."""

    def __init__(self) -> None:
        self._pending: list[bytes] = [b""]
        self._size = 0

    def feed(self, data: bytes) -> Iterator[Batch]:
        """Batches that *data* completes.

        Raises:
            ProtocolError: a line is no batch of this protocol.
        """
        first, *more = data.split(b"\n")
        self._add(first)
        for following in more:
            line = b"".join(self._pending)
            self._pending, self._size = [], 0
            self._add(following)
            yield parse_batch(line)

    def _add(self, part: bytes) -> None:
        self._pending.append(part)
        self._size += len(part)
        if self._size > MOST_BYTES:
            self._pending = []
            raise ProtocolError(
                f"the session inside sent more than {MOST_BYTES >> 20} MiB at once",
                next_step="let tests print, and compare, less than that",
            )

    @property
    def incomplete(self) -> bool:
        """Whether the stream ended inside a batch."""
        return any(self._pending)


class Ordered:
    """Puts frames and what was printed in the order in which they were written.

    They come by two ways. Before each batch of frames a mark is written among what is printed;
    the batch has its number, and waits here for that mark.
    """

    def __init__(self, nonce: str) -> None:
        self._reader = BatchReader()
        self._batches: deque[Batch] = deque()
        self._waiting = 0  # bytes of the batches
        self._printed = b""
        start = b"\0arm64-" + nonce.encode() + b"-"
        beginnings = b"|".join(re.escape(start[:n]) for n in range(len(start) - 1, 0, -1))
        self._mark = re.compile(re.escape(start) + rb"([0-9]{1,15})\0")
        self._unfinished = re.compile(
            rb"(?:" + re.escape(start) + rb"[0-9]{0,15}|" + beginnings + rb")\Z"
        )
        self._reached = 0  # the mark at which what is printed waits for its batch; 0 for none

    @property
    def incomplete(self) -> bool:
        """Whether the frames ended inside a batch."""
        return self._reader.incomplete

    def feed(self, data: bytes, *, protocol: bool) -> Iterator[Frame | bytes]:
        """What can be handled now that *data* has come by one of the ways.

        Raises:
            ProtocolError: a line is no batch of this protocol.
        """
        if protocol:
            for batch in self._reader.feed(data):
                self._batches.append(batch)
                self._waiting += batch.size
        else:
            self._printed += data
        yield from self._ready()
        if self._waiting > MOST_BYTES:
            raise ProtocolError(
                f"more than {MOST_BYTES >> 20} MiB of frames wait for what is printed before them"
            )

    def rest(self) -> Iterator[Frame | bytes]:
        """Everything that is left when nothing more can come."""
        yield from self._ready()
        while self._batches or self._reached:
            self._reached = 0
            if self._batches:
                yield from self._next().frames
            yield from self._ready()
        if self._printed:
            yield self._printed
            self._printed = b""

    def _next(self) -> Batch:
        batch = self._batches.popleft()
        self._waiting -= batch.size
        return batch

    def _ready(self) -> Iterator[Frame | bytes]:
        while True:
            while self._batches and self._batches[0].mark <= self._reached:
                batch = self._next()
                if batch.mark == self._reached:
                    self._reached = 0
                yield from batch.frames
            if self._reached and not self._batches:
                return
            text, self._reached = self._cut()
            if text:
                yield text
            if not self._reached:
                return

    def _cut(self) -> tuple[bytes, int]:
        """Text up to the next mark, and its number; what may yet become a mark is kept."""
        if not self._printed:
            return b"", 0
        mark = self._mark.search(self._printed)
        if mark:
            text = self._printed[: mark.start()]
            self._printed = self._printed[mark.end() :]
            return text, int(mark[1])
        unfinished = self._unfinished.search(self._printed)
        at = unfinished.start() if unfinished else len(self._printed)
        text, self._printed = self._printed[:at], self._printed[at:]
        return text, 0


def parse_batch(line: bytes) -> Batch:
    """One line of the protocol.

    Raises:
        ProtocolError: it is no batch of this protocol.
    """
    if sum(map(line.count, (b",", b"[", b"{"))) > MOST_PARTS:
        raise ProtocolError(f"the session inside sent more than {MOST_PARTS:,} values at once")
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, list) or len(value) < 2:
        raise ProtocolError(f"the session inside sent an invalid frame: {line[:120]!r}")
    mark, *frames = value
    if type(mark) is not int or mark < 0:
        raise ProtocolError(f"the session inside sent frames without a number: {line[:120]!r}")
    return Batch(mark, tuple(map(decoded, frames)), len(line))
