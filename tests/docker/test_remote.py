"""An engine that is reached through a real sshd, on this machine and with a throw-away key."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from docker_cases import RunPytest, left_by
from pytest_arm64.engine.endpoint import Engine

pytestmark = [pytest.mark.alone, pytest.mark.long]  # needs OpenSSH's server

SERVER = """
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/client.pub
PidFile none
UsePAM no
StrictModes no
"""
CLIENT = """#!/bin/sh
exec {ssh} -F /dev/null -i {folder}/client -o IdentitiesOnly=yes \\
  -o StrictHostKeyChecking=accept-new -o UserKnownHostsFile={folder}/known "$@"
"""


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    """A folder with a client's program for it, and the port of an sshd."""
    folder = tmp_path_factory.mktemp("ssh")
    for name in ("host", "client"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True
        )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "config").write_text(SERVER.format(port=port, folder=folder))
    client = folder / "ssh"
    client.write_text(CLIENT.format(ssh=shutil.which("ssh"), folder=folder))
    client.chmod(0o755)
    Path("/run/sshd").mkdir(exist_ok=True)
    server = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", str(folder / "config")])
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket() as knocking:
            if knocking.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    yield folder, port
    server.terminate()
    server.wait()


@pytest.fixture
def through_ssh(sshd: tuple[Path, int], monkeypatch: pytest.MonkeyPatch) -> None:
    folder, port = sshd
    path = os.environ["DOCKER_HOST"].removeprefix("unix://")
    monkeypatch.setenv("DOCKER_HOST", f"ssh://127.0.0.1:{port}{path}")
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def test_a_run_through_ssh(
    through_ssh: None, run_pytest: RunPytest, project: Callable[..., Path]
) -> None:
    result = run_pytest(project(test_it="def test_a(): pass"), "--arm64")
    assert result.code == 0, result.out
    assert "1 passed" in result.out


def test_a_host_that_is_killed(
    through_ssh: None,
    start_pytest: Callable[..., subprocess.Popen[str]],
    project: Callable[..., Path],
    engine: Engine,
) -> None:
    folder = project(test_it="import time\ndef test_a():\n    print('HERE')\n    time.sleep(600)\n")
    process = start_pytest(folder, ["--arm64", "-s"])
    assert process.stdout is not None
    while "HERE" not in process.stdout.readline():
        assert process.poll() is None
    assert left_by(engine, process.pid, 0)
    folders = set(Path("/tmp").glob("arm64-ssh-*"))
    process.kill()
    process.communicate()
    assert not left_by(engine, process.pid)
    deadline = time.monotonic() + 15
    while any(folder.exists() for folder in folders) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not any(folder.exists() for folder in folders)
