"""``pytest-arm64 run``: what pytest loads before any plugin stays out of the host as well."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fidelity.harness import HERE, TIMEOUT
from unit.support import write

# Where it is set, this is the session inside.
FLAG = """
import os, pathlib
if "PYTEST_ARM64_OUT" not in os.environ:
    pathlib.Path(os.environ['CANARY']).touch()
"""
TEST = "def test_it(): pass\n"


def run(folder: Path, *arguments: str, module: bool = False) -> tuple[int, str, bool]:
    """Exit code, output, and whether something of the project was executed on the host."""
    canary = folder.parent / "canary"
    words = ["-m", "pytest_arm64"] if module else ["-c", START]
    done = subprocess.run(
        [sys.executable, *words, "run", "-p", "local_place", *arguments],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(HERE), "CANARY": str(canary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    return done.returncode, done.stdout, canary.exists()


START = "import sys; sys.path.pop(0); from pytest_arm64.cli import main; sys.exit(main())"


def test_a_suite_runs(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    write(folder, {"test_it.py": TEST + "def test_other(): pass\n"})
    code, out, _ = run(folder, "-k", "test_other", "-v")
    assert code == 0, out
    assert "1 passed, 1 deselected" in out


@pytest.mark.parametrize("module", [False, True], ids=["script", "module"])
@pytest.mark.parametrize("where", [".", "src"])
def test_a_plugin_of_addopts_is_not_executed(tmp_path: Path, where: str, module: bool) -> None:
    folder = tmp_path / "project"
    ini = f"[pytest]\npythonpath = {where}\naddopts = -p evil\n"
    write(folder, {"pytest.ini": ini, f"{where}/evil.py": FLAG, "test_it.py": TEST})
    code, out, executed = run(folder, module=module)
    assert not executed
    assert code != 0
    assert "evil is part of the project" in out or 'Error importing plugin "evil"' in out


@pytest.mark.parametrize("argument", ["{}", "--rootdir={}", "-c{}/pytest.ini", "{}/test_it.py"])
def test_nor_one_of_another_folder(tmp_path: Path, argument: str) -> None:
    folder = tmp_path / "project"
    ini = "[pytest]\npythonpath = src\naddopts = -p evil\n"
    write(folder, {"pytest.ini": ini, "src/evil.py": FLAG, "test_it.py": TEST})
    (tmp_path / "elsewhere").mkdir()
    _, _, executed = run(tmp_path / "elsewhere", argument.format(folder))
    assert not executed


def test_installed_plugins_do_not_load_modules_of_the_project(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    names = ("rich", "docker", "certifi", "urllib3", "resolvelib")
    write(folder, {f"src/{name}.py": FLAG for name in names})
    write(folder, {"pytest.ini": "[pytest]\npythonpath = src\n", "test_it.py": TEST})
    code, out, executed = run(folder)
    assert not executed, out
    assert code == 0, out
