"""What a command in a container prints: kept within bounds, and seen line by line."""

from __future__ import annotations

from collections.abc import Callable

MOST_BYTES = 16 * 2**20
"""Of what one command prints on one channel."""
LONGEST_LINE = 64 * 2**10
"""Bytes after which a line that does not end is shown."""


class Output:
    """The beginning and the end of what a channel gives."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._first, self._last = most // 4, most - most // 4
        self._head = bytearray()
        self._tail = bytearray()
        self._dropped = 0

    def add(self, data: bytes) -> None:
        """Take *data*, which comes after everything that was taken before."""
        room = self._first - len(self._head)
        self._head += data[:room]
        self._tail += data[room:]
        # Cut in large pieces: each cut moves what is left.
        if len(self._tail) > 2 * self._last:
            self._cut()

    def _cut(self) -> None:
        surplus = max(0, len(self._tail) - self._last)
        del self._tail[:surplus]
        self._dropped += surplus

    def value(self) -> bytes:
        """All of it, or its two ends with a line between them that says what is missing."""
        self._cut()
        between = b"\n[%d bytes left out]\n" % self._dropped if self._dropped else b""
        return bytes(self._head + between + self._tail)


class OutputLines:
    """Calls *see* with each line, as it comes."""

    def __init__(self, see: Callable[[str], object]) -> None:
        self._see = see
        self._pending = b""

    def add(self, data: bytes) -> None:
        """Take *data*, which may end within a line."""
        *lines, self._pending = (self._pending + data).split(b"\n")
        if len(self._pending) > LONGEST_LINE:
            lines, self._pending = [*lines, self._pending], b""
        for line in lines:
            self._see(line[:LONGEST_LINE].decode("utf-8", "replace"))
