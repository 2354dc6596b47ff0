"""What `doctor` and `setup` tell, as a table for people."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TextIO

from ..setup.doctor import FAILED, OK, WARNING, Check
from ..setup.mend import DONE, LEFT, NOTHING, Action
from .console import console_on
from .matrix_output import printable

_STYLES = {
    OK: "green",
    WARNING: "yellow",
    FAILED: "red",
    DONE: "green",
    NOTHING: "green",
    LEFT: "yellow",
}


def show_checks(checks: Iterable[Check], stream: TextIO) -> None:
    """One row per check: what was found, why it matters, what to type."""
    _table(
        "check",
        [
            (c.name, c.state, _told(c.detail, c.why and f"why: {c.why}", c.next_step))
            for c in checks
        ],
        stream,
    )


def show_actions(actions: Iterable[Action], stream: TextIO) -> None:
    """One row per thing that was mended or is left."""
    _table("what", [(a.name, a.state, _told(a.detail, "", a.next_step)) for a in actions], stream)


def _told(detail: str, why: str, next_step: str) -> str:
    lines = [*detail.splitlines(), why, f"→ {next_step}" if next_step else ""]
    return "\n".join(printable(line) for line in lines if line)


def _table(title: str, rows: Iterable[tuple[str, str, str]], stream: TextIO) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(title, "state", "what was found", box=None, pad_edge=False)
    for name, state, found in rows:
        table.add_row(name, Text(state, _STYLES[state]), Text(found))
    console_on(stream).print(table)
