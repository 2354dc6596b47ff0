"""Sessions inside as processes of this machine, for the fidelity tests."""

from __future__ import annotations

import compileall
import contextlib
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from pytest_arm64.environment.inside_files import PACKAGE, inside_files
from pytest_arm64.mirror.kept_place import TASK, KeptPlace, in_words, opened_with
from pytest_arm64.mirror.results import VARIABLE, unpack
from pytest_arm64.mirror.task import End, Task
from pytest_arm64.mirror.transport import COLLECTING, OUTPUT, PROTOCOL, Running, noted_name

INSIDE_FOLDER = "LOCAL_INSIDE"
"""Variable with the folder of our code for the inside, one for all tests of a worker."""


def write_inside(folder: Path) -> None:
    """Write our code for the inside, and its byte-code, as a container has both."""
    for name, content in inside_files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    compileall.compile_dir(folder / PACKAGE, quiet=2)


class LocalTransport:
    """Agents as processes of this machine, with this interpreter and its packages."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._own = dict(environment or {})
        self._environment = {**os.environ, **self._own}
        if "LOCAL_PYTHONPATH" in os.environ:
            self._environment["PYTHONPATH"] = os.environ["LOCAL_PYTHONPATH"]
        self._folder = tempfile.TemporaryDirectory(prefix="pytest-arm64-")
        self._inside = Path(os.environ.get(INSIDE_FOLDER, f"{self._folder.name}/inside"))
        if INSIDE_FOLDER not in os.environ:  # started with an environment of its own
            write_inside(self._inside)
        self._out = Path(self._folder.name, "results")
        self._out.mkdir()
        self._started = 0

    def start(self, task: Task) -> Running:
        self._started += 1
        path = Path(self._folder.name, f"task-{self._started}.json")
        process = subprocess.Popen(
            [sys.executable, str(self._inside / PACKAGE / "start.py"), str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**self._environment, **task.environment, VARIABLE: str(self._out)},
            start_new_session=True,
        )
        assert process.stdin is not None
        process.stdin.write(task.sent())
        process.stdin.flush()  # and stays open, as that of a container's command does
        return _Local(process, Path(f"{path}{COLLECTING}"))

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
        for each in (self._inside, self._folder.name):
            shutil.copytree(each, folder, dirs_exist_ok=True)
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
        """Remove what the tests wrote."""
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

    def wake(self, pid: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)

    def cut(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def collecting(self) -> str:
        with contextlib.suppress(OSError):
            return noted_name(self._collecting.read_bytes())
        return ""

    def end(self) -> End:
        return End(self._process.wait())

    def close(self) -> None:
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()
