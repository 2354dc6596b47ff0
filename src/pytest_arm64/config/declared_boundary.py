"""What a service's table declares to stay on x86, and why."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from ..errors import SettingsError
from ._toml import Table
from .suggestions import suggestion

_KEYS = ("reason", "migratable-when", "review", "packages")


@dataclass(frozen=True)
class Boundary:
    """What is declared to stay on x86: why, what would change that, and when to look again."""

    reason: str
    migratable_when: str
    review: date | None = None
    packages: tuple[str, ...] = ()
    """Packages that no other service may use; those without an ARM64 wheel are added to them."""


class ErrorAt(Protocol):
    """The error of a key of the table, with the place of that key."""

    def __call__(self, key: str, what: str, **how: str) -> SettingsError: ...


def read_boundary(entry: Table | None, error: ErrorAt) -> Boundary | None:
    """What *entry*, the value of ``boundary``, says; None for no entry.

    Raises:
        SettingsError: it says what cannot be used, as *error* words it.
    """
    if entry is None:
        return None
    for key in entry:
        if key not in _KEYS:
            raise error("boundary", f"boundary has no key {key!r}{suggestion(key, _KEYS)}")
    for key in ("reason", "migratable-when"):
        if not isinstance(entry.get(key), str) or not entry[key].strip():
            raise error(
                "boundary",
                f"boundary needs a {key}",
                why="every boundary needs a reason",
                next_step='boundary = { reason = "…", migratable-when = "…", review = 2027-03-01 }',
            )
    review = entry.get("review")
    if isinstance(review, datetime) or not (review is None or isinstance(review, date)):
        raise error("boundary", "boundary: review must be a date", next_step="review = 2027-03-01")
    packages = entry.get("packages", [])
    if not isinstance(packages, list) or not all(isinstance(name, str) for name in packages):
        raise error("boundary", "boundary: packages must be a list of names")
    return Boundary(
        entry["reason"].strip(),
        entry["migratable-when"].strip(),
        review,
        tuple(re.sub(r"[-_.]+", "-", name).lower() for name in packages),
    )
