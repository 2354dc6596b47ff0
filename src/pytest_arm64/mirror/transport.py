"""How a task gets to where it runs and what it says gets back: a small Protocol, and two ways."""

from __future__ import annotations

import contextlib
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

from ..engine.container import STDERR, STDOUT, Container, Exec
from ..environment.inside_files import PACKAGE, inside_files
from ..environment.tree import INSIDE, OUT, PYTHON, RESULTS, TarEntry, tar_of, with_parents
from ..errors import EngineError
from .kept_place import TASK, KeptPlace, in_words, opened_with
from .results import VARIABLE, unpack
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
        path = f"task-{self._started}.json"
        self._container.put(OUT, tar_of({path: TarEntry(task.encode())}))
        running = self._container.start_exec(
            [PYTHON, f"{INSIDE}/{PACKAGE}/start.py", f"{OUT}/{path}"],
            environment={**self._environment, **task.environment, VARIABLE: RESULTS},
            workdir="/",
        )
        return _InContainer(self._container, running, f"{OUT}/{path}{COLLECTING}")

    def give(self, files: Mapping[str, bytes]) -> None:
        uid, gid = self._owner
        entries = {name: TarEntry(content, uid=uid, gid=gid) for name, content in files.items()}
        self._container.put(RESULTS, tar_of(with_parents(entries, uid=uid, gid=gid)))

    def fetch(self, folder: Path) -> None:
        with self._container.fetch(RESULTS) as stream:
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

    def collecting(self) -> str:
        with contextlib.suppress(EngineError):
            return _name(self._container.read(self._collecting))
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


class LocalTransport:
    """Agents as processes of this machine, with this interpreter and its packages."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._own = dict(environment or {})
        self._environment = {**os.environ, **self._own}
        self._folder = tempfile.TemporaryDirectory(prefix="pytest-arm64-")
        for name, content in inside_files().items():
            path = Path(self._folder.name, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        self._start = Path(self._folder.name, PACKAGE, "start.py")
        self._out = Path(self._folder.name, "results")
        self._out.mkdir()
        self._started = 0

    def start(self, task: Task) -> Running:
        self._started += 1
        path = Path(self._folder.name, f"task-{self._started}.json")
        path.write_bytes(task.encode())
        return _Local(
            subprocess.Popen(
                [sys.executable, str(self._start), str(path)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**self._environment, **task.environment, VARIABLE: str(self._out)},
                start_new_session=True,
            ),
            Path(f"{path}{COLLECTING}"),
        )

    def give(self, files: Mapping[str, bytes]) -> None:
        for name, content in files.items():
            path = self._out / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def fetch(self, folder: Path) -> None:
        with tempfile.TemporaryFile() as stream:
            with tarfile.open(fileobj=stream, mode="w") as archive:
                archive.add(self._out, self._out.name)
            stream.seek(0)
            unpack(stream, folder)

    def keep(self, task: Task) -> KeptPlace:
        folder = tempfile.mkdtemp(prefix="pytest-arm64-kept-")
        shutil.copytree(self._folder.name, folder, dirs_exist_ok=True)
        path = Path(folder, TASK)
        path.write_bytes(task.encode())
        inherited = {k: os.environ[k] for k in ("PYTHONPATH", "PYTEST_ADDOPTS") if k in os.environ}
        variables = {**inherited, **self._own, **task.environment, VARIABLE: f"{folder}/results"}
        opened = opened_with(variables, inside=folder, task=str(path))
        python = Path(sys.executable)
        start = [str(python), "-m", "pytest"] if task.module else [str(python.with_name("pytest"))]
        words = ["env", *(f"{name}={value}" for name, value in opened.items()), *start]
        return KeptPlace(
            what=f"folder {folder}",
            enter=f"cd {in_words([task.cwd])} && {in_words(words)}",
            remove=in_words(["rm", "-r", folder]),
        )

    def close(self) -> None:
        """Remove the copy of our code."""
        self._folder.cleanup()


class _Local:
    def __init__(self, process: subprocess.Popen[bytes], collecting: Path) -> None:
        self._process = process
        self._collecting = collecting

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        streams = {self._process.stdout: PROTOCOL, self._process.stderr: OUTPUT}
        with selectors.DefaultSelector() as selector:
            for stream, channel in streams.items():
                assert stream is not None
                selector.register(stream, selectors.EVENT_READ, channel)
            while selector.get_map():
                for key, _ in selector.select():
                    data = os.read(key.fd, 65536)
                    if data:
                        yield key.data, data
                    else:
                        selector.unregister(key.fileobj)

    def interrupt(self, pid: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT)

    def kill(self, pid: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def collecting(self) -> str:
        with contextlib.suppress(OSError):
            return _name(self._collecting.read_bytes())
        return ""

    def end(self) -> End:
        return End(self._process.wait())

    def close(self) -> None:
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()


def _name(noted: bytes) -> str:
    """The name in a note, without what an earlier and longer one left behind it."""
    return noted.partition(b"\0")[0].decode("utf-8", "replace")
