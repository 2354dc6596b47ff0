"""Progress: a line per step in a log, a bar on a terminal."""

from __future__ import annotations

import io
import re

import pytest

from pytest_arm64.progress import NoProgress
from pytest_arm64.report.progress import TerminalProgress


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_log() -> None:
    stream = io.StringIO()
    with TerminalProgress(stream).step("pull [red]x[/red]") as step:
        step.update("layer", 0.5)
        assert stream.getvalue() == "arm64: pull [red]x[/red] ...\n"
    last = stream.getvalue().splitlines()[1:]
    assert len(last) == 1
    assert re.fullmatch(r"arm64: pull \[red\]x\[/red\]: \d+\.\d s", last[0])


@pytest.mark.parametrize("kind", [io.StringIO, Terminal])
def test_what_is_said_is_a_line_of_its_own(kind: type[io.StringIO]) -> None:
    stream = kind()
    with TerminalProgress(stream).step("build") as step:
        step.say("building [red]x[/red] 1.0 (\x1b[2J of C, emulated; " + "it took long " * 20 + ")")
    (said,) = (line for line in stream.getvalue().splitlines() if "building" in line)
    assert "arm64: building [red]x[/red] 1.0 (?[2J of C" in said
    assert said.rstrip().endswith("it took long )")


def test_log_of_any_encoding() -> None:
    """A build server's log may be ASCII."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    with TerminalProgress(stream).step("pull"):
        pass
    assert raw.getvalue().startswith(b"arm64: pull")
    stream.close()


def test_terminal() -> None:
    stream = Terminal()
    with TerminalProgress(stream).step("pull [red]x[/red]") as step:
        step.update("[bold]layer" * 20, 0.5)
        step.update("without a fraction")
        step.update()
    text = stream.getvalue()
    assert "arm64: pull [red]x[/red]" in text
    assert re.search(r"arm64: pull \[red\]x\[/red\]: \d+\.\d s\n\Z", text)


@pytest.mark.parametrize("kind", [io.StringIO, Terminal])
def test_failure_is_not_called_finished(kind: type[io.StringIO]) -> None:
    stream = kind()
    with pytest.raises(KeyError), TerminalProgress(stream).step("pull"):
        raise KeyError
    assert not re.search(r"pull: \d", stream.getvalue())


def test_nobody_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with NoProgress().step("pull") as step:
        step.update("layer", 0.5)
    assert capsys.readouterr() == ("", "")
