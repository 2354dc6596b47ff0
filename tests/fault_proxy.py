"""Stands between a run and its engine, and breaks what it carries at the n-th request."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

KINDS = ("cut", "lost", "hang", "error", "delay", "stop", "restart")
"""What happens at the request.

cut: the connection is closed instead of it; lost: it is done, and its answer is not delivered;
hang: it and everything after it is never answered; error: it is answered by 500; delay: it waits;
stop: every connection is cut and none is accepted any more; restart: likewise, for a while.
"""
DELAY_SECONDS = 3.0
AWAY_SECONDS = 2.0
_ERROR = b'{"message":"injected fault"}'


@dataclass
class Proxy:
    """One proxy; ``requests`` are the heads of what has passed."""

    path: Path
    engine: str
    kind: str = ""
    at: int = 0
    requests: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    frozen: threading.Event = field(default_factory=threading.Event)
    away: bool = False
    sockets: set[socket.socket] = field(default_factory=set)

    def due(self, head: bytes) -> bool:
        """Whether this request is the one; pings and the like are not counted."""
        line = head.split(b"\r\n", 1)[0].decode("latin-1")
        if "/_ping" in line:
            return False
        with self.lock:
            self.requests.append(line)
            return len(self.requests) == self.at

    def drop_all(self) -> None:
        with self.lock:
            dropped, self.sockets = self.sockets, set()
        for each in dropped:
            _close(each)


@contextmanager
def fault_proxy(path: Path, engine: str, kind: str = "", at: int = 0) -> Iterator[Proxy]:
    """A proxy at *path* before the engine's socket; *kind* happens at request *at*, from 1."""
    proxy = Proxy(path, engine, kind, at)
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as listening:
        listening.bind(str(path))
        listening.listen(64)
        threading.Thread(target=_accept, args=(listening, proxy), daemon=True).start()
        try:
            yield proxy
        finally:
            proxy.frozen.clear()
            with contextlib.suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
            proxy.drop_all()


def _accept(listening: socket.socket, proxy: Proxy) -> None:
    while True:
        try:
            client, _ = listening.accept()
        except OSError:
            return
        if proxy.away:
            _close(client)
            continue
        engine = socket.socket(socket.AF_UNIX)
        engine.connect(proxy.engine)
        with proxy.lock:
            proxy.sockets |= {client, engine}
        _Carrier(proxy, client, engine).start()


class _Carrier:
    """One connection."""

    def __init__(self, proxy: Proxy, client: socket.socket, engine: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._engine = engine
        self._swallow = False

    def start(self) -> None:
        for work in (self._requests, self._answers):
            threading.Thread(target=work, daemon=True).start()

    def _requests(self) -> None:
        pending = b""
        with contextlib.suppress(OSError):
            while True:
                while b"\r\n\r\n" not in pending:
                    data = self._client.recv(65536)
                    if not data:
                        _shut(self._engine)
                        return
                    pending += data
                head, _, pending = pending.partition(b"\r\n\r\n")
                if self._proxy.due(head) and not self._break():
                    return
                self._wait()
                self._engine.sendall(head + b"\r\n\r\n")
                pending = self._body(head, pending)

    def _body(self, head: bytes, pending: bytes) -> bytes:
        """Carry a request's body; what is read beyond it is the next request."""
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        upgrade = re.search(rb"(?i)\r\nupgrade:", head)
        chunked = re.search(rb"(?i)\r\ntransfer-encoding: *chunked", head)
        wanted = int(length[1]) if length else 0
        seen = b""
        while chunked or upgrade or wanted:
            take = len(pending) if chunked or upgrade else min(wanted, len(pending))
            self._engine.sendall(pending[:take])
            seen = (seen + pending[:take])[-5:]
            wanted -= take
            pending = pending[take:]
            if chunked and seen == b"0\r\n\r\n":
                return pending
            if not (chunked or upgrade or wanted):
                break
            pending = self._client.recv(65536)
            if not pending:
                _shut(self._engine)
                raise OSError("the client is gone")
            self._wait()
        return pending

    def _answers(self) -> None:
        with contextlib.suppress(OSError):
            while data := self._engine.recv(65536):
                self._wait()
                if self._swallow:
                    break
                self._client.sendall(data)
        _close(self._client)
        _close(self._engine)

    def _wait(self) -> None:
        while self._proxy.frozen.is_set():
            time.sleep(0.05)

    def _break(self) -> bool:
        """Do what is due; whether the request is to be carried all the same."""
        proxy = self._proxy
        if proxy.kind == "delay":
            time.sleep(DELAY_SECONDS)
            return True
        if proxy.kind == "lost":
            self._swallow = True
            return True
        if proxy.kind == "hang":
            proxy.frozen.set()
            return True
        if proxy.kind == "error":
            head = f"HTTP/1.1 500 Internal Server Error\r\nContent-Length: {len(_ERROR)}\r\n"
            self._client.sendall(
                head.encode() + b"Content-Type: application/json\r\nConnection: close\r\n\r\n"
            )
            self._client.sendall(_ERROR)
        elif proxy.kind in ("stop", "restart"):
            proxy.away = True
            proxy.drop_all()
            if proxy.kind == "restart":
                threading.Timer(AWAY_SECONDS, setattr, (proxy, "away", False)).start()
        _close(self._client)
        _close(self._engine)
        return False


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_WR)


def _close(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
