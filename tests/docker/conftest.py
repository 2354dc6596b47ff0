"""Real containers: a missing engine is a failure here, never a reason to skip."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from docker_cases import Result, RunPytest
from pytest_arm64.engine.endpoint import Engine, open_engine

TIMEOUT = 420


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    with open_engine() as opened:
        yield opened


@pytest.fixture(scope="session")
def start_pytest() -> Callable[[Path, Sequence[str]], subprocess.Popen[str]]:
    """Starts pytest in a folder, as a user would, with nothing of this session's own settings."""

    def start(folder: Path, arguments: Sequence[str]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "pytest", *arguments],
            cwd=folder,
            env={
                k: v for k, v in os.environ.items() if not k.startswith("PYTEST_") or "ARM64" in k
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    return start


@pytest.fixture(scope="session")
def run_pytest(
    start_pytest: Callable[[Path, Sequence[str]], subprocess.Popen[str]],
) -> RunPytest:
    """Runs pytest in a folder to its end."""

    def run(folder: Path, *arguments: str) -> Result:
        process = start_pytest(folder, arguments)
        out, _ = process.communicate(timeout=TIMEOUT)
        return Result(process.returncode, out)

    return run


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., Path]:
    """Writes a small project, by default without requirements of its own."""

    def write(requirements: str = "", **files: str) -> Path:
        folder = tmp_path / "project"
        folder.mkdir(exist_ok=True)
        (folder / "requirements.txt").write_text(requirements)
        # Named, so that the host's own plugins are not installed under emulation.
        (folder / "requirements-test.txt").write_text("pytest\n")
        for name, text in files.items():
            (folder / f"{name}.py").write_text(text)
        return folder

    return write
