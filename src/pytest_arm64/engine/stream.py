"""A connection that the engine has handed over: bytes as they come, and no wait without an end."""

from __future__ import annotations

import contextlib
import socket
import ssl
from typing import Any


class Stream:
    """What docker-py calls a raw socket, with all that has to be closed."""

    def __init__(self, handed: Any) -> None:
        self._response = handed._response  # noqa: SLF001  (docker-py gives no other)
        self._socket: socket.socket = getattr(handed, "_sock", handed)
        self._rest = self._read_ahead()

    def _read_ahead(self) -> bytes:
        """The first bytes of the stream may have come, and been buffered, with the answer."""
        self._socket.setblocking(False)
        reader: Any = self._response.raw._fp.fp  # noqa: SLF001  (docker-py gives no other)
        with contextlib.suppress(ssl.SSLWantReadError):
            return bytes(reader.read(len(reader.peek())) or b"")
        return b""

    def receive(self, seconds: float) -> bytes:
        """The next bytes, none at the end of the stream.

        Raises:
            TimeoutError: nothing came for *seconds*; the stream is as good as before.
        """
        if self._rest:
            rest, self._rest = self._rest, b""
            return rest
        try:
            self._socket.settimeout(seconds)
            return self._socket.recv(65536)
        except TimeoutError:
            raise
        except (OSError, ValueError):
            return b""

    def send(self, data: bytes) -> None:
        """Send *data*, for as long as it takes.

        Raises:
            OSError: the other end does not read it any more.
        """
        self._socket.settimeout(None)
        self._socket.sendall(data)

    def close(self) -> None:
        """Close it, also under a reader that waits in another thread."""
        with contextlib.suppress(OSError, ValueError):
            self._socket.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError, ValueError):
            self._response.close()
