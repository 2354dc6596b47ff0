"""The marker ``x86_boundary``: tests of what stays on x86 run on x86 only."""

from __future__ import annotations

import pytest

MARKER = (
    "x86_boundary(reason, migratable_when): tests what is meant to stay on x86; it runs in a "
    "linux/amd64 cell, and never on ARM64"
)
PREFIX = "x86 boundary: "
"""How the reason of such a skip begins."""
RECORD = "boundary"
"""What of a session's records tells which tests it has: null for those that are not marked, or
the files in which the marked ones lie, for these alone."""


def keep_off_arm(item: pytest.Item, machine: str) -> None:
    """Skip *item* on an ARM64 *machine* if it is marked; a mark must say why, wherever it runs."""
    for mark in item.iter_markers("x86_boundary"):
        reason = _stays(mark)
        if not reason:
            pytest.fail(
                "x86_boundary needs a reason and migratable_when",
                pytrace=False,
            )
        if machine == "aarch64":
            pytest.skip(reason)


def reason_to_stay(item: pytest.Item) -> str:
    """Why *item* stays on x86; empty where it does not, or a mark does not say it."""
    reasons = [_stays(mark) for mark in item.iter_markers("x86_boundary")]
    return reasons[0] if reasons and all(reasons) else ""


def _stays(mark: pytest.Mark) -> str:
    reason, when = _argument(mark, 0, "reason"), _argument(mark, 1, "migratable_when")
    return f"{PREFIX}{reason}; migratable when {when}" if reason and when else ""


def _argument(mark: pytest.Mark, position: int, name: str) -> str:
    value = mark.kwargs.get(name)
    if value is None and len(mark.args) > position:
        value = mark.args[position]
    return value.strip() if isinstance(value, str) else ""
