"""One session over two services in real containers: one on ARM64, one that stays on x86."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from docker_cases import RunPytest, outcomes
from pytest_arm64.engine.endpoint import Engine

MANIFEST = """
[tool.pytest.ini_options]
[tool.pytest-arm64.service.api]
requirements = "api/requirements.txt"
test-requirements = "requirements-test.txt"
tests = "api/tests"
env = ["PLACE=api"]
[tool.pytest-arm64.service.gpu]
requirements = "gpu/requirements.txt"
test-requirements = "requirements-test.txt"
tests = "gpu/tests"
boundary = { reason = "CUDA", migratable-when = "never" }
"""
FILES = {
    "pyproject.toml": MANIFEST,
    "api/requirements.txt": "",
    "api/tests/test_it.py": "import os, platform\n"
    "def test_place(): assert (platform.machine(), os.environ['PLACE']) == ('aarch64', 'api')\n"
    "import pytest\n"
    "@pytest.mark.x86_boundary('AVX', 'never')\n"
    "def test_vectors(): assert (platform.machine(), os.environ['PLACE']) == ('x86_64', 'api')\n",
    "gpu/requirements.txt": "",
    "gpu/tests/test_it.py": "import os, platform\n"
    "def test_place(): assert (platform.machine(), 'PLACE' in os.environ) == ('x86_64', False)\n",
}


def test_each_service_runs_on_its_own_architecture(
    run_pytest: RunPytest, project: Callable[..., Path], tmp_path: Path, engine: Engine
) -> None:
    folder = project()
    (folder / "requirements.txt").unlink()
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    junit = tmp_path / "junit.xml"
    result = run_pytest(folder, "--arm64", "--arm64-report", "out", f"--junitxml={junit}")
    assert result.code == 0, result.out
    assert outcomes(junit) == {
        ("api.tests.test_it", "test_place"): "passed",
        ("api.tests.test_it", "test_vectors"): "passed",
        ("gpu.tests.test_it", "test_place"): "passed",
        ("arm64.api", "decision:verdict"): "passed",
        ("arm64.gpu", "decision:boundary"): "passed",
    }
    data = json.loads((folder / "out/report.json").read_text("utf-8"))
    found = {service["name"]: service for service in data["services"]}
    assert found["api"]["verdict"]["verdict"] == "ready, pending a native run"
    assert [run["where"]["machine"] for run in found["api"]["runs"]] == ["aarch64", "x86_64"]
    assert [run["where"]["machine"] for run in found["gpu"]["runs"]] == ["x86_64"]
    assert found["gpu"]["runs"][0]["where"]["emulated"] is (engine.machine != "x86_64")
