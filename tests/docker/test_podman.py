"""Runs on a real Podman, through its socket."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from docker_cases import RunPytest, left_by
from pytest_arm64.engine.endpoint import open_engine

pytestmark = [pytest.mark.alone, pytest.mark.long]  # needs Podman, and root for images of its own

# What any machine can do: crun refuses hybrid cgroups, and some hosts have lower limits.
CONFIGURATION = """
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""


@pytest.fixture(scope="module")
def podman(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a Podman that has the stand-ins."""
    folder = tmp_path_factory.mktemp("podman")
    (folder / "containers.conf").write_text(CONFIGURATION)
    command = ["podman", "--root", str(folder / "root"), "--runroot", str(folder / "run")]
    with tempfile.TemporaryDirectory(prefix="podman-") as short, pytest.MonkeyPatch.context() as m:
        m.setenv("CONTAINERS_CONF", str(folder / "containers.conf"))
        address = f"unix://{short}/s"
        with (
            (folder / "log").open("wb") as log,
            subprocess.Popen(
                [*command, "system", "service", "--time", "0", address], stdout=log, stderr=log
            ) as service,
        ):
            deadline = time.monotonic() + 20
            while not Path(short, "s").exists():
                assert time.monotonic() < deadline, (folder / "log").read_text()
                time.sleep(0.05)
            for kind in ("stand-in", "stand-in-builder"):
                name = f"pytest-arm64/{kind}:bookworm-arm64"
                with subprocess.Popen(["docker", "save", name], stdout=subprocess.PIPE) as saved:
                    subprocess.run([*command, "load", "-q"], stdin=saved.stdout, check=True)
            yield address
            service.terminate()
        subprocess.run([*command, "rmi", "--all", "--force"], check=True)


@pytest.fixture
def on_podman(podman: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", podman)


def test_a_run_and_another(
    on_podman: None, run_pytest: RunPytest, project: Callable[..., Path]
) -> None:
    folder = project("colorama==0.4.6\n", test_it="import colorama\ndef test_it(): pass\n")
    first = run_pytest(folder, "--arm64")
    assert first.code == 0, first.out
    second = run_pytest(folder, "--arm64")
    assert second.code == 0, second.out
    assert "reused, nothing installed" in second.out


def test_a_host_that_is_killed(
    on_podman: None,
    start_pytest: Callable[..., subprocess.Popen[str]],
    project: Callable[..., Path],
) -> None:
    folder = project(
        test_it="import time\ndef test_it():\n    print('HERE')\n    time.sleep(600)\n"
    )
    process = start_pytest(folder, ["--arm64", "-s"])
    assert process.stdout is not None
    while "HERE" not in process.stdout.readline():
        assert process.poll() is None
    with open_engine() as engine:
        assert engine.podman
        assert len(left_by(engine, process.pid, 0)) == 1
        process.kill()
        process.communicate()
        assert not left_by(engine, process.pid)
