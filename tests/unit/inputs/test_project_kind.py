"""What is no package is not installed: its dependencies are, and it is used from its folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_arm64.inputs.manifest import Manifest, read_manifest
from unit.support import settings_of, write

PROJECT = '[project]\nname = "shop"\nversion = "1"\ndependencies = ["idna>=3", "six"]\n'
BUILD = '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
SETUPTOOLS = '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
VIRTUAL = 'version = 1\n[[package]]\nname = "{}"\nversion = "1"\nsource = {{ virtual = "{}" }}\n'
DEPENDENCIES = ("idna>=3", "six")


def manifest_of(folder: Path, files: dict[str, str]) -> Manifest:
    write(folder, files)
    return read_manifest(settings_of(folder), folder)


@pytest.mark.parametrize(
    "files",
    [
        {"pyproject.toml": PROJECT, "uv.lock": VIRTUAL.format("shop", ".")},
        {"pyproject.toml": PROJECT + BUILD + "[tool.uv]\npackage = false\n"},
        {"pyproject.toml": PROJECT + BUILD + "[tool.poetry]\npackage-mode = false\n"},
        {"pyproject.toml": PROJECT, "app/main.py": "", "infra/stack.py": ""},
        {"pyproject.toml": PROJECT, "app/__init__.py": "", "templates/a.html": ""},
        {"pyproject.toml": PROJECT, "main.py": "", "worker.py": ""},
        {"pyproject.toml": PROJECT + SETUPTOOLS, "app/main.py": "", "infra/stack.py": ""},
        {
            "pyproject.toml": PROJECT + '[build-system]\nrequires = ["setuptools"]\n',
            "main.py": "",
            "worker.py": "",
        },
        {"pyproject.toml": PROJECT + '[tool.pytest-arm64]\ninstall = "none"\n', "a/x.py": ""},
    ],
)
def test_the_dependencies_of_a_project_that_is_no_package_are_installed(
    tmp_path: Path, files: dict[str, str]
) -> None:
    manifest = manifest_of(tmp_path, files)
    assert (manifest.project, manifest.whole) == (None, None)
    assert manifest.deploy.requirements == DEPENDENCIES
    assert manifest.virtual


def test_the_dependencies_of_poetry_without_package_mode_are_installed(tmp_path: Path) -> None:
    text = (
        "[tool.poetry]\npackage-mode = false\n[tool.poetry.dependencies]\n"
        'python = "^3.12"\nidna = "^3.4"\n'
    )
    manifest = manifest_of(tmp_path, {"pyproject.toml": text + BUILD})
    assert manifest.project is None
    assert manifest.deploy.requirements == ("idna<4,>=3.4",)


def test_a_virtual_member_of_a_workspace_is_found_in_the_workspaces_lock(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "pyproject.toml": '[tool.uv.workspace]\nmembers = ["api"]\n',
            "uv.lock": VIRTUAL.format("shop", "api"),
        },
    )
    manifest = manifest_of(tmp_path / "api", {"pyproject.toml": PROJECT})
    assert manifest.deploy.requirements == DEPENDENCIES


@pytest.mark.parametrize(
    "files",
    [
        {"pyproject.toml": PROJECT + BUILD, "app/x.py": "", "infra/x.py": ""},
        {"pyproject.toml": PROJECT, "app/__init__.py": "", "tests/x.py": "", "docs/x.py": ""},
        {"pyproject.toml": PROJECT, "src/app/__init__.py": "", "infra/x.py": ""},
        {"pyproject.toml": PROJECT, "app/x.py": "", "infra/x.py": "", "setup.py": ""},
        {"pyproject.toml": PROJECT + SETUPTOOLS, "app/__init__.py": "", "tests/x.py": ""},
        {"pyproject.toml": PROJECT + SETUPTOOLS, "app/x.py": "", "b/x.py": "", "setup.cfg": ""},
        {"pyproject.toml": PROJECT + "[tool.uv]\npackage = true\n", "a/x": "", "b/x": ""},
        {"pyproject.toml": PROJECT, "app.py": "", "conftest.py": "", "test_app.py": ""},
        {
            "pyproject.toml": PROJECT + '[tool.setuptools]\npackages = ["app"]\n',
            "app/x.py": "",
            "infra/x.py": "",
        },
    ],
)
def test_a_package_is_installed_as_itself(tmp_path: Path, files: dict[str, str]) -> None:
    manifest = manifest_of(tmp_path, files)
    assert manifest.project == tmp_path
    assert manifest.deploy.requirements == ()


def test_a_local_dependency_is_installed_from_its_folder(tmp_path: Path) -> None:
    """Others by name: no index is asked for what is beside the project."""
    (tmp_path / ".git").mkdir()  # both folders are of one repository
    manifest = manifest_of(
        tmp_path / "api",
        {
            "pyproject.toml": PROJECT
            + '[tool.uv]\npackage = false\n[tool.uv.sources]\nsix = { path = "../six" }\n',
            "../six/pyproject.toml": '[project]\nname = "six"\nversion = "1"\n' + BUILD,
        },
    )
    folder = tmp_path / "six"
    assert manifest.deploy.requirements == ("idna>=3", f"six @ {folder.as_uri()}")
    assert folder in manifest.local
