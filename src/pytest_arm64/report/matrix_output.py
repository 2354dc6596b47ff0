"""The wheel matrix as a person reads it: a table, or Markdown."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from ..advisories.database import KNOWN_DEFECT, KnownDefect
from ..audit.matrix import (
    BLOCKER,
    BUILD,
    DEPLOY,
    FORMAT,
    PURE,
    SOURCE,
    STATES,
    TEST,
    UNKNOWN,
    WHEEL,
    Row,
    WheelMatrix,
)
from ..audit.weight import binary_size
from ..config.system_packages import settings_line
from ..decide.plain_markdown import without_mentions
from ..inside.counted import counted
from .packager_output import packager_line, packager_lines, packager_rows
from .weight_output import contents_lines, weight_lines, weight_rows

if TYPE_CHECKING:
    from rich.console import Console

_STYLES = {BLOCKER: "red", UNKNOWN: "magenta", SOURCE: "yellow", WHEEL: "green", PURE: "green"}
_WORDS = {
    PURE: "pure Python",
    WHEEL: "with an ARM64 wheel",
    SOURCE: "built from source",
    BLOCKER: "blocking",
    UNKNOWN: "unknown",
}


def print_table(console: Console, matrices: Sequence[WheelMatrix], *, every: bool) -> None:
    """Each matrix as a table; green rows only where *every* is set, in the counts always."""
    from rich.table import Table
    from rich.text import Text

    for matrix in matrices:
        console.print(Text(f"{matrix.service} on {matrix.target}", "bold"))
        rows = [row for row in matrix.packages if every or _worth_telling(row)]
        if rows:
            table = Table(box=None, pad_edge=False)
            table.add_column("package", overflow="fold")
            table.add_column("version", overflow="fold")
            table.add_column("state", no_wrap=True)
            table.add_column("why, and what to do", ratio=1, overflow="fold")
            for row in rows:
                table.add_row(
                    Text(row.name if row.scope == DEPLOY else f"{row.name} ({row.scope})"),
                    Text(row.version),
                    Text(row.state, _STYLES[row.state]),
                    Text("\n".join(explanation(row))),
                )
            console.print(table)
        console.print(Text("\n".join(summary(matrix))))
        console.print()
    if len({matrix.target for matrix in matrices}) > 1:
        _print_comparison(console, matrices)
    if len({matrix.service for matrix in matrices}) > 1:
        for line in (*holding_up(matrices), *services_in_sum(matrices)):
            console.print(Text(line))


def services_in_sum(matrices: Sequence[WheelMatrix]) -> list[str]:
    """``4 services: 2 ready, 1 not ready, 1 incomplete``, a line for each target."""
    lines = []
    for target in dict.fromkeys(matrix.target for matrix in matrices):
        audited = [matrix for matrix in matrices if matrix.target == target]
        words = Counter(
            ("ready" if m.ready else "not ready") if m.complete else "incomplete" for m in audited
        )
        parts = [f"{words[w]} {w}" for w in ("ready", "not ready", "incomplete") if words[w]]
        lines.append(f"{counted(len(audited), 'service')} on {target}: {', '.join(parts)}")
    return lines


def holding_up(matrices: Sequence[WheelMatrix]) -> list[str]:
    """``numpy 1.0 (source) blocks: api, worker``, a line for each package that is not green."""
    lines = []
    for row, held in gravest(matrices):
        services = list(dict.fromkeys(matrix.service for matrix in held))
        if services:
            what = f"{row.name} {row.version}".strip()
            lines.append(printable(f"{what} ({row.state}) blocks: {', '.join(services)}"))
    return lines


def _print_comparison(console: Console, matrices: Sequence[WheelMatrix]) -> None:
    from rich.table import Table
    from rich.text import Text

    for service in dict.fromkeys(matrix.service for matrix in matrices):
        targets = [matrix for matrix in matrices if matrix.service == service]
        rows = comparison(targets)
        if not rows:
            continue
        table = Table(box=None, pad_edge=False)
        table.add_column(service, no_wrap=True)
        for matrix in targets:
            table.add_column(matrix.target)
        for name, states in rows:
            cells = [Text(s or "-", _STYLES.get(s, "")) for s in states]
            table.add_row(Text(name), *cells)
        console.print(table)


def comparison(matrices: Sequence[WheelMatrix]) -> list[tuple[str, list[str]]]:
    """State by target, for each package that is not green on all of them."""
    tables = [{row.name: row.state for row in matrix.deployed} for matrix in matrices]
    found = []
    for name in sorted({name for table in tables for name in table}):
        states = [table.get(name, "") for table in tables]
        if any(state in (SOURCE, BLOCKER, UNKNOWN) for state in states):
            found.append((name, states))
    return found


def document(matrices: Sequence[WheelMatrix]) -> dict[str, object]:
    """The JSON of one matrix, or of several with what each package holds up."""
    if len(matrices) == 1:
        return matrices[0].to_json()
    return {
        "format": FORMAT,
        "complete": all(matrix.complete for matrix in matrices),
        "ready": all(matrix.ready for matrix in matrices),
        "packages": [
            {
                **asdict(row),
                "holds_up": [{"service": m.service, "target": m.target} for m in held],
            }
            for row, held in gravest(matrices)
        ],
        "matrices": [matrix.to_json() for matrix in matrices],
    }


def gravest(matrices: Sequence[WheelMatrix]) -> list[tuple[Row, list[WheelMatrix]]]:
    """The gravest row of each deployed package, with the matrices in which it is not green.

    What holds up most comes first.
    """
    rows: dict[str, Row] = {}
    held: dict[str, list[WheelMatrix]] = {}
    for matrix in matrices:
        for row in matrix.deployed:
            known = rows.setdefault(row.name, row)
            if STATES.index(row.state) < STATES.index(known.state):
                rows[row.name] = row
            if not row.green:
                held.setdefault(row.name, []).append(matrix)
    names = sorted(rows, key=lambda n: (-len(held.get(n, ())), STATES.index(rows[n].state), n))
    return [(rows[name], held.get(name, [])) for name in names]


def markdown(matrices: Sequence[WheelMatrix]) -> str:
    """Each matrix as a Markdown table with every row."""
    lines = []
    for matrix in matrices:
        lines += [f"## {cell(matrix.service)} on {cell(matrix.target)}", ""]
        lines += [f"{line}  " for line in map(cell, summary(matrix, packagers=False))]
        lines += [
            "",
            "| package | version | state | why, and what to do |",
            "| --- | --- | --- | --- |",
        ]
        for row in matrix.packages:
            words = "<br>".join(map(cell, explanation(row)))
            name = row.name if row.scope == DEPLOY else f"{row.name} ({row.scope})"
            lines.append(f"| {cell(name)} | {cell(row.version)} | {row.state} | {words} |")
        lines += ["", *_weight_markdown(matrix), *_packagers_markdown(matrix)]
    if len({matrix.service for matrix in matrices}) > 1:
        lines += ["## What blocks which service", ""]
        lines += [f"- {cell(line)}" for line in holding_up(matrices)] or ["Nothing."]
    return "\n".join(lines)


def _weight_markdown(matrix: WheelMatrix) -> list[str]:
    """The packages that unpack to most, as a table."""
    rows = weight_rows(matrix)
    if not rows:
        return []
    head = ["| largest packages | download | unpacked | on x86_64 |", "| --- | --- | --- | --- |"]
    return [
        *head,
        *(
            f"| {cell(row.name)} {cell(row.version)} | {row.download} | {row.unpacked} | "
            f"{row.x86 or '-'} |"
            for row in rows
        ),
        "",
    ]


def _packagers_markdown(matrix: WheelMatrix) -> list[str]:
    """What each tool makes of the packages, as a table of the differences."""
    lines: list[str] = []
    for view in matrix.packagers:
        lines += [f"{cell(packager_line(view))}  ", ""]
        rows = list(packager_rows(view))
        if rows:
            lines += ["| package | finding | why | way out |", "| --- | --- | --- | --- |"]
            lines += ["| " + " | ".join(map(cell, row)) + " |" for row in rows] + [""]
    return lines


def summary_words(matrix: WheelMatrix) -> str:
    """The counts of a matrix, and whether it is ready, in one line."""
    verdict = "ready" if matrix.ready else "not ready"
    age = f", index pages up to {matrix.index_age / 3600:.0f} h old"
    return (
        f"{_counted(matrix)}; {verdict if matrix.complete else 'INCOMPLETE'}"
        f"{age if matrix.index_age > 3600 else ''}"
    )


def _counted(matrix: WheelMatrix) -> str:
    counts = matrix.counts
    parts = [f"{counts[s]} {_WORDS[s]}" for s in reversed(STATES) if s in counts]
    built = sum(row.from_source for row in matrix.deployed)
    if built and parts:
        parts[0] += f" ({built} built from source)"
    return (
        f"{counted(len(matrix.deployed), 'package')}: {', '.join(parts)}"
        if parts
        else "no packages"
    )


def summary(matrix: WheelMatrix, *, packagers: bool = True) -> list[str]:
    """The verdict of a matrix in a few lines; with those on packagers unless they have a table."""
    lines = [_counted(matrix)]
    lines += [f"problem: {printable(problem)}" for problem in matrix.problems]
    lines += [f"note: {printable(note)}" for note in matrix.notes]
    others = [(TEST, "Test packages"), (BUILD, "Build requirements")]
    for scope, words in others:
        found = matrix.of_scope(scope)
        grave = sum(not row.green for row in found)
        if found:
            lines.append(
                f"{words}: {len(found)}" + (f" ({grave} without a wheel)" if grave else "")
            )
    defects = [defect for row in matrix.deployed for defect in row.advisories]
    if defects:
        grave = sum(defect.grave for defect in defects)
        lines.append(f"Known defects: {len(defects)} ({grave} certain and grave)")
    lines += map(printable, weight_lines(matrix))
    if packagers:
        lines += map(printable, packager_lines(matrix))
    needing = [row for row in matrix.packages if row.system]
    if len(needing) > 1:
        lines += [
            f"System packages of {counted(len(needing), 'package')}:",
            *_settings_line(needing),
        ]
    if not matrix.complete:
        lines.append(
            "INCOMPLETE: the rows above are correct, but some dependencies could not be determined."
        )
    elif not matrix.deployed:
        lines.append("Nothing has to be installed: nothing stands in the way.")
    elif matrix.ready:
        sources = any(row.from_source for row in matrix.deployed)
        more = " or is pure Python" if sources else ""
        lines.append(f"Ready: every package has a usable wheel{more}.")
    else:
        lines.append("Not ready.")
    if matrix.index_age > 3600:
        lines.append(
            f"Index pages are up to {matrix.index_age / 3600:.0f} h old "
            "(--refresh fetches them again)."
        )
    return lines


def explanation(row: Row) -> list[str]:
    """Everything about one row, a line each."""
    lines = []
    if row.cause:
        lines.append(f"{row.cause}: {row.detail}")
    if row.remedy is not None:
        lines.append(f"→ {row.remedy.text}")
    lines += map(defect_line, row.advisories)
    if row.doubt:
        lines.append(f"incomplete: {row.doubt}")
    if row.blocked_by:
        lines.append("needs " + ", ".join(row.blocked_by) + ", which is blocked")
    if row.system:
        lines.append("system packages: " + ", ".join(row.system))
        lines += _settings_line([row])
    if row.yanked:
        lines.append("yanked by its maintainers")
    if _worth_telling(row) and row.path:
        lines.append("from " + " → ".join(row.path))
    if not lines:
        lines.append(_file_line(row))
    lines += contents_lines(row)
    return [printable(line) for line in lines]


def _settings_line(rows: Sequence[Row]) -> Iterator[str]:
    """The line of ``[tool.pytest-arm64]`` that installs what *rows* need of the system."""
    build = [name for row in rows for name in row.system_packages.build]
    run = [name for row in rows for name in row.system_packages.run]
    if build or run:
        yield f"→ in pytest --arm64: {settings_line(build, run)}"


def _file_line(row: Row) -> str:
    facts = [f"glibc {row.glibc}"] if row.glibc else []
    if row.unpacked:
        facts.append(f"{binary_size(row.size)}, {binary_size(row.unpacked)} unpacked")
    return row.file + (f" ({', '.join(facts)})" if facts else "")


def defect_line(defect: KnownDefect) -> str:
    """What an advisory says of a row, in one line."""
    line = f"{KNOWN_DEFECT} {defect.id} ({defect.effect}): {defect.summary}"
    if defect.condition:
        line += f"; applies if {defect.condition}"
    return line + (f"; not in {defect.fixed}" if defect.fixed else "; no fixed release is known")


def printable(text: str) -> str:
    """*text* without what a terminal would obey: packages write their own metadata."""
    return "".join(character if character.isprintable() else "?" for character in text)


def _worth_telling(row: Row) -> bool:
    return row.state not in (PURE, WHEEL) or bool(
        row.doubt or row.blocked_by or row.yanked or row.advisories or row.modules_missing
    )


def cell(text: str) -> str:
    """*text* as it may stand in a cell of a Markdown table."""
    text = without_mentions(printable(text)).replace("<", "&lt;").replace("`", "'")
    return re.sub(r"[\\|\[\]]", r"\\\g<0>", text)  # a cell's end, links and pictures
