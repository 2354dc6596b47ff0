"""Projects as they come: a package's own suite, an editable install, a source build, no mount."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from docker_cases import RunPytest, outcomes

SERVICE = Path(__file__).parents[2] / "examples/parjanya/services/technical_validator"

# Published packages' own suites, as their authors ship them: hash, and what the suite imports
# besides pytest, which the container gets from the project's own requirements.
SDISTS = {
    "idna==3.10": ("12f65c9b470abda6dc35cf8e63cc574b1c52b11df2c86030af0ac09b01b13ea9", ()),
    "itsdangerous==2.2.0": (
        "e0050c0b7da1eea53ffaf149c0cfbb5c6e2e2b69c4bef22c81fa6eb73e5f6173",
        ("freezegun",),
    ),
}

EXTENSION = """
#include <Python.h>
static PyObject *is_signed(PyObject *s, PyObject *a) { return PyLong_FromLong((char)-1 < 0); }
static PyMethodDef m[] = {{"is_signed", is_signed, METH_NOARGS, 0}, {0}};
static struct PyModuleDef d = {PyModuleDef_HEAD_INIT, "arm64_fixture_ext", 0, -1, m};
PyMODINIT_FUNC PyInit_arm64_fixture_ext(void) { return PyModule_Create(&d); }
"""


def pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*command, *arguments], check=True)


def unpacked(sdist: str, sha256: str, folder: Path) -> Path:
    """The source distribution, checked against its hash."""
    pip("download", "--no-deps", "--no-binary", ":all:", "-d", str(folder), sdist)
    (archive,) = folder.glob("*.tar.gz")
    assert hashlib.sha256(archive.read_bytes()).hexdigest() == sha256
    with tarfile.open(archive) as stream:
        stream.extractall(folder, filter="data")
    (source,) = (path for path in folder.iterdir() if path.is_dir())
    return source


@pytest.mark.parametrize("sdist", SDISTS)
def test_a_published_package_has_the_same_outcomes_here_and_there(
    run_pytest: RunPytest, tmp_path: Path, sdist: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sha256, imported = SDISTS[sdist]
    folder = unpacked(sdist, sha256, tmp_path)
    there = run_pytest(folder, "--arm64", "--junitxml=there.xml", "tests")
    site = tmp_path / "site"
    if imported:
        pip("install", "--target", str(site), *imported)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, (folder, folder / "src", site))))
    here = run_pytest(folder, "--junitxml=here.xml", "tests")
    assert here.code == there.code == 0, there.out
    found = outcomes(folder / "there.xml")
    assert found == outcomes(folder / "here.xml")
    assert len(found) > 10


def test_the_technical_validator(run_pytest: RunPytest) -> None:
    result = run_pytest(SERVICE, "--arm64", "-q", "--arm64-cpu", "graviton2")
    assert result.code == 0, result.out
    passed = re.search(r"(\d+) passed", result.out)
    assert passed is not None
    assert int(passed[1]) >= 152
    assert "arm64 golden: 100 values compared: 100 identical" in result.out
    # Its latency is shown, and judged only where the processor is real; its memory is everywhere.
    emulated = "aarch64 EMULATED" in result.out
    told = "1 budget of latency not evaluated: emulated time proves nothing"
    assert "test_one_photograph: validate: within its budget of memory" in result.out
    assert (told in result.out) == emulated


def test_a_project_of_the_src_layout_is_installed_as_it_would_be_here(
    run_pytest: RunPytest, tmp_path: Path
) -> None:
    folder = tmp_path / "ein projekt"
    package = folder / "src" / "arm64_example"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("VALUE = 1\n")
    (folder / "pyproject.toml").write_text(
        """
[build-system]
requires = ["setuptools>=61"]
build-backend = "setuptools.build_meta"
[project]
name = "arm64-example"
version = "1.2.3"
dependencies = ["iniconfig"]
[dependency-groups]
test = ["pytest"]
"""
    )
    (folder / "test_it.py").write_text(
        "from importlib.metadata import version\n"
        "import arm64_example, iniconfig\n"
        "def test_it():\n"
        "    assert version('arm64-example') == '1.2.3'\n"
        "    assert arm64_example.VALUE == 1\n"
    )
    result = run_pytest(folder, "--arm64", "-q")
    assert result.code == 0, result.out
    # The source itself is used, not a copy of it.
    (package / "__init__.py").write_text("VALUE = 2\n")
    result = run_pytest(folder, "--arm64", "-q")
    assert result.code == 1
    assert "assert 2 == 1" in result.out


def _source_distribution(folder: Path) -> None:
    """A package with a C extension, as a source distribution only."""
    inside = {
        "PKG-INFO": "Metadata-Version: 2.1\nName: pytest-arm64-fixture-ext\nVersion: 1.0\n",
        "setup.py": "from setuptools import Extension, setup\n"
        "setup(name='pytest-arm64-fixture-ext', version='1.0', install_requires=['iniconfig'],\n"
        "      ext_modules=[Extension('arm64_fixture_ext', ['ext.c'])])\n",
        "ext.c": EXTENSION,
    }
    source = folder / "pytest_arm64_fixture_ext-1.0"
    source.mkdir(parents=True)
    for name, text in inside.items():
        (source / name).write_text(text)
    with tarfile.open(folder / f"{source.name}.tar.gz", "w:gz") as archive:
        archive.add(source, source.name)


def test_a_project_with_an_extension_is_built_from_a_copy_and_covered_by_its_source(
    run_pytest: RunPytest, tmp_path: Path
) -> None:
    folder = tmp_path / "ein Größenmaß"
    package = folder / "src" / "arm64_ext"
    package.mkdir(parents=True)
    files = {
        "pyproject.toml": '[build-system]\nrequires = ["setuptools>=61"]\n'
        'build-backend = "setuptools.build_meta"\n'
        '[project]\nname = "arm64-ext"\nversion = "1.2.3"\n'
        '[dependency-groups]\ntest = ["pytest", "pytest-cov"]\n',
        "setup.py": "from setuptools import Extension, setup\n"
        "setup(ext_modules=[Extension('arm64_ext._signs', ['signs.c'])])\n",
        "signs.c": EXTENSION.replace("arm64_fixture_ext", "_signs"),
        "src/arm64_ext/__init__.py": "from ._signs import is_signed\n\n\n"
        "def unused():\n    return 1\n",
        "test_it.py": "import arm64_ext\n"
        "def test_char_is_unsigned_on_arm(): assert arm64_ext.is_signed() == 0\n"
        "def test_installed(): assert '/site-packages/' in arm64_ext.__file__\n",
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    foreign = package / "_signs.cpython-311-x86_64-linux-gnu.so"
    foreign.write_bytes(b"\x7fELF\x02\x01\x01" + bytes(11) + b"\x3e\x00")
    result = run_pytest(folder, "--arm64", "--cov=arm64_ext", "--cov-report=term-missing")
    assert result.code == 0, result.out
    assert "2 passed" in result.out
    assert f"compiled for another machine, in the project: src/arm64_ext/{foreign.name}" in (
        result.out
    )
    assert re.search(r"^src/arm64_ext/__init__.py +3 +1 +67% +5$", result.out, re.M), result.out
    assert sorted(p.name for p in package.iterdir()) == ["__init__.py", foreign.name]


@pytest.mark.long
def test_a_project_in_a_flat_layout_is_tested_with_its_extension_and_not_with_its_fallback(
    run_pytest: RunPytest, tmp_path: Path
) -> None:
    package = tmp_path / "arm64_flat"
    package.mkdir()
    files = {
        "pyproject.toml": '[build-system]\nrequires = ["setuptools>=61"]\n'
        'build-backend = "setuptools.build_meta"\n'
        '[project]\nname = "arm64-flat"\nversion = "1.2.3"\n'
        '[dependency-groups]\ntest = ["pytest", "pytest-xdist"]\n'
        "[tool.setuptools]\npackages = ['arm64_flat']\n",
        "setup.py": "from setuptools import Extension, setup\n"
        "setup(ext_modules=[Extension('arm64_flat._signs', ['signs.c'])])\n",
        "signs.c": EXTENSION.replace("arm64_fixture_ext", "_signs"),
        "arm64_flat/__init__.py": "try:\n    from ._signs import is_signed\n"
        "except ImportError:\n    def is_signed(): return 'fallback'\n",
        "arm64_flat/__main__.py": "from . import is_signed\nprint(is_signed())\n",
        "test_it.py": "import arm64_flat, subprocess, sys\n"
        "def said(*words): return subprocess.run([sys.executable, *words], stdout=-1).stdout\n"
        "def test_extension(): assert arm64_flat.is_signed() == 0\n"
        "def test_module(): assert said('-m', 'arm64_flat') == b'0\\n'\n"
        "def test_command():\n"
        "    text = 'import arm64_flat; print(arm64_flat.is_signed(), arm64_flat.__file__)'\n"
        "    value, place = said('-c', text).decode().split()\n"
        "    assert value == '0' and '/site-packages/' not in place\n"
        "def test_source(): assert '/site-packages/' not in arm64_flat.__file__\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    for workers in ([], ["-n1"]):
        result = run_pytest(tmp_path, "--arm64", *workers)
        assert result.code == 0, result.out
        assert "4 passed" in result.out
    assert not list(package.glob("*.so"))


def test_what_a_project_computes_and_helpers_of_its_tests_are_installed_as_planned(
    run_pytest: RunPytest, tmp_path: Path
) -> None:
    files = {
        "setup.py": "import pathlib\nfrom setuptools import setup\n"
        "needs = pathlib.Path('needs.txt').read_text().split()\n"
        "setup(**{'name': 'arm64-computed', 'version': '1', 'py_modules': ['computed'],\n"
        "         'install_requires': [need for need in needs]})\n",
        "needs.txt": "six==1.17.0\n",
        "computed.py": "import six\n",
        "requirements-test.txt": "pytest\n./helpers\n",
        "helpers/pyproject.toml": '[build-system]\nrequires = ["setuptools"]\n'
        'build-backend = "setuptools.build_meta"\n[project]\nname = "arm64-helpers"\n'
        'version = "1"\ndependencies = ["colorama"]\n[tool.setuptools]\n'
        'py-modules = ["arm64_helpers"]\n',
        "helpers/arm64_helpers.py": "import colorama\n",
        "test_it.py": "import arm64_helpers, computed\n"
        "def test_place(): assert '/tests/' in arm64_helpers.__file__\n"
        "def test_scopes(arm64_install):\n"
        "    scopes = {p['name']: p['scope'] for p in arm64_install['packages']}\n"
        "    assert not arm64_install['fallback']\n"
        "    assert scopes['six'] == scopes['arm64-computed'] == 'deploy'\n"
        "    assert scopes['colorama'] == scopes['arm64-helpers'] == 'test'\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    result = run_pytest(tmp_path, "--arm64", "-q", "test_it.py")
    assert result.code == 0, result.out
    assert "2 passed" in result.out


def test_a_source_distribution_is_built_in_the_builder_and_runs_without_a_compiler(
    run_pytest: RunPytest, project: Callable[..., Path], tmp_path: Path
) -> None:
    links = tmp_path / "project/links"
    _source_distribution(links)
    folder = project(
        f"--find-links {links}\npytest-arm64-fixture-ext==1.0\n",
        test_it="import shutil, arm64_fixture_ext\n"
        "def test_char_is_unsigned_on_arm(): assert arm64_fixture_ext.is_signed() == 0\n"
        "def test_no_compiler(): assert shutil.which('cc') is None\n"
        # What it depends on is known from its build alone.
        "def test_planned(arm64_install):\n"
        "    scopes = {p['name']: p['scope'] for p in arm64_install['packages']}\n"
        "    assert scopes['iniconfig'] == 'deploy' and not arm64_install['fallback']\n",
    )
    result = run_pytest(folder, "--arm64", "-q")
    assert result.code == 0, result.out
    assert "3 passed" in result.out
    assert "1 source deployed" in run_pytest(folder, "--arm64").out


@pytest.fixture
def unseen(tmp_path: Path) -> list[str]:
    """Arguments before a command that give it a view of *tmp_path* that the engine has not."""
    return [
        "unshare",
        "--mount",
        "sh",
        "-c",
        f'mount -t tmpfs none "{tmp_path}" && exec "$@"',
        "sh",
    ]


def test_where_the_engine_does_not_see_the_project_a_copy_is_used_and_said_so(
    unseen: list[str], tmp_path: Path
) -> None:
    script = (
        f'mkdir "{tmp_path}/p"; cd "{tmp_path}/p"; touch requirements.txt; '
        'printf "pytest\\npytest-cov\\n" >requirements-test.txt; '
        'echo \'def test_it(): open("written", "w").close()\' >test_it.py; '
        f'"{sys.executable}" -m pytest --arm64 --cov=.; echo "exit code $?"; ls; '
        f'"{sys.executable}" -c "import sqlite3; print(*sqlite3.connect(\'.coverage\')'
        ".execute('select path from file'))\""
    )
    finished = subprocess.run(
        [*unseen, "sh", "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={k: v for k, v in os.environ.items() if not k.startswith("PYTEST_") or "ARM64" in k},
        timeout=300,
    )
    assert "the tests run on a copy" in finished.stdout, finished.stdout
    assert "1 passed" in finished.stdout
    assert "exit code 0" in finished.stdout
    assert "written" not in finished.stdout.splitlines()
    # What was measured is no file of the tests: it comes back, with the paths of this machine.
    assert f"('{tmp_path}/p/test_it.py',)" in finished.stdout
