"""A project for another Python is refused before it is installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_arm64.environment.python_limits import refuse_other_python
from pytest_arm64.errors import InstallError
from pytest_arm64.inputs.manifest import read_manifest
from unit.support import AL2023, ran, settings_of, write

BUILD = '[build-system]\nrequires = ["hatchling"]\n'
PROJECT = f'{BUILD}[project]\nname = "own"\nversion = "1"\n'


def refuse(folder: Path, files: dict[str, str], version: str = "3.12.4") -> None:
    write(folder, files)
    minor = version.rpartition(".")[0]
    facts = ran(python_version=version, python_minor=minor)
    refuse_other_python(read_manifest(settings_of(folder), folder), AL2023, facts)


@pytest.mark.parametrize(
    ("files", "specifier"),
    [
        ({"pyproject.toml": f'{PROJECT}requires-python = ">=3.13"\n'}, ">=3.13"),
        ({"pyproject.toml": f'{PROJECT}requires-python = "<3.12"\n'}, "<3.12"),
        ({"pyproject.toml": f'{PROJECT}requires-python = ">=3.12.9"\n'}, ">=3.12.9"),
        (
            {
                "pyproject.toml": f'{BUILD}[tool.poetry]\nname = "own"\nversion = "1"\n'
                '[tool.poetry.dependencies]\npython = "^3.13"\n'
            },
            "3.13",
        ),
        ({"setup.py": "", "setup.cfg": "[options]\npython_requires = >=3.13\n"}, ">=3.13"),
    ],
)
def test_a_project_for_another_python_is_refused_with_the_targets_that_would_do(
    tmp_path: Path, files: dict[str, str], specifier: str
) -> None:
    with pytest.raises(InstallError) as error:
        refuse(tmp_path, files)
    assert specifier in error.value.what
    assert "the target al2023-python3.12 has 3.12.4" in error.value.what
    if "3.13" in specifier:
        assert "al2023-python3.13" in error.value.next_step


def test_where_another_image_runs_its_python_counts(tmp_path: Path) -> None:
    files = {"pyproject.toml": f'{PROJECT}requires-python = ">=3.12"\n'}
    refuse(tmp_path, files)
    with pytest.raises(InstallError, match=r"which runs for al2023-python3.12, has 3.11.2"):
        refuse(tmp_path, files, "3.11.2")


@pytest.mark.parametrize(
    "files",
    [
        {"pyproject.toml": f'{PROJECT}requires-python = ">=3.12"\n'},
        {"pyproject.toml": f'{PROJECT}requires-python = "nonsense"\n'},
        {"pyproject.toml": PROJECT, ".python-version": "3.9\n"},
        {
            "pyproject.toml": '[project]\nname = "own"\nversion = "1"\nrequires-python = ">=3.13"\n'
            "[tool.uv]\npackage = false\n"
        },
        {"requirements.txt": "six\n"},
    ],
)
def test_what_no_installer_refuses_is_left_alone(tmp_path: Path, files: dict[str, str]) -> None:
    refuse(tmp_path, files)
