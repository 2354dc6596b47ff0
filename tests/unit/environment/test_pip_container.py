"""pip as it is brought into containers: where it has the network, it calls no back end."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from pytest_arm64.environment.failures import Tools, classify
from pytest_arm64.environment.pip_container import PIP_SITE, _environment, _pip
from pytest_arm64.index.pip_config import PipConfig
from unit.support import PYTHON, write

MARK = "open('ran', 'w').close()\n"
BACKEND = MARK + "raise SystemExit('the back end runs')\n"
PROJECTS = {
    "setup.py": {"setup.py": BACKEND},
    "a back end of its own": {
        "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "own"\n'
        'backend-path = ["."]\n',
        "own.py": BACKEND,
    },
    "metadata that are known": {
        "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "own"\n'
        'backend-path = ["."]\n[project]\nname = "demo"\nversion = "1"\n',
        "own.py": BACKEND,
    },
}


def pip_site(folder: Path, *, builds: bool) -> Path:
    for content in _pip(PYTHON, builds=builds):
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            archive.extractall(folder, filter="data")
    return folder / PIP_SITE.lstrip("/")


def installed(site: Path, project: Path, *options: str) -> str:
    """What pip prints that shall install *project*."""
    command = [sys.executable, "-S", "-m", "pip", "install", "--no-index", "--target", "out"]
    own = {"PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1", "PIP_USE_PEP517": "1"}
    finished = subprocess.run(
        [*command, *options, str(project)],
        cwd=project,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(project),
            "PIP_CONFIG_FILE": os.devnull,
            **own,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode != 0
    return finished.stdout + finished.stderr


@pytest.mark.parametrize("options", [(), ("--no-build-isolation",), ("--no-deps", "-e")], ids=str)
@pytest.mark.parametrize("kind", PROJECTS)
def test_no_code_of_a_project_runs(tmp_path: Path, kind: str, options: tuple[str, ...]) -> None:
    project = write(tmp_path / "project", PROJECTS[kind])
    printed = installed(pip_site(tmp_path, builds=False), project, *options)
    assert not (project / "ran").exists()
    assert "the back end runs" not in printed
    if kind != "setup.py" or "--no-build-isolation" in options:
        failures = classify(printed, Tools())
        assert "--arm64-build-network" in failures[0].fix


def test_where_it_may_build_it_does(tmp_path: Path) -> None:
    project = write(tmp_path / "project", PROJECTS["a back end of its own"])
    installed(pip_site(tmp_path, builds=True), project)
    assert (project / "ran").exists()


def test_without_the_network_nothing_of_pips_configuration_is_named() -> None:
    config = PipConfig({}, {}, (), ca=b"CA", netrc=b"machine host")
    names = set(_environment(config, network=True)) - set(_environment(config, network=False))
    assert {"PIP_CONFIG_FILE", "PIP_CERT", "NETRC"} <= names
