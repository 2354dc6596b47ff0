"""How a task gets to where it runs and what it says gets back: a small Protocol, and its way."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

from ..engine.container import Container
from ..engine.exec import STDERR, STDOUT, Exec
from ..environment.inside_files import PACKAGE
from ..environment.tree import INSIDE, OUT, PYTHON, RESULTS, TarEntry, tar_of, with_parents
from ..errors import EngineError
from .kept_place import TASK, KeptPlace, in_words, opened_with
from .results import MAXIMUM, MOST_FILES, VARIABLE, unpack
from .task import End, Task

PROTOCOL, OUTPUT = STDOUT, STDERR
"""Channels: the agent's frames, and everything that a test printed."""


CUT = "the container still runs; the connection to it was cut"
COLLECTING = ".collecting"
"""Suffix to a task's path: where the agent notes what it collects, for the case of its death."""


class Running(Protocol):
    """A running agent."""

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        """``(PROTOCOL | OUTPUT, bytes)`` as they come, until the process has closed both."""

    def interrupt(self, pid: int) -> None:
        """Deliver SIGINT to the process that calls itself *pid*."""

    def kill(self, pid: int) -> None:
        """End the process that calls itself *pid*, whatever it is doing."""

    def wake(self, pid: int) -> None:
        """Let the process that calls itself *pid* go on, where something has stopped it."""

    def cut(self) -> None:
        """End the iteration, which waits in another thread, whatever still runs."""

    def collecting(self) -> str:
        """What it was collecting last, empty where it did not."""

    def end(self) -> End:
        """Wait for the end and tell how it came."""

    def close(self) -> None:
        """End it, if it still runs, and let go of it."""


class Transport(Protocol):
    """A place where agents run, one after another."""

    def start(self, task: Task) -> Running:
        """Start an agent on *task*."""

    def give(self, files: Mapping[str, bytes]) -> None:
        """Put *files*, by relative name, below ``$PYTEST_ARM64_OUT``."""

    def fetch(self, folder: Path) -> None:
        """Bring what is below ``$PYTEST_ARM64_OUT`` into *folder*; regular files only.

        Raises:
            ProtocolError: it cannot be taken.
        """

    def keep(self, task: Task) -> KeptPlace:
        """Have such a place stay when this process is gone, for tests of *task*.

        Raises:
            EngineError: it cannot stay.
        """


class ContainerTransport:
    """Agents in a running container."""

    def __init__(
        self, container: Container, environment: Mapping[str, str], owner: tuple[int, int]
    ) -> None:
        self._container = container
        self._environment = environment
        self._owner = owner
        self._started = 0

    def start(self, task: Task) -> Running:
        self._started += 1
        path = f"{OUT}/task-{self._started}.json"
        running = self._container.start_exec(
            [PYTHON, f"{INSIDE}/{PACKAGE}/start.py", path],
            environment={**self._environment, **task.environment, VARIABLE: RESULTS},
            workdir="/",
            stdin=task.sent(),
        )
        return _InContainer(self._container, running, f"{path}{COLLECTING}")

    def give(self, files: Mapping[str, bytes]) -> None:
        uid, gid = self._owner
        entries = {name: TarEntry(content, uid=uid, gid=gid) for name, content in files.items()}
        self._container.put(RESULTS, tar_of(with_parents(entries, uid=uid, gid=gid)))

    def fetch(self, folder: Path) -> None:
        with self._container.fetch(RESULTS, most=MAXIMUM + MOST_FILES * 1024) as stream:
            unpack(stream, folder)

    def keep(self, task: Task) -> KeptPlace:
        name = f"pytest-arm64-kept-{uuid.uuid4().hex[:8]}"
        self._container.put(OUT, tar_of({TASK: TarEntry(task.encode())}))
        variables = {**self._environment, **task.environment, VARIABLE: RESULTS}
        opened = opened_with(variables, inside=INSIDE, task=f"{OUT}/{TASK}")
        self._container.keep(name, opened)
        client = self._container.client_name
        start = ("python", "-m", "pytest") if task.module else ("pytest",)
        return KeptPlace(
            what=f"container {name}, for a day",
            enter=in_words([client, "exec", "-it", "-w", task.cwd, name, *start]),
            remove=in_words([client, "rm", "-fv", name]),
        )


class _InContainer:
    def __init__(self, container: Container, running: Exec, collecting: str) -> None:
        self._container = container
        self._running = running
        self._collecting = collecting

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        return iter(self._running)

    def interrupt(self, pid: int) -> None:
        self._container.start_exec(["kill", "-INT", str(pid)]).close()

    def kill(self, pid: int) -> None:
        with contextlib.suppress(EngineError):
            self._container.start_exec(["kill", "-KILL", str(pid)]).close()

    def wake(self, pid: int) -> None:
        with contextlib.suppress(EngineError):
            self._container.start_exec(["kill", "-CONT", str(pid)]).close()

    def cut(self) -> None:
        self._running.close()

    def collecting(self) -> str:
        with contextlib.suppress(EngineError):
            return noted_name(self._container.read(self._collecting))
        return ""

    def end(self) -> End:
        code = self._running.code()
        end = End(code)
        if code is None:
            return End(None, detail=self._container.lost() or CUT)
        if end.signal == "SIGKILL":
            # Its own, or that of the whole container.
            lost = self._container.lost()
            return End(None, detail=lost) if lost else End(code, self._container.memory_fate())
        return end

    def close(self) -> None:
        self._running.close()


def noted_name(noted: bytes) -> str:
    """The name in a note, without what an earlier and longer one left behind it."""
    return noted.partition(b"\0")[0].decode("utf-8", "replace")
