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
MESON = {
    "pyproject.toml": """
        [build-system]
        requires = ["meson-python"]
        build-backend = "mesonpy"
        [project]
        name = "arm64-meson"
        version = "1.0"
        dependencies = ["arm64-scikit"]
        [tool.pytest-arm64]
        requirements = "requirements.txt"
        """,
    "meson.build": """
        project('arm64-meson', 'c', version: '1.0')
        py = import('python').find_installation(pure: false)
        py.extension_module('arm64_meson', 'm.c', install: true)
        """,
    "m.c": MODULE % {"name": "arm64_meson"},
    "requirements-test.txt": "pytest\n",
    "test_it.py": """
        import arm64_meson, arm64_scikit

        def test_both_are_compiled():
            assert arm64_meson.__file__.endswith(".so")
            assert arm64_scikit.__file__.endswith(".so")
        """,
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


def test_meson_python_and_scikit_build_core_get_what_they_ask_for(
    run_pytest: RunPytest, tmp_path: Path
) -> None:
    links = tmp_path / "links"
    source = write(tmp_path / "arm64_scikit-1.0", SCIKIT)
    links.mkdir()
    with tarfile.open(links / "arm64_scikit-1.0.tar.gz", "w:gz") as archive:
        archive.add(source, source.name)
    project = write(tmp_path / "project", MESON)
    (project / "requirements.txt").write_text(f"--find-links {links}\narm64-scikit==1.0\n")
    result = run_pytest(project, "--arm64", "-q")
    assert result.code == 0, result.out
    assert "1 passed" in result.out
