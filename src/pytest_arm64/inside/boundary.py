"""The marker ``x86_boundary``: tests of what stays on x86 do not run in an ARM64 cell."""

from __future__ import annotations

from typing import Any

import pytest

MARKER = (
    "x86_boundary(reason, migratable_when): tests what is meant to stay on x86; an ARM64 cell "
    "skips it"
)
PREFIX = "x86 boundary: "
"""How the reason of such a skip begins."""


def keep_off_arm(item: pytest.Item, machine: str) -> None:
    """Skip *item* on an ARM64 *machine* if it is marked; a mark must say why, wherever it runs."""
    for mark in item.iter_markers("x86_boundary"):
        reason, when = _said(mark, 0, "reason"), _said(mark, 1, "migratable_when")
        if not reason or not when:
            pytest.fail(
                "x86_boundary needs a reason and migratable_when: what stays on x86 without them "
                "stays there for ever",
                pytrace=False,
            )
        if machine == "aarch64":
            pytest.skip("%s%s; migratable when %s" % (PREFIX, reason, when))


def _said(mark: pytest.Mark, position: int, name: str) -> str:
    value: Any = mark.kwargs.get(name)
    if value is None and len(mark.args) > position:
        value = mark.args[position]
    return value.strip() if isinstance(value, str) else ""
