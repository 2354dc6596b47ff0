"""A stand-in of Lambda's Runtime API for one process of a function.

Paths, headers and status codes: AWS, "Using the Lambda runtime API for custom runtimes", and the
Runtime Interface Emulator for what that leaves open; both read 2026-11-30.
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from typing import NamedTuple, Union

from .result import MOST_RESPONSE

_RUNTIME = "/2018-06-01/runtime/"
_LONGEST_NUMBER = 20
"""Digits of a size that is believed."""


class Invocation(NamedTuple):
    """One call, as the function's client fetches it."""

    request_id: str
    headers: dict[str, str]
    event: bytes


class CallAwaited(NamedTuple):
    """The client waits for the next call."""


class CallAnswered(NamedTuple):
    """The function returned."""

    payload: bytes


class CallFailed(NamedTuple):
    """The function raised, or could not be loaded."""

    error: bytes


class CallTooLarge(NamedTuple):
    """The function returned more than Lambda takes."""

    size: int


class ProcessEnded(NamedTuple):
    """The process has ended; *code* as ``subprocess`` gives it."""

    code: int


Event = Union[CallAwaited, CallAnswered, CallFailed, CallTooLarge, ProcessEnded]  # noqa: UP007  (evaluated, and Python 3.9 has no |)


class RuntimeApi:
    """The server, on a free port of 127.0.0.1, and what has happened at it."""

    def __init__(self) -> None:
        self.events: SimpleQueue[Event] = SimpleQueue()
        self._server = _Server(self.events)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    @property
    def address(self) -> str:
        """``127.0.0.1:PORT``"""
        return f"127.0.0.1:{self._server.server_port}"

    def invoke(self, invocation: Invocation) -> None:
        """Hand *invocation* to the client that waits."""
        self._server.current = invocation.request_id
        self._server.next.put(invocation)

    def close(self) -> None:
        """End it; the process must have ended before."""
        self._server.next.put(None)
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, events: SimpleQueue[Event]) -> None:
        super().__init__(("127.0.0.1", 0), _Requests)
        self.events = events
        self.next: SimpleQueue[Invocation | None] = SimpleQueue()
        self.current: str | None = None
        """Id of the call that is handled; None before the first one, empty between two."""

    def happened(self, event: Event) -> None:
        """Note *event*, which ends the call: before the client knows, so that all is in order."""
        self.current = ""
        self.events.put(event)

    def handle_error(self, request: object, client_address: object) -> None:
        """A process that was killed leaves its requests unfinished: no reason to print."""


class _Requests(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """``invocation/next``: wait for a call."""
        if self.path != f"{_RUNTIME}invocation/next":
            self._refuse(404, "NotFound", "no such path")
            return
        self.server.events.put(CallAwaited())
        invocation = self.server.next.get()
        if invocation is None:
            self.close_connection = True
            return
        self._answer(200, invocation.event, invocation.headers)

    def do_POST(self) -> None:
        """``init/error``, and ``response`` and ``error`` of the call that is handled."""
        size, body = self._body()
        current = f"{_RUNTIME}invocation/{self.server.current}/"
        if self.path == f"{_RUNTIME}init/error" and self.server.current is None:
            self._accept(CallFailed(body))
        elif self.path == f"{_RUNTIME}init/error":
            self._refuse(403, "InvalidStateTransition", "the function is initialised")
        elif self.path == f"{current}error":
            self._accept(CallFailed(body))
        elif self.path == f"{current}response" and size > MOST_RESPONSE:
            self.server.happened(CallTooLarge(size))
            what = f"Exceeded maximum allowed payload size ({MOST_RESPONSE} bytes)."
            self._refuse(413, "RequestEntityTooLarge", what)
        elif self.path == f"{current}response":
            self._accept(CallAnswered(body))
        elif self.path.startswith(f"{_RUNTIME}invocation/"):
            self._refuse(400, "InvalidRequestID", "Invalid request ID")
        else:
            self._refuse(404, "NotFound", "no such path")

    def _body(self) -> tuple[int, bytes]:
        """How many bytes the request has, and the first of them: as many as a response may have."""
        length = self.headers.get("Content-Length", "0")
        size = int(length) if length.isdecimal() and len(length) < _LONGEST_NUMBER else 0
        body = self.rfile.read(min(size, MOST_RESPONSE))
        left = size - len(body)
        while left > 0 and (piece := self.rfile.read(min(left, 2**16))):
            left -= len(piece)
        return size, body

    def _accept(self, event: Event) -> None:
        self.server.happened(event)
        self._answer(202, b'{"status":"OK"}\n')

    def _refuse(self, status: int, kind: str, message: str) -> None:
        body = json.dumps({"errorMessage": message, "errorType": kind}).encode()
        self._answer(status, body)

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base class's name)
        """Say nothing: the output is the tests'."""
