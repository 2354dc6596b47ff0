"""Projects whose back ends ask for more than they write down (PEP 517), built in the builder."""

from __future__ import annotations

import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from docker_cases import RunPytest

pytestmark = pytest.mark.docker

MODULE = """
#include <Python.h>
static struct PyModuleDef def = {PyModuleDef_HEAD_INIT, "%(name)s", NULL, -1, NULL};
PyMODINIT_FUNC PyInit_%(name)s(void) { return PyModule_Create(&def); }
"""
TEST = """
import %(name)s

def test_it_is_compiled():
    assert %(name)s.__file__.endswith(".so")
"""
MESON = {
    "pyproject.toml": """
        [build-system]
        requires = ["meson-python"]
        build-backend = "mesonpy"
        [project]
        name = "arm64-meson"
        version = "1.0"
        """,
    "meson.build": """
        project('arm64-meson', 'c', version: '1.0')
        py = import('python').find_installation(pure: false)
        py.extension_module('arm64_meson', 'm.c', install: true)
        """,
    "m.c": MODULE % {"name": "arm64_meson"},
    "requirements-test.txt": "pytest\n",
    "test_it.py": TEST % {"name": "arm64_meson"},
}
SCIKIT = {
    "PKG-INFO": "Metadata-Version: 2.2\nName: arm64-scikit\nVersion: 1.0\n",
    "pyproject.toml": """
        [build-system]
        requires = ["scikit-build-core"]
        build-backend = "scikit_build_core.build"
        [project]
        name = "arm64-scikit"
        version = "1.0"
        """,
    "CMakeLists.txt": """
        cmake_minimum_required(VERSION 3.15)
        project(arm64_scikit LANGUAGES C)
        find_package(Python REQUIRED COMPONENTS Interpreter Development.Module)
        python_add_library(arm64_scikit MODULE m.c WITH_SOABI)
        install(TARGETS arm64_scikit DESTINATION .)
        """,
    "m.c": MODULE % {"name": "arm64_scikit"},
}


def write(folder: Path, files: Mapping[str, str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        lines = text.splitlines()
        indent = min((len(x) - len(x.lstrip()) for x in lines if x.strip()), default=0)
        (folder / name).write_text("".join(f"{line[indent:]}\n" for line in lines).lstrip("\n"))
    return folder


@pytest.mark.long
def test_a_project_by_meson_python_gets_ninja(run_pytest: RunPytest, tmp_path: Path) -> None:
    result = run_pytest(write(tmp_path / "project", MESON), "--arm64", "-q")
    assert result.code == 0, result.out
    assert "1 passed" in result.out


@pytest.mark.long
def test_a_source_distribution_by_scikit_build_core_gets_cmake(
    run_pytest: RunPytest, tmp_path: Path
) -> None:
    links = tmp_path / "project/links"
    source = write(tmp_path / "arm64_scikit-1.0", SCIKIT)
    links.mkdir(parents=True)
    with tarfile.open(links / "arm64_scikit-1.0.tar.gz", "w:gz") as archive:
        archive.add(source, source.name)
    files = {
        "requirements.txt": f"--find-links {links}\narm64-scikit==1.0\n",
        "requirements-test.txt": "pytest\n",
        "test_it.py": TEST % {"name": "arm64_scikit"},
    }
    result = run_pytest(write(tmp_path / "project", files), "--arm64", "-q")
    assert result.code == 0, result.out
    assert "1 passed" in result.out
