"""``--pdb``: what it keeps is there after the run, opens the failing test, and can be removed."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from docker_cases import RunPytest
from pytest_arm64.engine.container import KEPT_LABEL
from pytest_arm64.engine.endpoint import Engine

pytestmark = pytest.mark.alone

SUITE = """
import os, platform, pytest
@pytest.mark.parametrize("word", ["it's $HOME"])
def test_fails(word, arm64_target):
    where = platform.machine(), os.getuid(), os.environ.get("OURS"), arm64_target["machine"]
    assert where == word
def test_passes(): pass
"""


def test_the_command_that_is_told_opens_the_failing_test(
    engine: Engine, run_pytest: RunPytest, project: Callable[..., Path]
) -> None:
    folder = project(test_it=SUITE)
    (folder / "pyproject.toml").write_text(
        '[tool.pytest-arm64]\nenv = ["OURS=given"]\nmemory = "512MB"\n'
        '[tool.pytest.ini_options]\naddopts = "--strict-markers --arm64"\n'
    )
    volumes = {volume["Name"] for volume in engine.client.api.volumes()["Volumes"] or ()}
    result = run_pytest(folder, "--pdb", "-q")
    assert "1 failed, 1 passed" in result.out
    (command,) = [line.strip() for line in result.lines("  docker exec -it ")]
    remove = result.out.partition("; remove it: ")[2].partition("\n")[0]
    name = remove.split()[-1]
    try:
        # Another run sweeps what dead processes left behind; this one is not such.
        assert run_pytest(folder, "-q", "-k", "passes").code == 0
        opened = _shell(command.replace(" -it ", " -i ", 1), "p where\nq\n")
        mine = engine.client.api.inspect_container(name)
    finally:
        _shell(remove)
    assert "(Pdb) ('aarch64', " in opened, opened
    assert "'given', 'aarch64')" in opened.partition("(Pdb)")[2]
    assert mine["HostConfig"]["ReadonlyRootfs"] is True
    assert mine["HostConfig"]["CapDrop"] == ["ALL"]
    assert mine["HostConfig"]["Memory"] > 0
    assert mine["Config"]["User"] != ""
    left = engine.client.api.containers(all=True, filters={"label": f"{KEPT_LABEL}=1"})
    assert not any(f"/{name}" in container["Names"] for container in left)
    own = {mount["Name"] for mount in mine["Mounts"] if mount["Type"] == "volume"} - volumes
    assert own
    assert not own & {volume["Name"] for volume in engine.client.api.volumes()["Volumes"] or ()}


def _shell(command: str, typed: str = "") -> str:
    finished = subprocess.run(
        ["sh", "-c", command], input=typed, capture_output=True, text=True, check=False, timeout=120
    )
    return finished.stdout + finished.stderr
