"""Something breaks at each step of a run: a clear error or the same result, and nothing is left."""

from __future__ import annotations

import errno
import functools
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from docker_cases import RunPytest, left_by
from fault_proxy import fault_proxy
from pytest_arm64.engine.container import Container
from pytest_arm64.engine.container_plan import Plan
from pytest_arm64.engine.endpoint import Engine
from pytest_arm64.errors import EngineError

pytestmark = pytest.mark.alone

LONGEST_SECONDS = 30.0
"""How much longer than one without a fault a run may take."""
START_SECONDS = 30.0
"""What a run without a fault takes at most, on a machine that has other work too."""

SUITE = """
import time
def test_a(): pass
def test_b(): time.sleep(0.2)
"""

# By number of the request of a run whose environment is there:
# 1 version, 2 info, 3 sweep, 4-7 images, 8 create, 9 inspect, 10 attach, 11 start, 12 look for the
# marker, 13 the task, 14 exec, 15 its stream, 16 its end, 17 remove, 18 remove what is left.
POINTS = {
    "cut": (1, 2, 3, 4, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18),
    "lost": (2, 8, 9, 10, 11, 13, 14, 15, 17),
    "hang": (1, 4, 8, 11, 13, 15, 16, 17),
    "error": (2, 4, 8, 10, 11, 13, 14, 16),
    "delay": (1, 8, 15),
    "stop": (5, 8, 11, 14, 16, 17),
    "restart": (8, 11, 15),
}
ALWAYS = {("cut", 15), ("lost", 8), ("error", 14), ("stop", 16)}
CASES = [
    pytest.param(kind, at, marks=() if (kind, at) in ALWAYS else pytest.mark.long)
    for kind, points in POINTS.items()
    for at in points
]

Start = Callable[..., subprocess.Popen[str]]


def engine_socket() -> str:
    return os.environ["DOCKER_HOST"].removeprefix("unix://")


def told_or_same(code: int, out: str) -> None:
    """The outcome is the one without the fault, or an error that a person can read."""
    assert "Traceback" not in out
    assert "INTERNALERROR" not in out
    if code == 0:
        assert "2 passed" in out
    else:
        assert "ERROR: " in out or "incomplete run" in out, out


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory, run_pytest: RunPytest) -> Path:
    """A project whose environment is there."""
    folder = tmp_path_factory.mktemp("prepared")
    (folder / "test_it.py").write_text(SUITE)
    (folder / "requirements-test.txt").write_text("pytest\n")
    assert run_pytest(folder, "--arm64").code == 0
    return folder


@pytest.mark.parametrize(("kind", "at"), CASES)
def test_a_fault_of_the_engine(
    kind: str,
    at: int,
    prepared: Path,
    start_pytest: Start,
    run_pytest: RunPytest,
    engine: Engine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with fault_proxy(tmp_path / "s", engine_socket(), kind, at) as proxy:
        with monkeypatch.context() as patched:
            patched.setenv("DOCKER_HOST", f"unix://{proxy.path}")
            process = start_pytest(prepared, ["--arm64"])
        began = time.monotonic()
        out, _ = process.communicate(timeout=LONGEST_SECONDS + START_SECONDS)
        assert time.monotonic() - began < LONGEST_SECONDS + START_SECONDS
        assert len(proxy.requests) >= at, "the fault has never happened"
        told_or_same(process.returncode, out)
        proxy.frozen.clear()  # the engine is thawed: what it was asked is done now
        if kind != "stop":
            assert not left_by(engine, process.pid), out
    again = run_pytest(prepared, "--arm64")
    assert again.code == 0, again.out
    assert "reused, nothing installed" in again.out
    # What was created and not started when the engine went for good goes with the next run.
    assert not left_by(engine, process.pid), out


def running(process: subprocess.Popen[str], line: str) -> str:
    """Read until the run says *line*; what it said."""
    assert process.stdout is not None
    seen = ""
    for printed in process.stdout:
        seen += printed
        if line in printed:
            return seen
    raise AssertionError(seen)


SLOW = """
import time
def test_a(): pass
def test_b():
    print('HERE', flush=True)
    time.sleep(600)
def test_c(): pass
"""


def test_a_container_that_is_removed_under_a_run(
    project: Callable[..., Path], start_pytest: Start, engine: Engine
) -> None:
    process = start_pytest(project(test_it=SLOW), ["--arm64", "-s"])
    running(process, "HERE")
    (container,) = left_by(engine, process.pid, 0)
    engine.client.api.remove_container(container, force=True, v=True)
    out, _ = process.communicate(timeout=LONGEST_SECONDS)
    assert process.returncode == 1, out
    # The engine kills before it removes, and may be seen between the two.
    assert re.search(r"the container (was removed|has ended)|that are left cannot go on", out)
    assert "2 failed, 1 passed" in out


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGHUP, marks=pytest.mark.long)]
)
def test_signals_take_the_container_away(
    number: signal.Signals, project: Callable[..., Path], start_pytest: Start, engine: Engine
) -> None:
    process = start_pytest(project(test_it=SLOW), ["--arm64", "-s"])
    running(process, "HERE")
    process.send_signal(number)
    out, _ = process.communicate(timeout=LONGEST_SECONDS)
    assert process.returncode == (143 if number == signal.SIGTERM else -number)
    assert ("1 passed" in out) == (number == signal.SIGTERM)
    assert not left_by(engine, process.pid)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 2), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("says", [b"", b"HTTP/1.1 200 OK\r\nX-Long: "], ids=["nothing", "drips"])
def test_a_signal_while_an_index_does_not_answer(
    number: signal.Signals,
    status: int,
    says: bytes,
    project: Callable[..., Path],
    start_pytest: Start,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    folder = project("six==1.17.0\n", test_it=SUITE)
    with socket.create_server(("127.0.0.1", 0)) as server, monkeypatch.context() as patched:
        server.settimeout(START_SECONDS)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/simple"
        patched.setenv("PIP_INDEX_URL", address)
        patched.setenv("no_proxy", "*")
        patched.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        process = start_pytest(folder, ["--arm64", "--arm64-refresh"])
        connection, _ = server.accept()
        with connection:
            connection.sendall(says)
            time.sleep(1)
            connection.sendall(b"x" if says else b"")
            process.send_signal(number)
            began = time.monotonic()
            out, _ = process.communicate(timeout=LONGEST_SECONDS)
    assert time.monotonic() - began < 10, out
    assert process.returncode == status, out
    assert "Traceback" not in out
    assert not left_by(engine, process.pid)


@pytest.mark.long
def test_a_host_that_sleeps(project: Callable[..., Path], start_pytest: Start) -> None:
    """As a machine that is suspended: nothing of the host's runs, then all goes on."""
    folder = project(
        test_it="import time\ndef test_a():\n    print('HERE', flush=True)\n"
        "    time.sleep(3)\ndef test_b(): pass\n"
    )
    process = start_pytest(folder, ["--arm64", "-s", "--arm64-timeout", "60"])
    running(process, "HERE")
    process.send_signal(signal.SIGSTOP)
    time.sleep(20)
    process.send_signal(signal.SIGCONT)
    out, _ = process.communicate(timeout=LONGEST_SECONDS)
    assert process.returncode == 0, out
    assert "2 passed" in out


class _FullDisk:
    """A temporary file that has no room."""

    def __init__(self, size: int) -> None:
        del size

    def write(self, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def close(self) -> None:
        pass


def test_a_full_disk_here_leaves_no_container_locked(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = os.environ["PYTEST_ARM64_IMAGE"].format(arch="arm64")
    cell = Container(engine, Plan(image=image, platform="linux/arm64"))
    cell.start()
    monkeypatch.setattr(tempfile, "SpooledTemporaryFile", _FullDisk)
    with pytest.raises(EngineError, match=os.strerror(errno.ENOSPC)):
        cell.fetch("/usr/lib")
    began = time.monotonic()
    cell.close()
    assert time.monotonic() - began < LONGEST_SECONDS


@pytest.mark.long
def test_damaged_records_and_a_full_disk_cost_only_time(
    prepared: Path,
    run_pytest: RunPytest,
    start_pytest: Start,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    assert run_pytest(prepared, "--arm64").code == 0
    records = sorted((tmp_path / "caches").rglob("*.json"))
    assert records
    for path in records:
        content = path.read_bytes()
        path.write_bytes(content.replace(b"aarch64", b"riscv64")[: len(content)])
    assert run_pytest(prepared, "--arm64").code == 0
    shutil.rmtree(tmp_path / "caches")
    with monkeypatch.context() as patched:
        # As on a disk that is all but full: no file can grow.
        patched.setattr(subprocess, "Popen", _with_no_room(subprocess.Popen))
        result = run_pytest(prepared, "--arm64", "-p", "no:cacheprovider")
    assert result.code == 0, result.out
    assert not list((tmp_path / "caches").rglob("*.json"))


def _with_no_room(start: Any) -> Any:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))

    return functools.partial(start, preexec_fn=limit)
