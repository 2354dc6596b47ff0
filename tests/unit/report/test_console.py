"""Tables in a pipe are whole, colours follow options and variables, encodings end no command."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

import pytest

from pytest_arm64.cli import main
from pytest_arm64.report.console import coloured, console_on
from unit.support import write

if TYPE_CHECKING:
    from pathlib import Path

NAME = "a-distribution-with-a-name-that-is-longer-than-any-terminal-" * 2 + "is-wide"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caches: Path) -> Path:
    """A project whose audit names a long package, without an index."""
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR", "PYTEST_ARM64_TARGET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert not caches.exists()
    write(tmp_path, {".git/HEAD": "", "requirements.txt": f"{NAME}==1.0\n"})
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("project")
def test_a_table_in_a_pipe_has_each_row_in_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["audit", "--offline"]) == 3
    out = capsys.readouterr().out
    (line,) = (line for line in out.splitlines() if line.startswith(NAME))
    assert "unknown" in line
    assert "--offline was given" in line
    monkeypatch.setenv("COLUMNS", "60")
    assert main(["audit", "--offline"]) == 3
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 60


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("variables", "words", "colours"),
    [
        ({}, (), False),
        ({}, ("--color", "always"), True),
        ({}, ("--color", "never"), False),
        ({"NO_COLOR": "1"}, ("--color", "always"), True),
        ({"FORCE_COLOR": "1"}, (), True),
        ({"FORCE_COLOR": "1"}, ("--color", "never"), False),
        ({"FORCE_COLOR": "1"}, ("--color", "auto"), True),
    ],
)
@pytest.mark.parametrize("command", [("audit", "--offline"), ("abi", "."), ("golden", "list")])
def test_colours_are_those_of_the_option_then_of_the_variables(
    variables: dict[str, str],
    words: tuple[str, ...],
    colours: bool,
    command: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    before = dict(os.environ)
    main([*command, *words])
    assert ("\x1b[" in capsys.readouterr().out) == colours
    assert dict(os.environ) == before


def test_a_terminal_keeps_its_width(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("COLUMNS", "72")
    assert console_on(Terminal()).width == 72
    assert console_on(io.StringIO()).width == 72
    monkeypatch.delenv("COLUMNS")
    assert console_on(io.StringIO()).width > 1000
    assert console_on(Terminal()).width < 1000


def test_variables_come_back_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "yes")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    seen: dict[str, str] = {}

    def stopped() -> None:
        with coloured("always"):
            seen.update(os.environ)
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        stopped()
    assert "NO_COLOR" not in seen
    assert os.environ["NO_COLOR"] == "yes"
    assert "FORCE_COLOR" not in os.environ
