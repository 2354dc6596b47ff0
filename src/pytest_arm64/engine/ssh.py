"""An engine on another machine: its socket, forwarded here by one ``ssh -L``.

docker-py's own way over ssh starts a program per connection and buffers what it reads, which
stalls live output. One forwarded socket is a Unix socket like any other, for the watcher too.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO
from urllib.parse import SplitResult, unquote, urlsplit

from ..errors import EngineError
from ..isolation import NEUTRAL
from ..temporary import temporary_folder
from .address import DEFAULT_SOCKET

CONNECT_SECONDS = 20
_OPTIONS = (
    "BatchMode=yes",  # there is nobody to ask: pytest has the terminal
    f"ConnectTimeout={CONNECT_SECONDS}",
    "ExitOnForwardFailure=yes",
    "ServerAliveInterval=5",
    "ServerAliveCountMax=4",
    "ControlPath=none",  # a shared connection would keep the forwarded socket when we are gone
)
_PLAIN = re.compile(r"[A-Za-z0-9_.:%\[\]-]{1,255}\Z")


@dataclass(frozen=True)
class Forwarded:
    """A forwarded socket."""

    socket: str
    """Path of the socket on this machine."""
    hold: int
    """A descriptor: ssh lives until every process that holds it has let go of it."""


@dataclass(frozen=True)
class _Remote:
    user: str
    host: str
    port: int | None
    socket: str

    @classmethod
    def of(cls, url: str) -> _Remote:
        try:
            parts: SplitResult = urlsplit(url)
            port, host, user = parts.port, parts.hostname or "", unquote(parts.username or "")
        except ValueError:
            raise _not_an_address(url) from None
        # What begins with a dash would be an option of ssh.
        if not _PLAIN.match(host) or host.startswith("-") or parts.query or parts.fragment:
            raise _not_an_address(url)
        if user and (not _PLAIN.match(user) or user.startswith("-")):
            raise _not_an_address(url)
        path = unquote(parts.path)
        if ":" in path or not path.isprintable():
            raise _not_an_address(url)
        return cls(user, host, port, path if path.strip("/") else DEFAULT_SOCKET)

    def command(self, local: str) -> list[str]:
        options = [word for option in _OPTIONS for word in ("-o", option)]
        options += ["-L", f"{local}:{self.socket}"]
        options += ["-p", str(self.port)] if self.port is not None else []
        options += ["-l", self.user] if self.user else []
        # `cat` ends with our end of the pipe, and ssh with it, however this process dies.
        return ["ssh", "-T", *options, "--", self.host, "cat"]

    def by_hand(self) -> str:
        port = f"-p {self.port} " if self.port is not None else ""
        return f"ssh {port}{f'{self.user}@' if self.user else ''}{self.host} docker version"


@contextmanager
def forwarded(url: str) -> Iterator[Forwarded]:
    """The engine's socket behind *url* (``ssh://[USER@]HOST[:PORT][/SOCKET]``), on this machine.

    Raises:
        EngineError: the address is none, ssh is not installed, or it did not get through.
    """
    remote = _Remote.of(url)
    with (
        # A socket's path may have 100 characters or so: not below a long TMPDIR.
        temporary_folder("/tmp") as folder,  # noqa: S108  (a folder for this user alone)
        tempfile.TemporaryFile() as log,
    ):
        local = str(folder / "engine.sock")
        process = _start(remote, local, log)
        assert process.stdin is not None
        try:
            _wait(process, url, remote, local, log)
            yield Forwarded(local, process.stdin.fileno())
        finally:
            with suppress(OSError):
                process.stdin.close()
            process.terminate()
            process.wait()


def _start(remote: _Remote, local: str, log: IO[bytes]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            remote.command(local),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=log,
            cwd=NEUTRAL,
            start_new_session=True,  # Ctrl-C is for the tests, not for the way to them
        )
    except FileNotFoundError:
        raise EngineError(
            "the engine is behind ssh, and there is no program ssh on this machine",
            why="the engine's socket is forwarded by it",
            next_step="install an OpenSSH client",
        ) from None


def _wait(
    process: subprocess.Popen[bytes], url: str, remote: _Remote, local: str, log: IO[bytes]
) -> None:
    deadline = time.monotonic() + CONNECT_SECONDS + 5
    while not os.path.lexists(local):
        if process.poll() is not None or time.monotonic() > deadline:
            log.seek(0)
            said = log.read().decode("utf-8", "replace").strip().splitlines()
            raise EngineError(
                f"ssh did not get through to {url}: {said[-1] if said else 'it says nothing'}",
                why="tests can only run on ARM64 inside a container, and the engine is there",
                next_step=f"make sure that this works without a prompt: {remote.by_hand()}",
            )
        time.sleep(0.02)


def _not_an_address(url: str) -> EngineError:
    return EngineError(
        f"the engine's address {url} cannot be used: it is not ssh://[USER@]HOST[:PORT][/SOCKET]",
        next_step="look at DOCKER_HOST",
    )
