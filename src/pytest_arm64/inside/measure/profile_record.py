"""Profiles as they leave a cell; read back with distrust."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from .hotspots import CALLS, SAMPLES, Function, Spending, Spent
from .record import MalformedRecordError, Where, printable

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

    where: Where
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

    def to_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "where": asdict(self.where),
            "tool": self.tool,
            "seconds": self.seconds,
            "functions": [
                [one.file, one.line, one.name, spent.seconds, spent.calls]
                for one, spent in self.functions.items()
            ],
        }

    @classmethod
    def from_json(cls, document: Any) -> Profile:
        """The inverse of `to_json`.

        Raises:
            MalformedRecordError: it is none.
        """
        try:
            if document["format"] == FORMAT and document["tool"] in (SAMPLES, CALLS):
                return cls(
                    Where.of(dict(document["where"])),
                    document["tool"],
                    _seconds(document["seconds"]),
                    dict(_function(*entry) for entry in document["functions"][:MOST_FUNCTIONS]),
                )
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise MalformedRecordError(f"no profile: {error}") from None
        raise MalformedRecordError(f"no profile in format {FORMAT}")

    @classmethod
    def decode(cls, text: str) -> Profile:
        """From a file's text.

        Raises:
            MalformedRecordError: it holds no profile.
        """
        try:
            document = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise MalformedRecordError(f"not JSON: {error}") from None
        return cls.from_json(document)


def profile_of(spending: Spending, tool: str, where: Where, root: str, source: str = "") -> Profile:
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
    cells: dict[tuple[Where, str], tuple[float, Spending]] = {}
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


def _function(
    file: object, line: object, name: object, seconds: object, calls: object
) -> tuple[Function, Spent]:
    for text in (file, name):
        if not isinstance(text, str) or len(text) > _LONGEST:
            raise ValueError("a name is missing or far too long")
    if type(line) is not int or not (calls is None or type(calls) is int):
        raise ValueError("a count is missing")
    function = Function(printable(str(file)), line, printable(str(name)))
    return function, Spent(_seconds(seconds), calls)


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e9:
        raise ValueError(f"{value!r} is no duration")
    return float(value)
