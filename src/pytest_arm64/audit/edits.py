"""Changes of pins in requirement files, as values and as text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from ..inputs.requirements import RequirementSet, SourcedRequirement

_PIN = re.compile(r"===?\s*[^\s,;#\\\"']+")


@dataclass(frozen=True)
class Edit:
    """One pin that gets another version, or a marker."""

    place: str
    """File and line, as the audit names them."""
    file: Path
    line: int
    name: str
    old: str
    new: str = ""
    """The release to move to; empty where the pin stays as it is."""
    marker: str = ""
    """What the requirement is to be for, instead of for every machine."""
    remark: str = ""
    """What a reader should know of it."""

    def __str__(self) -> str:
        remark = f" ({self.remark})" if self.remark else ""
        what = f"{self.old} to {self.new}" if self.new else f"only with {self.marker}"
        return f"{self.place}: {self.name} {what}{remark}"


def edited_wishes(wishes: RequirementSet, edits: Iterable[Edit]) -> RequirementSet:
    """What *wishes* are once their files have been changed by *edits*."""
    by_place = {(edit.place, edit.name): edit for edit in edits}
    return replace(
        wishes,
        requirements=tuple(
            _edited(requirement, wish, by_place[wish.origin, wish.name])
            if (wish.origin, wish.name) in by_place
            else (requirement, wish)
            for requirement, wish in wishes.requirements
        ),
    )


def _edited(
    requirement: Requirement, wish: SourcedRequirement, edit: Edit
) -> tuple[Requirement, SourcedRequirement]:
    changed = Requirement(str(requirement))
    if edit.new:
        changed.specifier = SpecifierSet(f"=={edit.new}")
    if edit.marker:
        changed.marker = Marker(_both(changed.marker, edit.marker))
    return changed, replace(wish, specifier=changed.specifier)


def _both(marker: Marker | str | None, other: str) -> str:
    return f"({marker}) and {other}" if marker else other


def edited_text(text: str, edits: Sequence[Edit]) -> str:
    """*text* of a requirement file with the pins of *edits* changed, and nothing else.

    A line with hashes stays: hashes of the new release are for the tool that locked it.
    """
    lines = text.splitlines(keepends=True)
    for edit in edits:
        if not 0 < edit.line <= len(lines):
            continue
        line = lines[edit.line - 1]
        head, mark, comment = line.partition(" #")
        if can_edit(head, edit):
            lines[edit.line - 1] = _edited_line(head, edit) + mark + comment
    return "".join(lines)


def can_edit(line: str, edit: Edit) -> bool:
    """Whether *line* holds the pin, and nothing that would have to change with it."""
    if "--hash" in line or line.rstrip().endswith("\\"):
        return False  # the next line belongs to it, or a hash that is another's then
    try:
        requirement = Requirement(re.split(r"\s--", line.strip())[0])
    except InvalidRequirement:
        return False
    pinned = SpecifierSet(f"=={edit.old}")
    return canonicalize_name(requirement.name) == edit.name and (
        requirement.specifier == pinned or str(requirement.specifier) == f"==={edit.old}"
    )


def _edited_line(head: str, edit: Edit) -> str:
    if edit.new:
        head = _PIN.sub(f"=={edit.new}", head, count=1)
    if not edit.marker:
        return head
    body = head.rstrip()
    rest = head[len(body) :]
    pin, _, marker = body.partition(";")
    return f"{pin.rstrip()}; {_both(marker.strip(), edit.marker)}{rest}"
