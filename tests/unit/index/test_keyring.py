"""The program ``keyring``: which one is started, and where."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from pytest_arm64.index.keyring import SUBPROCESS, from_keyring
from unit.support import write

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def program(folder: Path, text: str) -> Path:
    """A program ``keyring`` in *folder*, in Python."""
    write(folder, {"keyring": f"#!{sys.executable}\n{text}"})
    (folder / "keyring").chmod(0o755)
    return folder


def test_it_runs_outside_of_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A keyring loads the back end that ``keyringrc.cfg`` in its working directory names."""
    folder = program(tmp_path / "bin", "import os; print(os.getcwd())")
    write(tmp_path, {"project/keyringrc.cfg": "[backend]\ndefault-keyring = evil.Keyring\n"})
    monkeypatch.chdir(tmp_path / "project")
    answer = from_keyring(SUBPROCESS, "https://index", "me", {"PATH": str(folder)})
    assert answer == ("me", "/")


def test_no_program_of_the_working_directory_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, "print('from the project')")
    program(tmp_path / "tools", "print('from the project')")
    monkeypatch.chdir(tmp_path)
    for path in (".", "", "tools", os.pathsep, f"tools{os.pathsep}/nowhere"):
        assert from_keyring(SUBPROCESS, "https://index", "me", {"PATH": path}) is None, path
