"""What became worse since another lock: for a terminal, as Markdown and JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from ..audit.weight import binary_size
from ..decide.drift import Drift, Worsening, counted
from .matrix_output import cell, printable

if TYPE_CHECKING:
    from rich.console import Console

_PAGE = "audit.html#before-a-lock-is-merged"
RULES = {
    "lost-wheel": ("A package has no usable wheel any more", _PAGE),
    "began-to-compile": ("A package began to be compiled for the target", _PAGE),
    "became-unknown": ("What could be evaluated before cannot be any more", _PAGE),
    "became-too-large": ("The packages together became larger than the target takes", _PAGE),
    "heavier": ("A package became much larger", _PAGE),
}
"""Kinds of what became worse, as rules of SARIF, each with its page of the documentation."""


def print_drifts(console: Console, drifts: Sequence[Drift]) -> None:
    """Each comparison as a table, with its conclusion below."""
    from rich.table import Table
    from rich.text import Text

    for drift in drifts:
        console.print(Text(printable(_title(drift)), "bold"))
        table = Table(box=None, pad_edge=False, show_header=False)
        for _ in range(2):
            table.add_column(no_wrap=True)
        table.add_column(ratio=1, overflow="fold")
        for worsening in drift.worse:
            style = "red" if worsening.exit_code else ""
            lines = "\n".join(map(printable, _lines(worsening)))
            name = Text(printable(_moved(worsening)))
            table.add_row(Text(worsening.kind, style), name, Text(lines))
        if drift.worse:
            console.print(table)
        for line in conclusion(drift):
            console.print(Text(printable(line)))
        console.print()


def conclusion(drift: Drift) -> Iterator[str]:
    """What the comparison comes to."""
    if drift.unpacked and drift.unpacked_before:
        yield (
            f"All packages: {binary_size(drift.unpacked_before)} → "
            f"{binary_size(drift.unpacked)} unpacked"
        )
    counts = counted(drift.worse)
    yield f"Worse than {drift.against}: {counts}." if counts else f"No worse than {drift.against}."


def drifts_markdown(drifts: Sequence[Drift]) -> str:
    """Each comparison as a table."""
    lines = []
    for drift in drifts:
        lines += [f"## {cell(_title(drift))}", ""]
        if drift.worse:
            lines += ["| what | package | why, and what to do |", "| --- | --- | --- |"]
            for worsening in drift.worse:
                words = "<br>".join(map(cell, _lines(worsening)))
                lines.append(f"| {worsening.kind} | {cell(_moved(worsening)) or '-'} | {words} |")
            lines.append("")
        lines += [*(f"{cell(line)}  " for line in conclusion(drift)), ""]
    return "\n".join(lines)


def drifts_json(drifts: Sequence[Drift]) -> list[dict[str, object]]:
    """Ready for ``json.dumps``."""
    return [
        {
            **asdict(drift),
            "worse": [{**asdict(w), "fails": bool(w.exit_code)} for w in drift.worse],
            "exit_code": drift.exit_code,
        }
        for drift in drifts
    ]


def level_of(worsening: Worsening) -> str:
    """Its level as SARIF names it."""
    return "error" if worsening.exit_code else "note"


def words_of(worsening: Worsening) -> str:
    """It in one line."""
    moved = _moved(worsening)
    return ". ".join([f"{moved}: {worsening.text}" if moved else worsening.text, *_fix(worsening)])


def _title(drift: Drift) -> str:
    return f"{drift.service} on {drift.target}, compared with {drift.against}"


def _moved(worsening: Worsening) -> str:
    """``psutil 5.9.8 → 6.0.1``"""
    if not worsening.name:
        return ""
    if not worsening.before:
        return f"{worsening.name} {worsening.version} (new)"
    if worsening.before == worsening.version:
        return f"{worsening.name} {worsening.version}"
    return f"{worsening.name} {worsening.before} → {worsening.version}"


def _lines(worsening: Worsening) -> Iterator[str]:
    yield worsening.text
    yield from (f"→ {fix}" for fix in _fix(worsening))
    if worsening.allowed:
        yield "allowed: [[tool.pytest-arm64.allow-source]]"


def _fix(worsening: Worsening) -> list[str]:
    return [worsening.fix] if worsening.fix else []
