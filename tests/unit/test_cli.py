"""The command as a shell sees it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pytest_arm64.cli import main


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


@pytest.mark.parametrize(
    "command", ["doctor", "setup", "audit", "abi", "golden", "cost", "report", "cache"]
)
def test_every_command_tells_its_arguments(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([command, "--help"])
    assert stopped.value.code == 0
    assert f"usage: pytest-arm64 {command}" in capsys.readouterr().out
