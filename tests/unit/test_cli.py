"""The command as a shell sees it."""

from __future__ import annotations

import argparse
import importlib
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pytest_arm64.cli import COMMANDS, main
from unit.support import write

if TYPE_CHECKING:
    from pathlib import Path

NAMED = '[project]\nname = "caf\u00e9"\nversion = "1"\ndependencies = ["six"]\n'


def test_a_reader_that_has_seen_enough_gets_no_traceback() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest_arm64", "cache", "info", "--format", "json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()
    _, said = process.communicate()
    assert process.returncode == 141
    assert said == b""


@pytest.mark.parametrize("option", ["--help", "-h"])
@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_explains_itself(
    command: str,
    option: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main([command, option]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"usage: pytest-arm64 {command}")
    parts = re.compile(
        r"usage: .+?\n\n(.+?)\n\n.*^examples:\n(.+)\n\nexit codes:\n(.+)", re.M | re.S
    )
    match = parts.fullmatch(out)
    assert match is not None
    description, examples, codes = match.groups()
    assert description.endswith(".")
    assert len(examples.splitlines()) >= 2
    assert re.search(r"\b0\b", codes)
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_example_of_a_help_text_is_understood(command: str) -> None:
    module = importlib.import_module(f"pytest_arm64.{COMMANDS[command][1]}")
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    lines = re.findall(rf"^  pytest-arm64 {command}\b(.*)$", module.EPILOG, re.MULTILINE)
    assert len(lines) >= 2
    for line in lines:
        parser.parse_args(shlex.split(line))


def test_run_starts_pytest_without_a_warning(tmp_path: Path) -> None:
    write(tmp_path, {"pytest.ini": "[pytest]\nfilterwarnings = error\n"})
    done = run(tmp_path, "run", "--version")
    assert done.returncode == 0, done.stderr
    assert b"Warning" not in done.stdout + done.stderr


def run(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[bytes]:
    """The command in a process of its own, whose environment has these variables too."""
    return subprocess.run(
        [sys.executable, "-m", "pytest_arm64", *arguments],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("word", "meant"), [("audti", "audit"), ("docter", "doctor"), ("reports", "report")]
)
def test_a_misspelt_command_is_corrected(
    capsys: pytest.CaptureFixture[str], word: str, meant: str
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([word, "--offline"])
    assert stopped.value.code == 2
    assert f"unknown command {word!r} (did you mean {meant!r}?)" in capsys.readouterr().err


def test_a_word_that_is_like_no_command_gets_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["zzz"])
    said = capsys.readouterr().err
    assert "did you mean" not in said
    assert "choose one of doctor, setup, audit" in said


@pytest.mark.parametrize("arguments", [("audit", "--help"), ("audit", "--offline"), ("--help",)])
@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "ascii:strict"])
def test_no_encoding_of_the_terminal_ends_a_command(
    tmp_path: Path, arguments: tuple[str, ...], encoding: str
) -> None:
    write(tmp_path, {"requirements.txt": "six  # \u2026\n", "pyproject.toml": NAMED})
    here = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "PYTHONUTF8": "0", "PIP_FIND_LINKS": ""}
    here |= {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": "http://127.0.0.1:9/simple"}
    done = run(tmp_path, *arguments, PYTHONIOENCODING=encoding, **here)
    assert b"Traceback" not in done.stderr
    assert done.returncode == (3 if "--offline" in arguments else 0), done.stderr
    assert done.stdout


def test_what_is_not_text_in_an_argument_is_no_traceback(tmp_path: Path) -> None:
    done = run(tmp_path, "audit", os.fsdecode(b"caf\xe9.txt"), PYTHONIOENCODING="utf-8:strict")
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
    assert b"does not exist" in done.stderr


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_ctrl_c_ends_every_command_with_a_line(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(options: object) -> int:
        raise KeyboardInterrupt

    words = {"cost": [command, "a.json", "--memory", "1GB"], "profile": [command, "a=b"]}
    words |= {"abi": [command, "x"], "report": [command, "x"]}
    words |= {"cache": [command, "info"], "golden": [command, "list"]}
    words |= {"target": [command, "show"], "advisories": [command, "list"]}
    module = importlib.import_module(f"pytest_arm64.{COMMANDS[command][1]}")
    monkeypatch.setattr(module, "run_command", interrupted)
    assert main(words.get(command, [command])) == 130
    assert capsys.readouterr().err == "pytest-arm64: interrupted\n"


@pytest.mark.parametrize(
    ("number", "status", "words"),
    [
        (signal.SIGINT, 130, b"pytest-arm64: interrupted\n"),
        (signal.SIGTERM, 143, b"pytest-arm64: terminated by SIGTERM\n"),
    ],
)
def test_a_signal_does_not_wait_for_an_index(
    tmp_path: Path, number: signal.Signals, status: int, words: bytes
) -> None:
    write(tmp_path, {"requirements.txt": "six\n"})
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/simple"
        index = {"PIP_INDEX_URL": address, "PIP_CONFIG_FILE": os.devnull, "no_proxy": "*"}
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest_arm64", "audit", "--refresh"],
            cwd=tmp_path,
            env={**os.environ, **index},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        silent.settimeout(60)
        connection, _ = silent.accept()
        with connection:
            process.send_signal(number)
            _, said = process.communicate(timeout=10)
    assert process.returncode == status
    assert said == words


@pytest.mark.parametrize(
    "error", [PermissionError(13, "Permission denied", "/x/y"), FileNotFoundError(2, "No such")]
)
def test_what_the_system_refuses_is_told_as_text(
    error: OSError, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(options: object) -> int:
        raise error

    monkeypatch.setattr("pytest_arm64.commands.audit.run_command", refused)
    assert main(["audit"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"pytest-arm64: {error.strerror}")
    assert (error.filename or "") in said


def test_a_folder_that_is_gone_is_told_as_text(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    script = f"import os, sys; os.rmdir({str(gone)!r}); sys.exit(__import__('runpy').run_module"
    script += "('pytest_arm64', run_name='__main__'))"
    done = subprocess.run(
        [sys.executable, "-c", script, "audit"], cwd=gone, capture_output=True, check=False
    )
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("pytest-arm64 ", {"audit", "report", "doctor"}),
        ("pytest-arm64 au", {"audit"}),
        ("pytest-arm64 audit --off", {"--offline"}),
        ("pytest-arm64 audit --format ", {"table", "json", "markdown", "sarif"}),
        ("pytest-arm64 report --format s", {"summary", "sarif"}),
        ("pytest-arm64 cache ", {"info", "prune", "export", "import"}),
        ("pytest-arm64 cache prune --i", {"--images"}),
        ("pytest-arm64 --ver", {"--version"}),
        ("pytest-arm64 nosuch --f", set()),
    ],
)
def test_a_shell_completes_what_was_begun(tmp_path: Path, line: str, expected: set[str]) -> None:
    given = tmp_path / "completions"
    shell = {"_ARGCOMPLETE": "1", "_ARGCOMPLETE_IFS": "\n", "_ARGCOMPLETE_SHELL": "bash"}
    shell |= {"COMP_LINE": line, "COMP_POINT": str(len(line)), "COMP_TYPE": "9"}
    done = run(tmp_path, **shell, _ARGCOMPLETE_STDOUT_FILENAME=str(given))
    assert done.stdout == b""
    assert b"Traceback" not in done.stderr
    words = {word.strip() for word in given.read_text().splitlines()} if given.exists() else set()
    assert expected <= words
    if not line.endswith(" "):
        assert words == expected
