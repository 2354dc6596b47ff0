"""What can be wrong before a run, provoked for real: `doctor` and a run say the same of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from docker_cases import RunPytest
from fault_proxy import fault_proxy
from pytest_arm64.config.cell import Cell
from pytest_arm64.config.targets import shipped_targets
from pytest_arm64.engine import emulation
from pytest_arm64.engine.container import Container
from pytest_arm64.engine.container_plan import Plan
from pytest_arm64.engine.endpoint import Engine
from pytest_arm64.engine.images import find_image
from pytest_arm64.engine.probe import probe
from pytest_arm64.errors import EmulationError

ABSENT = "unix:///nonexistent/engine.sock"


def stand_in(architecture: str) -> str:
    return os.environ["PYTEST_ARM64_IMAGE"].replace("{arch}", architecture)


@pytest.fixture(scope="module")
def without_python(engine: Engine) -> Iterator[str]:
    """The stand-in with no interpreter in it."""
    plan = Plan(image=stand_in("arm64"), platform="linux/arm64")
    with Container(engine, plan) as container:
        container.run(["sh", "-c", "rm -f /usr/bin/python3* /usr/local/bin/python3*"])
        image = container.commit("without-python:test", {})
    yield "without-python:test"
    engine.client.images.remove(str(image.id))


def doctor(folder: Path, *before: str) -> tuple[int, dict[str, Any]]:
    """Exit code, and the first check that failed."""
    command = [*before, sys.executable, "-m", "pytest_arm64", "doctor", "--format", "json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    checks = json.loads(done.stdout)["checks"]
    failed = [check for check in checks if check["state"] == "failed"]
    return done.returncode, failed[0] if failed else {}


@pytest.mark.parametrize(
    ("variable", "value", "check", "error", "says"),
    [
        ("DOCKER_HOST", ABSENT, "engine", "EngineError", "no container engine answers"),
        ("PYTEST_ARM64_IMAGE", "without-python:test", "python", "ImageError", "has no Python"),
        ("PYTEST_ARM64_IMAGE", "localhost:1/absent", "image", "ImageError", "localhost:1/absent"),
    ],
    ids=["no engine", "no Python", "no registry"],
)
def test_a_run_and_doctor_name_it(
    variable: str,
    value: str,
    check: str,
    error: str,
    says: str,
    without_python: str,
    project: Callable[..., Path],
    run_pytest: RunPytest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(variable, value)
    folder = project(test_it="def test_it(): pass")
    code, failed = doctor(folder)
    assert code == 1
    assert (failed["name"], failed["error"]) == (check, error)
    assert says in failed["detail"]
    assert failed["why"]
    assert failed["next_step"]
    result = run_pytest(folder, "--arm64")
    assert result.code == 4, result.out
    assert says in result.out
    assert "why it matters: " in result.out
    assert "next step: " in result.out
    assert "Traceback" not in result.out


def test_no_permission(
    project: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A socket that this user may not open."""
    folder = project(test_it="def test_it(): pass")
    engine = os.environ["DOCKER_HOST"].removeprefix("unix://")
    with fault_proxy(tmp_path / "s", engine) as proxy:
        proxy.path.chmod(0)
        monkeypatch.setenv("DOCKER_HOST", f"unix://{proxy.path}")
        # Root may do what it likes, unless it has lost its capabilities.
        dropped = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
        code, failed = doctor(folder, *(dropped if os.getuid() == 0 else []))
    assert proxy.requests == []
    assert code == 1
    assert failed["error"] == "EngineError"
    assert "refuses this user: permission denied" in failed["detail"]
    assert "docker" in failed["next_step"]


def test_an_image_of_another_architecture(
    project: Callable[..., Path], run_pytest: RunPytest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_ARM64_IMAGE", stand_in("amd64"))
    result = run_pytest(project(test_it="def test_it(): pass"), "--arm64")
    assert result.code == 4, result.out
    assert "arm64" in result.out
    assert "next step: " in result.out


def test_a_core_that_the_emulator_does_not_know(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The words are those of the real emulator, asked for a core of the future."""
    if engine.machine == "aarch64":
        pytest.skip("nothing is emulated on an ARM machine")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setitem(emulation.QEMU_MODELS, "graviton4", "neoverse-n9")
    target = shipped_targets()["al2023-python3.12"]
    base = find_image(engine, stand_in("arm64"))
    assert base is not None
    cell = Cell(target, "arm64", "graviton4", base.reference)
    with pytest.raises(EmulationError) as caught:
        probe(engine, cell, base, ["python3"])
    assert "does not know the core that stands for graviton4" in caught.value.what
    assert "qemu 8.2 or newer" in caught.value.next_step
