"""Runs of one project at the same time, with one cache, do not come into each other's way."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from docker_cases import RunPytest, left_by, nameless_images
from pytest_arm64.engine.endpoint import LABEL, Engine

pytestmark = pytest.mark.long

RUNS = 10
SECONDS = 1800
TESTS = """
import platform

import six


def test_machine():
    assert platform.machine() == "aarch64"


def test_package():
    assert six.PY3


def test_that_fails():
    assert not six.PY3
"""


def test_ten_runs_at_once_end_alike_and_leave_one_environment(
    start_pytest: Callable[[Path, Sequence[str]], subprocess.Popen[str]],
    run_pytest: RunPytest,
    project: Callable[..., Path],
    engine: Engine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    # Nobody has the environment of this file yet: all ten begin to build it.
    folder = project(f"six==1.17.0  # {uuid.uuid4()}\n", test_it=TESTS)
    before = environments(engine)
    runs = [start_pytest(folder, ["--arm64"]) for _ in range(RUNS)]
    try:
        outputs = [run.communicate(timeout=SECONDS)[0] for run in runs]
    finally:
        for run in runs:
            run.kill()
    for run, output in zip(runs, outputs, strict=True):
        assert run.returncode == 1, output
        assert "1 failed, 2 passed" in output
        assert "Traceback" not in output
    # One has built it, and the others have waited for it.
    assert sum("reused, nothing installed" in output for output in outputs) == RUNS - 1
    for run in runs:
        assert not left_by(engine, run.pid)
    assert not {run.pid for run in runs} & nameless_images(engine)
    assert len(environments(engine) - before) == 1
    # What they left in the cache is whole: another run needs nothing else.
    later = run_pytest(folder, "--arm64", "--arm64-offline")
    assert "1 failed, 2 passed" in later.out
    assert "reused, nothing installed" in later.out
    assert not list((tmp_path / "cache").rglob("*.part"))


def environments(engine: Engine) -> set[str]:
    """Names of environments, of whatever build each is."""
    images = engine.client.images.list(name=f"{LABEL}/environment")
    return {str(tag) for image in images for tag in image.tags}
