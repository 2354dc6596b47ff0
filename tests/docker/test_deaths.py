"""Tests that kill their process in a container, and hosts that are killed outside of one."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from docker_cases import RunPytest, ours
from pytest_arm64.engine.container import Container, Plan
from pytest_arm64.engine.endpoint import LABEL, Engine
from pytest_arm64.environment.tree import RECORD

KILLS = 20
GONE_WITHIN_SECONDS = 10.0

DEADLY = """
import os, signal, sys
import pytest

def test_before(): pass

@pytest.mark.parametrize("name", ["SIGSEGV", "SIGILL", "SIGABRT", "SIGKILL"])
def test_dies(name):
    print("last words of", name, file=sys.__stderr__, flush=True)
    os.kill(os.getpid(), getattr(signal, name))

def test_leaves():
    os._exit(0)

def test_after(): pass
"""


def test_a_death_names_signal_and_core_and_the_rest_goes_on(
    run_pytest: RunPytest, project: Callable[..., Path]
) -> None:
    result = run_pytest(project(test_it=DEADLY), "--arm64", "-v", "-s")
    assert result.code == 1, result.out
    assert "5 failed, 2 passed" in result.out
    for name in ("SIGSEGV", "SIGILL", "SIGABRT", "SIGKILL"):
        assert f"killed by {name}" in result.out
        assert f"last words of {name}" in result.out
    assert "aarch64" in result.out
    assert "test_after PASSED" in result.out


def test_ctrl_c_stops_the_tests_and_takes_the_container_away(
    start_pytest: Callable[..., subprocess.Popen[str]],
    project: Callable[..., Path],
    engine: Engine,
) -> None:
    folder = project(
        test_it="import time\ndef test_a(): pass\ndef test_b():\n    print('HERE', flush=True)\n"
        "    time.sleep(600)\ndef test_c(): pass\n"
    )
    before = set(ours(engine))
    process = start_pytest(folder, ["--arm64", "-v", "-s"])
    assert process.stdout is not None
    seen = ""
    for line in process.stdout:
        seen += line
        if "HERE" in line:
            break
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=30)
    assert process.returncode == 2, seen + rest
    assert "KeyboardInterrupt" in rest
    assert "1 passed" in rest
    assert set(ours(engine)) <= before


def test_a_killed_host_leaves_no_container_and_no_half_made_image(
    start_pytest: Callable[..., subprocess.Popen[str]],
    run_pytest: RunPytest,
    project: Callable[..., Path],
    engine: Engine,
) -> None:
    """Half of the kills meet an installation, half a run that finds its environment."""
    folder = project("colorama==0.4.6\n", test_it="import colorama\ndef test_it(): pass\n")
    assert run_pytest(folder, "--arm64").code == 0
    before = set(ours(engine))
    moments = random.Random(64)
    for number in range(KILLS):
        installs = number % 2 == 1
        arguments = ["--arm64", "--arm64-refresh"] if installs else ["--arm64"]
        process = start_pytest(folder, arguments)
        time.sleep(moments.uniform(0.2, 9.0 if installs else 3.5))
        process.kill()
        process.communicate()
        deadline = time.monotonic() + GONE_WITHIN_SECONDS
        while set(ours(engine)) - before and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not set(ours(engine)) - before, f"kill number {number} left a container"
    again = run_pytest(folder, "--arm64")
    assert again.code == 0, again.out
    # Whatever has the name of an environment holds the record that is written last.
    for image in engine.client.images.list(name=f"{LABEL}/environment"):
        with Container(engine, Plan(image=str(image.id), platform="linux/arm64")) as container:
            assert json.loads(container.read(RECORD))["packages"], image.tags
