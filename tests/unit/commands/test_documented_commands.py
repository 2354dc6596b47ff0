"""Every command that documentation, examples and workflows show is one that there is."""

from __future__ import annotations

import argparse
import importlib
import re
import shlex
from pathlib import Path

import pytest

from pytest_arm64.cli import COMMANDS as MODULES
from pytest_arm64.options import add_options

ROOT = Path(__file__).parents[3]
SHOWN = (
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "examples").rglob("*.md")),
    *sorted((ROOT / "examples" / "ci").glob("*.yml")),
    *sorted((ROOT / ".github" / "workflows").glob("*.yml")),
)
_COMMAND = re.compile(r"^ *(?:\$ |- |run: |- run: )?((?:pytest-arm64|pytest) .*)$", re.MULTILINE)


def shown() -> list[tuple[str, str]]:
    found = []
    for path in SHOWN:
        for line in _COMMAND.findall(path.read_text("utf-8")):
            # Up to a redirection or the next command of the line; prose has no option or folder.
            command = re.split(r" (?:>|\||&&|;)|>>", line)[0]
            if path.suffix == ".yml" or f"$ {line}" in path.read_text("utf-8"):
                found.append((path.relative_to(ROOT).as_posix(), command))
    return found


COMMANDS = [entry for entry in shown() if entry[1].startswith("pytest-arm64 ")]
SESSIONS = [entry for entry in shown() if entry[1].startswith("pytest ")]


def test_some_are_shown() -> None:
    files = {file for file, _ in COMMANDS} | {file for file, _ in SESSIONS}
    assert {"README.md", "docs/report.md", ".github/workflows/readiness.yml"} <= files
    assert len(COMMANDS) > 40
    assert len(SESSIONS) > 20


@pytest.mark.parametrize(("file", "command"), COMMANDS)
def test_a_command_is_understood(file: str, command: str) -> None:
    name, *words = shlex.split(command, comments=True)[1:]
    if name == "--version":
        return
    parser = argparse.ArgumentParser(prog=file)
    importlib.import_module(f"pytest_arm64.{MODULES[name][1]}").add_arguments(parser)
    parser.parse_args(words)


@pytest.mark.parametrize(("file", "command"), SESSIONS)
def test_an_option_of_a_session_is_known(file: str, command: str) -> None:
    parser = pytest.Parser(_ispytest=True)
    add_options(parser)
    known = {name for group in parser._groups for o in group.options for name in o.names()}
    asked = re.findall(r"(?<!\S)--arm64[a-z0-9-]*", command)
    assert set(asked) <= known
