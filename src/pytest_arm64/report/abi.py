"""ABI records on the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ..binary.record import NEWER_CORE, UNKNOWN, AbiFinding, AbiRecord
from ..inside.counted import counted
from .matrix_output import printable

if TYPE_CHECKING:
    from rich.console import Console

_MAXIMUM_FILES = 5
_DOUBTS = (UNKNOWN, NEWER_CORE)
"""Kinds that are shown although they are not grave."""


def print_record(console: Console, record: AbiRecord, *, every: bool) -> None:
    """What keeps *record*'s files from loading; notes too where *every* is set."""
    from rich.table import Table
    from rich.text import Text

    console.print(Text(f"{printable(record.artifact)} against {printable(record.against)}", "bold"))
    table = Table(box=None, pad_edge=False)
    table.add_column("file", overflow="fold", ratio=2)
    table.add_column("finding", no_wrap=True)
    table.add_column("why, and what to do", ratio=3)
    for findings in together(f for f in record.findings if every or f.grave or f.kind in _DOUBTS):
        first = findings[0]
        style = "red" if first.grave else "yellow" if first.kind in _DOUBTS else ""
        table.add_row(
            Text("\n".join(paths(findings))),
            Text(first.kind, style),
            Text("\n".join(explanation(first))),
        )
    if table.row_count:
        console.print(table)
    console.print(Text("\n".join(summary(record))))
    console.print()


def together(findings: Iterable[AbiFinding]) -> list[list[AbiFinding]]:
    """Findings that differ in the file alone, the grave ones first."""
    groups: dict[tuple[object, ...], list[AbiFinding]] = {}
    for finding in findings:
        key = (finding.kind, finding.library, finding.version, finding.remedy, finding.against)
        text = "" if finding.library else finding.text
        groups.setdefault((*key, text), []).append(finding)
    return sorted(groups.values(), key=lambda group: (not group[0].grave, group[0].kind))


def paths(findings: list[AbiFinding]) -> list[str]:
    """A line for each file, not more than a few."""
    lines = [printable(finding.path) for finding in findings[:_MAXIMUM_FILES]]
    more = len(findings) - len(lines)
    return [*lines, f"and {more} more"] if more else lines


def explanation(finding: AbiFinding) -> list[str]:
    """A finding in words: what, for which symbols, and what to do."""
    lines = [finding.told]
    if finding.symbols:
        lines.append("for " + ", ".join(finding.symbols))
    if finding.grave and finding.evidence:
        lines.append("seen in " + "; ".join(finding.evidence[:_MAXIMUM_FILES]))
    if finding.remedy:
        lines.append(f"→ {finding.remedy}")
    return [printable(line) for line in lines]


def summary(record: AbiRecord) -> list[str]:
    """The verdict of *record* in a few lines."""
    count = len(record.files)
    if not count and not record.findings:
        return ["No compiled files for Linux: nothing has to be loaded."]
    lines = [f"{counted(count, 'compiled file')}, {machines(record)}"]
    if record.beside:
        lines.append(f"Compared with {record.beside}; findings that hold on one only say so.")
    grave = {finding.path for finding in record.grave}
    notes = sum(not f.grave and f.kind not in _DOUBTS for f in record.findings)
    if grave:
        lines.append(f"{len(grave)} of them cannot be loaded.")
    elif record.complete:
        own = sum(file.machine == record.machine for file in record.files)
        which = "All of them" if own == count else f"All {own} for {record.machine}"
        lines.append(f"{which} can be loaded.")
    if any(finding.disputed for finding in record.findings):
        lines.append("NOT EVALUATED completely: two readers of ELF files disagree.")
    elif not record.complete:
        lines.append(
            "NOT EVALUATED completely: the target's declared data leave questions open; an image "
            "answers them (--image)."
        )
    if notes:
        lines.append(f"{notes} note{'s' * (notes > 1)} (--all shows them).")
    return lines


def machines(record: AbiRecord) -> str:
    """How many files there are for each machine."""
    counts: Mapping[str, int] = {
        machine: sum(file.machine == machine for file in record.files)
        for machine in sorted({file.machine for file in record.files})
    }
    words = [
        f"{number} for {machine or 'no machine: unreadable'}" for machine, number in counts.items()
    ]
    return ", ".join(words) or "none"
