"""What the suite says at its end: how many packages it called, and which have no check."""

from __future__ import annotations

from typing import Any

import pytest

from .case import deployed_packages, deployed_smokes, is_native, unchecked

MOST = 20
"""Packages that the summary names."""

for _name in ("arrays", "crypto", "data", "learning", "media", "system", "texts", "web"):
    pytest.register_assert_rewrite(f"{__package__}.{_name}")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Name the deployed native packages of which nothing was called."""
    deployed = deployed_packages()
    native = [name for name, distribution in deployed.items() if is_native(distribution)]
    terminalreporter.line(summary(len(deployed_smokes(deployed)), unchecked(native)))


def summary(checks: int, without: list[str]) -> str:
    """One line on what was called, and what was not."""
    text = f"arm64 smoke: {checks} package{'' if checks == 1 else 's'} with a check"
    if not without:
        return f"{text}; every deployed native package has one"
    more = len(without) - MOST
    names = ", ".join(without[:MOST]) + (f" and {more} more" if more > 0 else "")
    return f"{text}; native packages without one: {names}"
