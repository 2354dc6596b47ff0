"""Changes to try: what takes the place of one requirement, as ``--arm64-try`` names it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ..errors import SettingsError
from ..inside.options import FIXES
from ..records import json_options

_REPLACES = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*=(?!=)(.*)", re.DOTALL)


def _requirement(text: str) -> str:
    """*text* of a report, which anybody may have written; a ValueError if it is not a change."""
    return str(Requirement(text))


@dataclass(frozen=True)
class Change:
    """One requirement of the project, and what takes its place."""

    name: str
    """The project whose requirements change, normalised."""
    requirement: str = field(metadata=json_options(check=_requirement))
    """PEP 508: a release, another project, or the same one with a marker."""

    @property
    def wanted(self) -> Requirement:
        """What takes its place."""
        return Requirement(self.requirement)

    @property
    def new_name(self) -> str:
        """The project that takes its place, normalised: mostly the same one."""
        return canonicalize_name(self.wanted.name)

    @property
    def renames(self) -> bool:
        """Whether another project takes its place."""
        return self.new_name != self.name

    def __str__(self) -> str:
        return f"{self.name}={self.requirement}" if self.renames else self.requirement


def read_change(text: str) -> Change:
    """The change that *text* names: ``psutil==6.0.0``, or ``psycopg2=psycopg2-binary``.

    Raises:
        SettingsError: it is no requirement, or names a file or an address.
    """
    replaces = _REPLACES.fullmatch(text)
    try:
        wanted = Requirement(replaces[2] if replaces else text)
    except ValueError as error:
        why, *_ = str(error).splitlines() or [""]
        raise SettingsError(
            f"--arm64-try {text!r} is not a change",
            why=why,
            next_step="write NAME==VERSION, OLD=NEW, or fixes for all that the audit proposes",
        ) from None
    if wanted.url:
        raise SettingsError(
            f"--arm64-try {text!r} names an address",
            why="a change is tried with a release of an index",
            next_step="write NAME==VERSION or OLD=NEW",
        )
    return Change(canonicalize_name(replaces[1] if replaces else wanted.name), str(wanted))


def read_changes(texts: Iterable[str]) -> tuple[Change, ...]:
    """The changes that *texts* name, without ``fixes``.

    Raises:
        SettingsError: one is not a change, or two are of the same requirement.
    """
    changes: dict[str, Change] = {}
    for text in texts:
        if text.strip() == FIXES:
            continue
        change = read_change(text)
        other = changes.setdefault(change.name, change)
        if other != change:
            raise SettingsError(
                f"--arm64-try changes {change.name} twice: to {other} and to {change}",
                next_step="try them one after another",
            )
    return tuple(changes.values())
