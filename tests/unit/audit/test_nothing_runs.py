"""No byte of a package's own code runs on this machine: booby-trapped ones prove it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pytest_arm64.audit.matrix import SOURCE, UNKNOWN
from unit.index.served import Project, matrix_of_folder, release, sdist, serve

pytestmark = pytest.mark.usefixtures("index_alone")

BUILD = '[build-system]\nrequires = ["helper"]\nbuild-backend = "trap"\nbackend-path = ["."]\n'


def traps(marker: Path) -> dict[str, bytes]:
    """Everything in a source tree that an installer, a build or an import would run."""
    code = f"import pathlib\npathlib.Path({str(marker)!r}).write_text('sprung')\n".encode()
    return {
        "setup.py": code,
        "trap.py": code + b"def build_wheel(*a): pass\n",
        "conftest.py": code,
        "zed/__init__.py": code,
        "sitecustomize.py": code,
        "setup.cfg": b"[metadata]\nname = zed\nversion = attr: zed.version\n",
        "pyproject.toml": BUILD.encode(),
    }


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    return tmp_path / "sprung"


def test_the_traps_are_real(tmp_path: Path, marker: Path) -> None:
    for name, content in traps(marker).items():
        if name.endswith(".py"):
            (tmp_path / "one.py").write_bytes(content)
            subprocess.run([sys.executable, str(tmp_path / "one.py")], check=True)
            assert marker.exists(), name
            marker.unlink()


@pytest.mark.parametrize("edition", ["1.2", "2.1", "2.4"])
def test_a_source_distribution_is_read_and_not_run(
    tmp_path: Path, marker: Path, edition: str
) -> None:
    content = sdist("zed", "1.0", ["leaf"], edition=edition, files=traps(marker))
    projects = {
        "zed": Project([("zed-1.0.tar.gz", "", False)]),
        "leaf": release("leaf", "1.0", "py3-none-any"),
        "helper": release("helper", "1.0", "py3-none-any"),
    }
    with serve(projects, files={"zed-1.0.tar.gz": content}) as index:
        matrix = matrix_of_folder(tmp_path, {"requirements.txt": "zed\n"}, index.url)
    assert matrix["zed"].state == SOURCE
    assert matrix["leaf"].path[-2:] == ("zed 1.0", "leaf 1.0")
    assert [row.name for row in matrix.of_scope("build")] == ["helper"]
    assert not marker.exists()


@pytest.mark.parametrize("line", ["-e ./lib", "./lib", "lib @ file://{}/lib", "-e ./old"])
def test_a_project_of_this_machine_is_read_and_not_run(
    tmp_path: Path, marker: Path, line: str
) -> None:
    files: dict[str, str | bytes] = {"requirements.txt": line.format(tmp_path) + "\n"}
    for name, content in traps(marker).items():
        files[f"lib/{name}"] = content
        if name != "pyproject.toml":
            files[f"old/{name}"] = content
    files["lib/pyproject.toml"] = f'[project]\nname = "lib"\ndynamic = ["version"]\n{BUILD}'
    with serve({}) as index:
        matrix = matrix_of_folder(tmp_path, files, index.url)
    (row,) = matrix.deployed
    assert row.state in (SOURCE, UNKNOWN)
    assert not marker.exists()
