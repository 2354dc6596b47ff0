"""An image that comes from a real registry, over a connection that breaks, stalls or holds."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from docker_cases import RunPytest
from pytest_arm64.engine.endpoint import Engine
from pytest_arm64.engine.images import find_image, remove_derived
from pytest_arm64.environment.tree import TarEntry, tar_of

# Needs the program of Debian's package docker-registry.
pytestmark = [pytest.mark.alone, pytest.mark.long]

LAYER_BYTES = 24 << 20
LONGEST_SECONDS = 45.0
CONFIGURATION = """
version: 0.1
storage:
  filesystem: {{rootdirectory: {folder}}}
http: {{addr: "127.0.0.1:{port}"}}
"""


@dataclass
class Line:
    """Carries connections to a registry until ``left`` bytes of its answers have passed."""

    to: int
    port: int = 0
    left: int | None = None
    stalls: bool = False
    """Whether what comes after ``left`` is withheld, and not cut off."""
    over: threading.Event = field(default_factory=threading.Event)

    def serve(self, listening: socket.socket) -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            registry = socket.create_connection(("127.0.0.1", self.to))
            for work in ((client, registry, False), (registry, client, True)):
                threading.Thread(target=self._carry, args=work, daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket, counted: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if counted and self.left is not None:
                    self.left -= len(data)
                    if self.left < 0:
                        if self.stalls:
                            self.over.wait()
                        break
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    folder = tmp_path / "registry"
    folder.mkdir()
    port = free_port()
    (folder / "config.yml").write_text(CONFIGURATION.format(folder=folder / "data", port=port))
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(
            ["docker-registry", "serve", str(folder / "config.yml")], stdout=log, stderr=log
        ) as registry,
    ):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with socket.socket() as knocking:
                if knocking.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        with contextlib.closing(socket.socket()) as listening:
            listening.bind(("127.0.0.1", 0))
            listening.listen(64)
            carried = Line(port, listening.getsockname()[1])
            threading.Thread(target=carried.serve, args=(listening,), daemon=True).start()
            yield carried
            carried.over.set()
            listening.shutdown(socket.SHUT_RDWR)
        registry.terminate()


@pytest.fixture
def published(line: Line, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The stand-in with a layer that this engine has no more, in the registry."""
    base = os.environ["PYTEST_ARM64_IMAGE"].replace("{arch}", "arm64")
    repository, tag = f"localhost:{line.port}/stand-in", os.urandom(4).hex()
    api = engine.client.api
    created = api.create_container(base, ["true"], platform="linux/arm64")["Id"]
    try:
        content = tar_of({"unlike-any-other": TarEntry(os.urandom(LAYER_BYTES))})
        api.put_archive(created, "/usr/share", content)
        api.commit(created, repository, tag)
    finally:
        api.remove_container(created)
    pushed = api.push(repository, tag)
    assert "errorDetail" not in pushed, pushed
    api.remove_image(f"{repository}:{tag}")
    monkeypatch.setenv("PYTEST_ARM64_IMAGE", f"{repository}:{tag}")
    yield f"{repository}:{tag}"
    pulled = find_image(engine, f"{repository}:{tag}")
    if pulled is not None:
        remove_derived(engine, pulled)
        assert find_image(engine, pulled.id) is None


@pytest.mark.parametrize("stalls", [False, True], ids=["cut", "stalled"])
def test_a_pull_that_breaks(
    stalls: bool,
    published: str,
    line: Line,
    run_pytest: RunPytest,
    project: Callable[..., Path],
    engine: Engine,
) -> None:
    folder = project(test_it="def test_a(): pass\n")
    line.left, line.stalls = LAYER_BYTES // 2, stalls
    began = time.monotonic()
    broken = run_pytest(folder, "--arm64")
    assert time.monotonic() - began < LONGEST_SECONDS, broken.out
    assert broken.code == 4, broken.out
    assert "Traceback" not in broken.out
    assert f"ERROR: {published}" in broken.out
    assert "next step: check the network and the registry" in broken.out
    assert not engine.client.images.list(name=published)
    line.left = None
    line.over.set()
    again = run_pytest(folder, "--arm64")
    assert again.code == 0, again.out
    assert f"pull {published}" in again.out
