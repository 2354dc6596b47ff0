"""Projects out of a repository: fetched here, built in the builder, and tested in the container."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

from docker_cases import RunPytest

FILES = {
    # Its version, and what it depends on, are known after a build.
    "native/pyproject.toml": """
[build-system]
requires = ["setuptools>=70", "setuptools-scm>=8"]
[project]
name = "rack-native"
dynamic = ["version", "dependencies"]
[tool.setuptools.dynamic]
dependencies = { file = "needs.txt" }
[tool.setuptools_scm]
root = ".."
""",
    "native/setup.py": """
from setuptools import Extension, setup
setup(ext_modules=[Extension("rack_native", ["native.c"])])
""",
    "native/needs.txt": "iniconfig\n",
    "native/native.c": """
#include <Python.h>
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "rack_native", 0, -1, 0};
PyMODINIT_FUNC PyInit_rack_native(void) { return PyModule_Create(&definition); }
""",
    "plain/pyproject.toml": """
[build-system]
requires = ["setuptools>=70"]
[project]
name = "rack-plain"
version = "1.5"
dependencies = ["colorama==0.4.6"]
""",
    "plain/rack_plain.py": "",
}
TEST = """
import importlib.metadata

def test_it():
    import colorama, iniconfig, rack_native, rack_plain
    assert rack_native.__file__.endswith("-aarch64-linux-gnu.so")
    assert importlib.metadata.version("rack-plain") == "1.5"
    assert importlib.metadata.version("rack-native") == "VERSION"
"""


def test_two_projects_of_one_repository(
    run_pytest: RunPytest, project: Callable[..., Path], tmp_path: Path
) -> None:
    place = tmp_path / "the rack"

    def git(*words: str) -> str:
        person = ["-c", "user.name=a", "-c", "user.email=a@example.invalid"]
        told = subprocess.run(["git", *person, *words], cwd=place, check=True, capture_output=True)
        return told.stdout.decode().strip()

    for name, text in FILES.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)
    git("init", "--quiet")
    git("add", "--all")
    git("commit", "--quiet", "--message=one")
    git("tag", "v2.1")
    git("commit", "--quiet", "--allow-empty", "--message=two")
    commit = git("rev-parse", "--short", "HEAD")
    folder = project(
        f"rack-plain @ git+{place.as_uri()}#subdirectory=plain\n"
        f"-e git+{place.as_uri()}#egg=rack-native&subdirectory=native\n",
        # As setuptools-scm calls the first commit after v2.1.
        test_it=TEST.replace("VERSION", f"2.2.dev1+g{commit}"),
    )
    result = run_pytest(folder, "--arm64")
    assert result.code == 0, result.out
    assert "with the plan" in result.out
    # Of the two projects only one compiles code.
    assert "3 pure + 1 source deployed" in result.out
