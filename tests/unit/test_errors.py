"""Errors: what happened, why it matters, what to type."""

from __future__ import annotations

import pytest

from pytest_arm64.errors import (
    Arm64Error,
    EmulationError,
    EngineError,
    ImageError,
    InstallError,
    ProtocolError,
    SettingsError,
)


@pytest.mark.parametrize(
    "kind",
    [SettingsError, EngineError, ImageError, EmulationError, InstallError, ProtocolError],
)
def test_three_lines(kind: type[Arm64Error]) -> None:
    error = kind("it broke", why="nothing runs", next_step="type this")
    assert isinstance(error, Arm64Error)
    assert str(error).splitlines() == [
        "it broke",
        "  why it matters: nothing runs",
        "  next step: type this",
    ]


def test_what_is_empty_is_left_out() -> None:
    assert str(Arm64Error("it broke")) == "it broke"
    assert str(Arm64Error("it broke", why="w")).splitlines()[1:] == ["  why it matters: w"]
    assert str(Arm64Error("it broke", next_step="n")).splitlines()[1:] == ["  next step: n"]


def test_the_log_is_kept_and_not_shown() -> None:
    error = InstallError("it broke", log="a thousand lines")
    assert error.log == "a thousand lines"
    assert "thousand" not in str(error)


@pytest.mark.parametrize("evil", ["\x1b[2J", "\x9b31m", "\u202e", "\r", "\x07", "\udc9b"])
def test_no_name_in_an_error_is_obeyed_by_a_terminal(evil: str) -> None:
    error = SettingsError(f"{evil}.json is not there", why=evil, next_step=f"open {evil}")
    assert evil not in str(error)
    assert all(line.isprintable() for line in str(error).split("\n"))
    assert str(SettingsError("two\n\tlines")) == "two\n\tlines"
