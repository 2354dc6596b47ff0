"""Which Python to deploy on: what is not green on each platform, by the minor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..audit.matrix import WheelMatrix
from ..config.targets import Target
from ..wording import first_of
from .matrix_output import cell, printable

if TYPE_CHECKING:
    from rich.console import Console

GREEN, INCOMPLETE = "all green", "incomplete"
_SHOWN = 4
"""Packages that a cell names."""


@dataclass(frozen=True)
class PythonChoice:
    """What all services together come to on one platform with one Python."""

    platform: str
    """The target's name without the Python: ``al2023``."""
    python: str
    complete: bool
    packages: tuple[str, ...]
    """Those that are not green."""

    @property
    def ready(self) -> bool:
        """Whether everything is green."""
        return self.complete and not self.packages

    def to_json(self) -> dict[str, object]:
        """As it is in the document of the command."""
        return {
            "platform": self.platform,
            "python": self.python,
            "complete": self.complete,
            "ready": self.ready,
            "packages": list(self.packages),
        }

    def __str__(self) -> str:
        if self.ready:
            return GREEN
        shown = first_of(self.packages, _SHOWN)
        return shown if self.complete else "; ".join(filter(None, [INCOMPLETE, shown]))


def python_choices(
    matrices: Sequence[WheelMatrix], targets: Sequence[Target]
) -> tuple[PythonChoice, ...]:
    """One for each of *targets*; nothing where they all have the same Python."""
    if len({target.python for target in targets}) < 2:
        return ()
    return tuple(
        _choice(target, [matrix for matrix in matrices if matrix.target == target.name])
        for target in targets
    )


def _choice(target: Target, matrices: Sequence[WheelMatrix]) -> PythonChoice:
    rows = (row for matrix in matrices for row in matrix.deployed if not row.green)
    return PythonChoice(
        target.name.removesuffix(f"-python{target.python}"),
        target.python,
        all(matrix.complete for matrix in matrices),
        tuple(sorted({row.name for row in rows})),
    )


def print_choices(console: Console, choices: Sequence[PythonChoice]) -> None:
    """A table with a row for each Python, and the answer below it."""
    from rich.table import Table
    from rich.text import Text

    if not choices:
        return
    heads, rows = _cells(choices)
    table = Table(box=None, pad_edge=False)
    for head in heads:
        table.add_column(Text(head), overflow="fold")
    for python, *cells in rows:
        table.add_row(python, *(Text(text, "green" if text == GREEN else "") for text in cells))
    console.print(table)
    for line in answers(choices):
        console.print(Text(line))


def choices_markdown(choices: Sequence[PythonChoice]) -> str:
    """The same as Markdown, with a heading; empty where there is no choice."""
    if not choices:
        return ""
    heads, rows = _cells(choices)
    lines = [heads, ["---"] * len(heads), *rows]
    table = [f"| {' | '.join(map(cell, line))} |" for line in lines]
    below = [f"- {cell(line)}" for line in answers(choices)]
    return "\n".join(["", "## Which Python", "", *table, "", *below, ""])


def answers(choices: Sequence[PythonChoice]) -> Iterator[str]:
    """For each platform, a line with the Pythons on which everything is green."""
    for platform in dict.fromkeys(choice.platform for choice in choices):
        there = [choice for choice in choices if choice.platform == platform]
        good = ", ".join(choice.python for choice in there if choice.ready)
        where = printable(platform)
        if good:
            yield f"Everything is green on {where} with Python {good}."
        else:
            yield f"No Python of these makes everything green on {where}."


def _cells(choices: Sequence[PythonChoice]) -> tuple[list[str], list[list[str]]]:
    platforms = list(dict.fromkeys(choice.platform for choice in choices))
    texts: Mapping[tuple[str, str], str] = {(c.python, c.platform): str(c) for c in choices}
    minors = sorted({c.python for c in choices}, key=lambda minor: int(minor.partition(".")[2]))
    rows = [
        [minor, *(printable(texts.get((minor, platform), "-")) for platform in platforms)]
        for minor in minors
    ]
    return ["Python", *platforms], rows
