"""Source distributions that a cross compiler compiles, in a builder that is emulated otherwise."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from docker_cases import RunPytest
from pytest_arm64.engine.endpoint import Engine

pytestmark = pytest.mark.docker

SOURCE = r"""
#include <Python.h>
#include <sys/auxv.h>
#include <stdexcept>
#include <string>
#include <vector>

static PyObject *item(PyObject *, PyObject *number) {
    std::vector<std::string> words = {"one", "two"};
    try {
        // Thrown by libstdc++, caught here: both must have the same idea of an exception.
        return PyUnicode_FromString(words.at(PyLong_AsSize_t(number)).c_str());
    } catch (const std::out_of_range &error) {
        PyErr_SetString(PyExc_IndexError, error.what());
        return nullptr;
    }
}

static PyMethodDef methods[] = {{"item", item, METH_O, ""}, {}};
static PyModuleDef definition = {PyModuleDef_HEAD_INIT, "NAME", "", -1, methods};
PyMODINIT_FUNC PyInit_NAME() {
    PyObject *module = PyModule_Create(&definition);
    PyModule_AddStringConstant(module, "compiler", __VERSION__);
    return module;
}
"""
SETUP = """
import platform
import subprocess
from setuptools import Extension, setup

assert platform.machine() == "aarch64"
subprocess.run(["uname", "-m"], check=True)
setup(
    name="NAME",
    version="1.0",
    ext_modules=[Extension("NAME", ["m.cc"], extra_compile_args=FLAGS)],
)
"""
TEST = """
import pytest
import NAME

def test_an_exception_of_the_standard_library_is_caught():
    assert NAME.item(1) == "two"
    with pytest.raises(IndexError, match="range_check"):
        NAME.item(2)
"""


def project(folder: Path, name: str, flags: str) -> Path:
    source = folder / f"{name}-1.0"
    links = folder / "project/links"
    links.mkdir(parents=True)
    source.mkdir()
    (source / "PKG-INFO").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (source / "m.cc").write_text(SOURCE.replace("NAME", name))
    (source / "setup.py").write_text(SETUP.replace("NAME", name).replace("FLAGS", flags))
    with tarfile.open(links / f"{name}-1.0.tar.gz", "w:gz") as archive:
        archive.add(source, source.name)
    files = {
        "requirements.txt": f"--find-links {links}\n{name}==1.0\n",
        "requirements-test.txt": "pytest\n",
        "test_it.py": TEST.replace("NAME", name),
    }
    for file, text in files.items():
        (folder / "project" / file).write_text(text)
    return folder / "project"


@pytest.fixture(autouse=True)
def _compiler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PYTEST_ARM64_CROSS_IMAGE", "pytest-arm64/stand-in-cross:bookworm-amd64")
    # What an earlier run has built would be used.
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_what_a_cross_compiler_compiled_runs_and_the_header_names_it(
    run_pytest: RunPytest, engine: Engine, tmp_path: Path
) -> None:
    folder = project(tmp_path, "crossed", "[]")
    result = run_pytest(folder, "--arm64", "--arm64-cross", "auto")
    assert result.code == 0, result.out
    assert "1 passed" in result.out
    emulated = engine.machine == "x86_64"
    assert ("cross-compiled by gcc" in result.out) is emulated, result.out
    plain = run_pytest(folder, "--arm64")
    assert plain.code == 0, plain.out
    assert "cross-compiled" not in plain.out


@pytest.mark.long
def test_what_it_refuses_is_compiled_by_the_builders_own(
    run_pytest: RunPytest, tmp_path: Path
) -> None:
    folder = project(tmp_path, "refused", "['-mcpu=native']")
    result = run_pytest(folder, "--arm64", "--arm64-cross", "auto")
    assert result.code == 0, result.out
    assert "1 passed" in result.out
    assert "cross-compiled" not in result.out
