"""No wait for an index is longer than its deadline, whatever the other side does."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_arm64.index.access import Access
from pytest_arm64.index.fetch import Deadline, Fetcher, FetchError

SECONDS = 1.5
HEADERS = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"


@contextmanager
def serving(answer: Callable[[socket.socket, threading.Event], None]) -> Iterator[str]:
    """The address of a server that gives each connection to *answer*."""
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)

        def serve() -> None:
            while not ended.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                threading.Thread(target=one, args=(connection,), daemon=True).start()

        def one(connection: socket.socket) -> None:
            with connection:
                try:
                    connection.recv(4096)
                    answer(connection, ended)
                except OSError:
                    pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/simple/demo/"
        ended.set()
        thread.join()


def drip(content: bytes, connection: socket.socket, ended: threading.Event) -> None:
    connection.sendall(content)
    while not ended.wait(0.05):
        connection.sendall(b"x")


def drips_status(connection: socket.socket, ended: threading.Event) -> None:
    drip(b"", connection, ended)


def drips_header(connection: socket.socket, ended: threading.Event) -> None:
    drip(HEADERS + b"X-Long: ", connection, ended)


def drips_body(connection: socket.socket, ended: threading.Event) -> None:
    drip(HEADERS + b"\r\n", connection, ended)


def drips_size_of_chunk(connection: socket.socket, ended: threading.Event) -> None:
    connection.sendall(HEADERS + b"Transfer-Encoding: chunked\r\n\r\n")
    while not ended.wait(0.05):
        connection.sendall(b"0")


def says_nothing(_: socket.socket, ended: threading.Event) -> None:
    ended.wait()


def redirects_for_ever(connection: socket.socket, _: threading.Event) -> None:
    time.sleep(0.4)
    connection.sendall(
        b"HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )


@pytest.mark.parametrize(
    "answer",
    [
        drips_status,
        drips_header,
        drips_body,
        drips_size_of_chunk,
        says_nothing,
        redirects_for_ever,
    ],
)
def test_a_slow_index_ends_with_the_deadline(
    answer: Callable[[socket.socket, threading.Event], None],
) -> None:
    with serving(answer) as url:
        fetcher = Fetcher(Access(), Deadline(SECONDS))
        began = time.monotonic()
        with pytest.raises(FetchError):
            fetcher.get(url, limit=2**20)
        assert time.monotonic() - began < SECONDS + 2


def test_a_pipe_is_no_file_of_an_index(tmp_path: Path) -> None:
    pipe = tmp_path / "demo-1-py3-none-any.whl"
    os.mkfifo(pipe)
    with pytest.raises(FetchError, match="not a regular file"):
        Fetcher(Access(), Deadline(SECONDS)).get(pipe.as_uri(), limit=2**20)
