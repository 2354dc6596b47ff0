"""``--fix``: moves pins in requirement files to releases with a usable wheel."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from ..errors import SettingsError
from .matrix import Row, WheelMatrix

_PIN = re.compile(r"===?\s*[^\s,;#\\\"']+")


@dataclass(frozen=True)
class Move:
    """One pin to be moved."""

    file: Path
    line: int
    name: str
    old: str
    new: str


def moves(matrices: Iterable[WheelMatrix], root: Path) -> Iterator[Move]:
    """Pins that a remedy would move, in files below *root* that are named by a row's path.

    Only what the service itself pins: what holds a dependency's version is another's to change.
    A release that fits one target and not another is not moved to.
    """
    wanted: dict[tuple[Path, int, str], set[tuple[str, str]]] = {}
    for matrix in matrices:
        for row in matrix.deployed:
            place = _place(row, root)
            if place is not None and row.remedy is not None:
                wanted.setdefault((*place, row.name), set()).add((row.version, row.remedy.version))
    for (file, line, name), versions in sorted(wanted.items()):
        if len(versions) == 1:
            ((old, new),) = versions
            yield Move(file, line, name, old, new)


def _place(row: Row, root: Path) -> tuple[Path, int] | None:
    """File and line of a pin that holds *row* alone, None where there is none to move."""
    remedy = row.remedy
    if remedy is None or not remedy.version or remedy.version == row.version or len(row.path) != 2:
        return None
    held = [text for text in remedy.held_by if not text.endswith(f"({row.path[0]})")]
    file, _, line = row.path[0].rpartition(":")
    if held or not line.isdigit() or Path(file).name == "pyproject.toml":
        return None
    return root / file, int(line)


def moved(text: str, chosen: Sequence[Move]) -> str:
    """*text* of a requirement file with the pins of *chosen* moved, and nothing else changed.

    A line with hashes stays: hashes of the new release are for the tool that locked it.
    """
    lines = text.splitlines(keepends=True)
    for move in chosen:
        if not 0 < move.line <= len(lines):
            continue
        line = lines[move.line - 1]
        head, mark, comment = line.partition(" #")
        if "--hash" in line or head.rstrip().endswith("\\") or not _is_pin(head, move):
            continue
        lines[move.line - 1] = _PIN.sub(f"=={move.new}", head, count=1) + mark + comment
    return "".join(lines)


def _is_pin(line: str, move: Move) -> bool:
    try:
        requirement = Requirement(re.split(r"\s--", line.strip())[0])
    except InvalidRequirement:
        return False
    pinned = SpecifierSet(f"=={move.old}")
    return canonicalize_name(requirement.name) == move.name and (
        requirement.specifier == pinned or str(requirement.specifier) == f"==={move.old}"
    )


def fix(matrices: Iterable[WheelMatrix], root: Path) -> Iterator[str]:
    """Move what can be moved; a unified diff for each file that changed.

    Raises:
        SettingsError: a file cannot be written.
    """
    by_file: dict[Path, list[Move]] = {}
    for move in moves(matrices, root):
        by_file.setdefault(move.file, []).append(move)
    for file, chosen in by_file.items():
        try:
            before = file.read_bytes().decode("utf-8")
            after = moved(before, chosen)
            if after == before:
                continue
            file.write_bytes(after.encode("utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{file} cannot be changed: {error}") from None
        name = file.relative_to(root).as_posix() if file.is_relative_to(root) else str(file)
        yield "".join(
            difflib.unified_diff(
                before.splitlines(keepends=True),
                after.splitlines(keepends=True),
                f"a/{name}",
                f"b/{name}",
            )
        )
