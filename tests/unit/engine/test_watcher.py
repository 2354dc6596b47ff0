"""The watcher: a host that dies leaves no container, one that ends in order is left alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from pytest_arm64.engine import watcher
from pytest_arm64.engine.watcher import remove_containers, watching
from unit.support import Answer, PlayedEngine, played_engine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LABEL = "pytest-arm64.session=0123"
TWO: dict[str, Answer] = {
    "GET /containers/json": (200, [{"Id": "one"}, {"Id": "two"}]),
    "DELETE /containers/one": (204, b""),
    "DELETE /containers/two": (409, {"message": "removal in progress"}),
}
# A host that says its watcher's process id, and then waits to be killed.
HOST = """
import subprocess, sys
from pytest_arm64.engine import watcher
made = []
class Popen(subprocess.Popen):
    def __init__(self, *arguments, **more):
        super().__init__(*arguments, **more)
        print(self.pid, flush=True)
watcher.subprocess.Popen = Popen
with watcher.watching(sys.argv[1], sys.argv[2]):
    sys.stdin.read()
"""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[PlayedEngine]:
    with played_engine(tmp_path / "s.sock", TWO) as played:
        yield played


def host(path: str) -> tuple[subprocess.Popen[str], int]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOST, path, LABEL],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, int(process.stdout.readline())


def close(process: subprocess.Popen[str]) -> None:
    for stream in (process.stdin, process.stdout):
        assert stream is not None
        stream.close()


def kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def test_a_host_that_is_killed(engine: PlayedEngine) -> None:
    process, pid = host(engine.path)
    try:
        process.kill()
        process.wait()
        assert engine.wait_for("DELETE", 2)
        # What the dead host had asked for may appear later: the watcher asks again.
        assert engine.wait_for("DELETE", 4)
    finally:
        kill(pid)
        close(process)
    removed = {path for path, _ in engine.seen("DELETE")}
    assert removed == {"/containers/one", "/containers/two"}
    assert all(query == {"force": ["1"], "v": ["1"]} for _, query in engine.seen("DELETE"))
    assert all(
        query == {"all": ["1"], "filters": [f'{{"label": ["{LABEL}"]}}']}
        for _, query in engine.seen("GET")
    )


def test_an_engine_that_talks_nonsense_at_first(engine: PlayedEngine) -> None:
    """The watcher outlives whatever it is told."""
    bodies: list[Answer] = [
        (200, {"not": "a list"}),
        (200, [{"no": "id"}]),
        (200, [3]),
        (200, b"no json"),
        (500, {}),
    ]
    engine.answers["GET /containers/json"] = bodies.pop()
    process, pid = host(engine.path)
    try:
        process.kill()
        process.wait()
        while bodies:
            assert engine.wait_for("GET", len(engine.seen("GET")) + 1)
            engine.answers["GET /containers/json"] = bodies.pop()
        assert engine.wait_for("GET", len(engine.seen("GET")) + 1)
        engine.answers.update(TWO)
        assert engine.wait_for("DELETE", 2)
    finally:
        kill(pid)
        close(process)


def test_a_host_that_ends_in_order(engine: PlayedEngine) -> None:
    process, pid = host(engine.path)
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait() == 0
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert process.stdout is not None
    process.stdout.close()
    assert engine.seen("GET") == engine.seen("DELETE") == []


def test_a_host_that_raises(engine: PlayedEngine) -> None:
    with pytest.raises(KeyboardInterrupt), watching(engine.path, LABEL):
        raise KeyboardInterrupt
    assert engine.requests == []


def test_the_terminals_interrupt_does_not_reach_it(
    engine: PlayedEngine, started: list[subprocess.Popen[bytes]]
) -> None:
    with watching(engine.path, LABEL):
        assert os.getsid(started[0].pid) == started[0].pid != os.getsid(0)
    assert started[0].returncode == 0


def test_what_is_left_at_the_end_is_removed_later(
    engine: PlayedEngine, started: list[subprocess.Popen[bytes]]
) -> None:
    with watching(engine.path, LABEL, any_left=lambda: True):
        assert engine.requests == []
    assert engine.wait_for("DELETE", 2)
    engine.answers["GET /containers/json"] = (200, [])
    os.waitpid(started[0].pid, 0)
    # Not as long as for a host that died, from which something may still come.
    assert len(engine.seen("GET")) < watcher.GRACE_SECONDS


def test_an_engine_that_is_away_at_the_end_is_asked_again(engine: PlayedEngine) -> None:
    engine.answers["GET /containers/json"] = (503, b"[]")
    with watching(engine.path, LABEL, any_left=lambda: True):
        pass
    assert engine.wait_for("GET", 2)
    engine.answers.update(TWO)
    assert engine.wait_for("DELETE", 2)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """Watchers that this process starts."""
    found: list[subprocess.Popen[bytes]] = []
    original = subprocess.Popen

    def popen(*arguments: object, **more: object) -> subprocess.Popen[bytes]:
        process = original(*arguments, **more)  # type: ignore[call-overload]
        found.append(process)
        return process  # type: ignore[no-any-return]

    monkeypatch.setattr(subprocess, "Popen", popen)
    return found


def test_a_watcher_that_was_killed(
    engine: PlayedEngine, started: list[subprocess.Popen[bytes]]
) -> None:
    with watching(engine.path, LABEL):
        started[0].kill()
        started[0].wait()
    assert started[0].returncode == -signal.SIGKILL


def test_a_fork_that_holds_the_pipe(
    engine: PlayedEngine, started: list[subprocess.Popen[bytes]]
) -> None:
    """A child that lives on must not make the end of the session wait."""
    with watching(engine.path, LABEL):
        stdin = started[0].stdin
        assert stdin is not None
        copy = os.dup(stdin.fileno())
        timer = threading.Timer(20, os.close, [copy])
        timer.start()
    waited = not timer.is_alive()
    timer.cancel()
    if not waited:
        os.close(copy)
    assert not waited
    assert started[0].returncode == 0
    assert engine.requests == []


class TestRemove:
    def test_count(self, engine: PlayedEngine) -> None:
        assert remove_containers(engine.path, LABEL) == 2

    def test_nothing_there(self, engine: PlayedEngine) -> None:
        engine.answers["GET /containers/json"] = (200, [])
        assert remove_containers(engine.path, LABEL) == 0
        assert engine.seen("DELETE") == []

    def test_refused(self, engine: PlayedEngine) -> None:
        engine.answers["GET /containers/json"] = (500, {"message": "broken"})
        with pytest.raises(OSError, match="500"):
            remove_containers(engine.path, LABEL)
        assert engine.seen("DELETE") == []

    def test_absent(self, tmp_path: Path) -> None:
        with pytest.raises(OSError, match="No such file"):
            remove_containers(str(tmp_path / "absent"), LABEL)


def test_needs_the_standard_library_only() -> None:
    """It runs without site-packages, alone."""
    finished = subprocess.run(
        [sys.executable, "-I", "-S", watcher.__file__, "/absent", LABEL],
        input=b"done",
        capture_output=True,
        check=False,
        timeout=20,
    )
    assert (finished.returncode, finished.stderr) == (0, b"")
