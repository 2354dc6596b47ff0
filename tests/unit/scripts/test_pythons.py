"""``scripts/test pythons``: every Python that is found runs, with the project's files alone."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
# Answers as python3.N does where scripts/test calls it: is it that minor, -m venv, pip, pytest.
PYTHON = """\
#!/bin/sh
minor=@MINOR@
case "$1 $2" in
  "-c "*) echo "$2" | grep -q "!= '$minor'" ;;
  "-m venv") mkdir -p "$3/bin" && cp "$0" "$3/bin/python" && echo "venv $minor" >>"$LOG" ;;
  "-m pip") ;;
  "-m pytest") shift 2; echo "pytest $minor $*" >>"$LOG"; echo "@SAYS@"; exit @CODE@ ;;
  *) exit 99 ;;
esac
"""


class Checkout:
    """A folder with the scripts, and a machine that has only the Pythons that were added."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log"
        for name in ("scripts/test", "scripts/common.sh", "pyproject.toml"):
            (folder / name).parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / name, folder / name)

    def add(self, path: str, minor: str, says: str = "3 passed in 0.1s", code: int = 0) -> None:
        script = self.folder / path
        script.parent.mkdir(parents=True, exist_ok=True)
        text = PYTHON.replace("@MINOR@", minor).replace("@SAYS@", says)
        script.write_text(text.replace("@CODE@", str(code)), "utf-8")
        script.chmod(0o755)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.folder / "scripts/test", "pythons", *arguments],
            env={
                "PATH": f"{self.folder / 'path'}{os.pathsep}/usr/bin{os.pathsep}/bin",
                "HOME": str(self.folder),
                "PYENV_ROOT": str(self.folder / "pyenv"),
                "LOG": str(self.log),
            },
            capture_output=True,
            text=True,
            check=False,
        )

    def logged(self) -> list[str]:
        """What was done since the last time, without what a real Python of this machine did."""
        lines = self.log.read_text("utf-8").splitlines()
        self.log.unlink()
        return lines


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    made = Checkout(tmp_path)
    for minor in ("3.10", "3.11", "3.12", "3.13", "3.14"):
        # Hides what this machine has in /usr/bin; as pyenv's shim does for what is not activated.
        made.add(f"path/python{minor}", "none")
    return made


def test_pythons_of_the_path_and_of_pyenv_run_and_the_others_are_named(checkout: Checkout) -> None:
    checkout.add("path/python3.10", "3.10")
    checkout.add("pyenv/versions/3.13.0/bin/python", "3.13")
    done = checkout.run()
    assert done.returncode == 0, done.stderr
    assert checkout.logged() == [
        "venv 3.10",
        "pytest 3.10 -q -n 2 tests/unit",
        "venv 3.13",
        "pytest 3.13 -q -n 2 tests/unit",
    ]
    assert done.stderr.splitlines()[-5:] == [
        "== Python 3.10: 3 passed in 0.1s",
        "== Python 3.11: not found, not tested",
        "== Python 3.12: not found, not tested",
        "== Python 3.13: 3 passed in 0.1s",
        "== Python 3.14: not found, not tested",
    ]


def test_an_environment_is_built_again_only_for_another_pyproject(checkout: Checkout) -> None:
    checkout.add("path/python3.12", "3.12")
    assert checkout.run("tests/fidelity", "-x").returncode == 0
    assert checkout.logged() == ["venv 3.12", "pytest 3.12 -q -n 2 tests/fidelity -x"]
    old = checkout.folder / ".venv-3.12" / "left-over"
    old.touch()
    checkout.run()
    assert checkout.logged() == ["pytest 3.12 -q -n 2 tests/unit"]
    with (checkout.folder / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write("# another one\n")
    checkout.run()
    assert checkout.logged() == ["venv 3.12", "pytest 3.12 -q -n 2 tests/unit"]
    assert not old.exists()


def test_one_that_fails_stops_no_other_and_fails_the_command(checkout: Checkout) -> None:
    checkout.add("path/python3.10", "3.10", says="1 failed, 2 passed in 0.1s", code=1)
    checkout.add("path/python3.14", "3.14")
    done = checkout.run()
    assert done.returncode == 1
    assert "== Python 3.10: 1 failed, 2 passed in 0.1s\n" in done.stderr
    assert "== Python 3.14: 3 passed in 0.1s\n" in done.stderr
