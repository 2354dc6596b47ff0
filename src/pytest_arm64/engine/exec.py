"""A running command in a container, and what it prints as it comes."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from contextlib import suppress

from .endpoint import Engine
from .patience import BETWEEN_SECONDS
from .stream import Stream

STDOUT, STDERR = 1, 2
# Docker's frame of a stream without a terminal: channel, three zeros, length.
_HEADER = struct.Struct(">BxxxL")


class OverdueError(Exception):
    """A command has taken longer than it may."""


class Exec:
    """A running command inside; iterate for ``(STDOUT | STDERR, bytes)`` as they come."""

    def __init__(self, engine: Engine, exec_id: str) -> None:
        self._api = engine.client.api
        self._patience = engine.patience
        self._id = exec_id
        self._stream = Stream(self._api.exec_start(exec_id, socket=True))
        self.deadline = float("inf")
        """When iteration ends with ``OverdueError``, by ``time.monotonic()``."""

    def send(self, data: bytes) -> None:
        """Write *data* to its standard input; what keeps that from arriving is read from it."""
        with suppress(OSError):
            self._patience.wait_for(lambda: self._stream.send(data))

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        pending = bytearray()
        over = False
        while True:
            left = self.deadline - time.monotonic()
            if left <= 0:
                raise OverdueError
            try:
                data = self._stream.receive(min(BETWEEN_SECONDS, left))
            except TimeoutError:
                # What a command said last may arrive after the news of its end.
                if over or self._lost():
                    return
                over = not self._running()
                continue
            if not data:
                return
            pending += data
            while len(pending) >= _HEADER.size:
                channel, length = _HEADER.unpack_from(pending)
                end = _HEADER.size + length
                if len(pending) < end:
                    break
                if length:
                    yield channel, bytes(pending[_HEADER.size : end])
                del pending[:end]

    def _lost(self) -> bool:
        """Whether the engine, or the connection to it, is gone."""
        try:
            self._patience.check()
        except OSError:
            return True
        return False

    def _running(self) -> bool:
        """Whether the command runs, and not only a child of it that holds its output open."""
        from docker.errors import DockerException
        from requests.exceptions import RequestException

        try:
            return bool(self._api.exec_inspect(self._id)["Running"])
        except (DockerException, RequestException, OSError):
            return False

    def code(self) -> int | None:
        """Exit code, None while it runs or where the container is gone."""
        from docker.errors import DockerException
        from requests.exceptions import RequestException

        try:
            code = self._api.exec_inspect(self._id)["ExitCode"]
        except (DockerException, RequestException, OSError):
            return None
        return None if code is None else int(code)

    def close(self) -> None:
        self._stream.close()
