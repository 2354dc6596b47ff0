"""A process that outlives the host process and removes the containers that it left behind.

The container's own lifeline (PID 1 reads a stdin that only the host holds) ends a container that
was started. A host that is killed between "create" and "start" leaves one that never ran; this
watcher removes it. It needs nothing but the standard library, sleeps on a pipe, and exists for
engines behind a Unix socket, where a second connection costs nothing.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

GRACE_SECONDS = 6.0
"""How long a request that the dead host had sent may still make a container appear."""
NONE_LEFT, LEFT = b"n", b"l"
"""What a host says that ends in order: whether containers of its own may still be there."""


@contextmanager
def watching(
    socket_path: str,
    label: str,
    hold: int | None = None,
    any_left: Callable[[], bool] = lambda: False,
) -> Iterator[None]:
    """Have containers with *label* (``key=value``) removed when this process ends or dies.

    *hold* is a descriptor that the watcher keeps open as long as it needs the socket; *any_left*
    tells at the end whether there may be some: the watcher removes them, and nobody waits for it.
    """
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", __file__, socket_path, label, *(["ours"] if hold else [])],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        pass_fds=() if hold is None else (hold,),
        cwd="/",
    )
    assert process.stdin is not None
    try:
        yield
    finally:
        # A word before the end tells an orderly end from a death.
        left = any_left()
        with suppress(OSError):  # a watcher that was killed has nothing to be told
            process.stdin.write(LEFT if left else NONE_LEFT)
            process.stdin.flush()
        with suppress(OSError):
            process.stdin.close()
        if left:
            process.returncode = 0  # it outlives this process, which Python would warn of
        else:
            process.wait()


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=30)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _request(path: str, method: str, url: str) -> tuple[int, bytes]:
    connection = _Connection(path)
    try:
        connection.request(method, url)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def remove_containers(path: str, label: str) -> int:
    """Remove containers with *label*, running or not, with their volumes; how many there were.

    Raises:
        OSError, ValueError, LookupError, TypeError, http.client.HTTPException: it does not answer
            as an engine does.
    """
    filters = urllib.parse.quote(json.dumps({"label": [label]}))
    status, body = _request(path, "GET", f"/containers/json?all=1&filters={filters}")
    if status != 200:
        raise OSError(f"the engine's answer is {status}")
    names = [str(container["Id"]) for container in json.loads(body)]
    for name in names:
        _request(path, "DELETE", f"/containers/{name}?force=1&v=1")
    return len(names)


def main(path: str, label: str, whose: str = "") -> None:
    """Wait for the host's end; if it came without a word, clean up until nothing appears.

    A socket that is ``ours`` lies in a folder of its own, which nobody else is there to remove.
    """
    # One byte will do: a fork of the host may hold the pipe open long after the word.
    word = sys.stdin.buffer.read(1)
    if word == NONE_LEFT:
        return
    deadline = time.monotonic() + GRACE_SECONDS
    while time.monotonic() < deadline:
        # An engine that is gone, or talks nonsense, has nothing to remove.
        with suppress(OSError, ValueError, LookupError, TypeError, http.client.HTTPException):
            if remove_containers(path, label) == 0 and word == LEFT:
                break  # the host asks for no more
        time.sleep(0.25)
    if whose == "ours":
        with suppress(OSError):
            os.unlink(path)  # noqa: PTH108  (starts fast)
        with suppress(OSError):
            os.rmdir(os.path.dirname(path))  # noqa: PTH106, PTH120  (starts fast)


if __name__ == "__main__":
    main(*sys.argv[1:])
