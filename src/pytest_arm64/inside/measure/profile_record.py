"""Profiles as they leave a cell; read back with distrust."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, NamedTuple

from ..ran import PLACE, Ran
from ..records import Layout, decode, encode, json_options, parse
from .hotspots import CALLS, SAMPLES, Function, Spending, Spent
from .record import duration, printable

FORMAT = 1
IMPORTED = "imported"
"""Tool of a profile that somebody else has taken."""
FOLDER = "profile"
"""Below ``$PYTEST_ARM64_OUT``: one file a process."""
MOST_FUNCTIONS = 500
_LONGEST = 4096


@dataclass(frozen=True)
class Profile:
    """Where the processor time of a cell's tests went."""

    where: Ran
    tool: str
    seconds: float
    """All of it; the shares are parts of this."""
    functions: Mapping[Function, Spent]
    """The costliest."""
    source: str = ""
    """What it is called, where it is not that of a cell of this run."""

    def named(self, name: str) -> Profile:
        """The same, called *name*."""
        return replace(self, source=f"{name}: {self.where}")

    def share(self, function: Function) -> float:
        spent = self.functions.get(function)
        return spent.seconds / self.seconds if spent and self.seconds else 0.0

    def to_json(self) -> dict[str, object]:
        rows = tuple(
            _Row(function.file, function.line, function.name, spent.seconds, spent.calls)
            for function, spent in self.functions.items()
        )
        return {
            "format": FORMAT,
            **encode(_Stored(self.where, self.tool, self.seconds, rows)),
        }

    @classmethod
    def from_json(cls, data: object) -> Profile:
        """The inverse of `to_json`.

        Raises:
            ValueError: it is no profile.
        """
        stored = decode(_Stored, data, FORMAT)
        return cls(
            stored.where,
            stored.tool,
            stored.seconds,
            {Function(*row[:3]): Spent(row.seconds, row.calls) for row in stored.functions},
        )

    @classmethod
    def decode(cls, text: str) -> Profile:
        """From a file's text.

        Raises:
            ValueError: it holds no profile.
        """
        return cls.from_json(parse(text))


class _Row(NamedTuple):
    """One function, as it is written."""

    file: str
    line: int
    name: str
    seconds: float
    calls: int | None


def _rows(rows: tuple[_Row, ...]) -> tuple[_Row, ...]:
    """The costliest of *rows*, fit to be shown."""
    return tuple(map(_row, rows[:MOST_FUNCTIONS]))


def _row(row: _Row) -> _Row:
    if max(len(row.file), len(row.name)) > _LONGEST:
        raise ValueError("the name of a function is far too long")
    return row._replace(
        file=printable(row.file), name=printable(row.name), seconds=duration(row.seconds)
    )


def _tool(word: str) -> str:
    if word not in (SAMPLES, CALLS):
        raise ValueError(f"{word!r:.60} is not a profiler of ours")
    return word


@dataclass(frozen=True)
class _Stored:
    """A profile as it is written."""

    JSON: ClassVar[Layout] = Layout(name="profile")

    where: Ran = field(metadata=json_options(keys=PLACE))
    tool: str = field(metadata=json_options(check=_tool))
    seconds: float = field(metadata=json_options(check=duration))
    functions: tuple[_Row, ...] = field(metadata=json_options(check=_rows))


def profile_of(spending: Spending, tool: str, where: Ran, root: str, source: str = "") -> Profile:
    """The costliest functions of *spending*, files named from *root* where they lie below it."""
    named: Spending = {}
    for function, spent in spending.items():
        short = Function(_short(function.file, root), function.line, function.name)
        named.setdefault(short, Spent()).add(spent.seconds, spent.calls)
    seconds = sum(spent.seconds for spent in named.values())
    return Profile(where, tool, seconds, _costliest(named), source)


def aligned(profiles: Sequence[Profile]) -> list[Profile]:
    """The same, imported functions under the name that a cell's own profile has for them.

    Other tools know no line, and name files as they lie on their machine.
    """
    known = [f for profile in profiles if profile.tool != IMPORTED for f in profile.functions]
    found = []
    for profile in profiles:
        functions: Spending = {}
        for function, spent in profile.functions.items():
            name = _twin(function, known) if profile.tool == IMPORTED else function
            functions.setdefault(name, Spent()).add(spent.seconds, spent.calls)
        found.append(replace(profile, functions=functions))
    return found


def _twin(function: Function, known: Iterable[Function]) -> Function:
    twins = {
        other
        for other in known
        if other.name == function.name and f"/{function.file}".endswith(f"/{other.file}")
    }
    return twins.pop() if len(twins) == 1 else function


def merged(profiles: Iterable[Profile]) -> list[Profile]:
    """One profile a cell, of all its processes."""
    cells: dict[tuple[Ran, str], tuple[float, Spending]] = {}
    for profile in profiles:
        seconds, functions = cells.get((profile.where, profile.tool), (0.0, {}))
        for function, spent in profile.functions.items():
            functions.setdefault(function, Spent()).add(spent.seconds, spent.calls)
        cells[profile.where, profile.tool] = (seconds + profile.seconds, functions)
    return [
        Profile(where, tool, seconds, _costliest(functions))
        for (where, tool), (seconds, functions) in cells.items()
    ]


def _costliest(functions: Spending) -> Spending:
    ordered = sorted(functions.items(), key=lambda item: (-item[1].seconds, item[0].file))
    return dict(ordered[:MOST_FUNCTIONS])


def _short(file: str, root: str) -> str:
    for folder in (root, *(p for p in ("site-packages", "dist-packages") if p in file)):
        _, found, rest = file.rpartition(folder + os.sep)
        if found:
            return rest
    return file
