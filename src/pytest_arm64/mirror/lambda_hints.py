"""Which of a Lambda function's limits a failure has met, and what to do about it.

The texts that are recognised are rows of ``resources/lambda-hints.toml``.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from typing import NamedTuple

from ..config._toml import loads

_OFF = "if it does not run on Lambda, set lambda-limits = false in [tool.pytest-arm64]"


class LambdaHint(NamedTuple):
    """One limit, and how it shows: by the text of an error, or by a signal alone."""

    text: str
    pattern: re.Pattern[str] | None
    signal: str


@cache
def all_hints() -> tuple[LambdaHint, ...]:
    """Every limit that is recognised."""
    file = resources.files("pytest_arm64.resources").joinpath("lambda-hints.toml")
    return tuple(
        LambdaHint(
            f"{row['limit']}\n  next step: {row['next-step']}",
            re.compile(row["pattern"]) if "pattern" in row else None,
            row.get("signal", ""),
        )
        for row in loads(file.read_text("utf-8"))["hints"]
    )


def lambda_hints(failure: str) -> list[str]:
    """For each limit that *failure*, the text of an error, shows: what it is and what to do."""
    hints = [h.text for h in all_hints() if h.pattern is not None and h.pattern.search(failure)]
    return [*hints, _OFF] if hints else []


def lambda_hints_of_signal(signal: str) -> list[str]:
    """What a process that *signal* has ended may have met; nothing where it does not show."""
    return [hint.text for hint in all_hints() if hint.signal and hint.signal == signal]
