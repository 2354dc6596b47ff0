"""A real engine that is stopped, killed, restarted or full under a run."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from docker_cases import RunPytest, left_by
from engine_process import EngineProcess, copy_image, engine_process
from pytest_arm64.engine.endpoint import open_engine

pytestmark = [pytest.mark.alone, pytest.mark.long]  # starts an engine of its own, as root

LONGEST_SECONDS = 30.0

SLOW = """
import time
def test_a(): pass
def test_b():
    print('HERE', flush=True)
    time.sleep(600)
def test_c(): pass
"""


@pytest.fixture(scope="module")
def own_engine() -> Iterator[EngineProcess]:
    image = os.environ["PYTEST_ARM64_IMAGE"]
    with (
        # Not pytest's: the path of a socket is short.
        tempfile.TemporaryDirectory(prefix="engine-", ignore_cleanup_errors=True) as folder,
        engine_process(Path(folder)) as process,
    ):
        for name in (image, image.replace("stand-in", "stand-in-builder")):
            reference = name.replace("{arch}", "arm64")
            copy_image(reference, os.environ["DOCKER_HOST"], process.address)
        yield process


@pytest.fixture
def on_it(own_engine: EngineProcess, monkeypatch: pytest.MonkeyPatch) -> EngineProcess:
    monkeypatch.setenv("DOCKER_HOST", own_engine.address)
    return own_engine


def at_here(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    seen = ""
    for line in process.stdout:
        seen += line
        if "HERE" in line:
            return
    raise AssertionError(seen)


def clear(out: str) -> None:
    assert "Traceback" not in out
    assert "INTERNALERROR" not in out


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_an_engine_that_is_restarted(
    number: signal.Signals,
    on_it: EngineProcess,
    start_pytest: Callable[..., subprocess.Popen[str]],
    run_pytest: RunPytest,
    project: Callable[..., Path],
) -> None:
    folder = project(test_it=SLOW)
    process = start_pytest(folder, ["--arm64", "-s"])
    at_here(process)
    on_it.end(number)
    began = time.monotonic()
    out, _ = process.communicate(timeout=LONGEST_SECONDS)
    assert time.monotonic() - began < LONGEST_SECONDS
    clear(out)
    assert process.returncode == 1, out
    assert "incomplete run" in out
    on_it.start()
    (folder / "test_it.py").write_text("def test_a(): pass\n")
    again = run_pytest(folder, "--arm64")
    assert again.code == 0, again.out
    assert "reused, nothing installed" in again.out
    with open_engine() as engine:
        assert not left_by(engine, process.pid)


@pytest.mark.parametrize("left_kib", [64, 4096])
def test_an_engine_whose_disk_is_full(
    left_kib: int, on_it: EngineProcess, run_pytest: RunPytest, project: Callable[..., Path]
) -> None:
    # Of another version each time: nothing of it may be there yet.
    folder = project(
        f"pygments==2.{18 + (left_kib > 64)}.0\n", test_it="import pygments\ndef test_a(): pass\n"
    )
    on_it.fill(left_kib)
    try:
        full = run_pytest(folder, "--arm64")
    finally:
        on_it.empty()
    clear(full.out)
    assert full.code not in (0, 1), full.out
    assert "no space left" in full.out.lower() or "disk" in full.out.lower(), full.out
    assert "next step: " in full.out
    again = run_pytest(folder, "--arm64")
    assert again.code == 0, again.out
    with open_engine() as engine:
        assert engine.client.api.containers(all=True) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of 512 KiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "none", folder], check=True)
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize("variable", ["XDG_CACHE_HOME", "TMPDIR"])
def test_a_host_whose_disk_is_full(
    variable: str,
    small_disk: Path,
    run_pytest: RunPytest,
    project: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    folder = project("pygments==2.17.2\n", test_it="import pygments\ndef test_a(): pass\n")
    with monkeypatch.context() as patched:
        patched.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
        patched.setenv(variable, str(small_disk))
        full = run_pytest(folder, "--arm64", "--arm64-refresh")
    print(full.out)
    clear(full.out)
    if full.code != 0:
        assert "next step: " in full.out
        assert "space" in full.out
    assert run_pytest(folder, "--arm64", "--arm64-refresh").code == 0
