"""Allowances: source builds and known defects that a team tolerates, why, where, until when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from fnmatch import fnmatchcase
from typing import Any

from packaging.utils import canonicalize_name

from ..advisories.entries import shown_id
from ..config.service_names import REPOSITORY
from ..config.services import Services
from ..config.suggestions import suggestion
from ..errors import SettingsError

WARNED_DAYS = 30
_KEYS = ("services", "reason", "expires")


@dataclass(frozen=True)
class Allowance:
    """One ``[[tool.pytest-arm64.allow-source]]`` or ``allow-advisory``."""

    package: str
    """Or the id of an advisory."""
    reason: str
    services: tuple[str, ...] = ("*",)
    """Names of services, or patterns of them."""
    expires: date | None = None
    what: str = "may be built from source"
    """What is allowed, as words after the package."""

    def covers(self, service: str, package: str) -> bool:
        """Whether it is about *package* of *service*."""
        return package == self.package and any(fnmatchcase(service, s) for s in self.services)

    def expired(self, today: date) -> bool:
        """Whether it holds no more."""
        return self.expires is not None and today > self.expires

    def expires_soon(self, today: date) -> bool:
        """Whether it ends within 30 days."""
        return (
            self.expires is not None
            and not self.expired(today)
            and (self.expires - today).days <= WARNED_DAYS
        )

    def told(self, today: date) -> str:
        """It in words."""
        text = f"{self.package} {self.what}: {self.reason}"
        if self.expires is None:
            return text
        if self.expired(today):
            return f"{text} (that was allowed until {self.expires})"
        return f"{text} (until {self.expires})"


def read_allowances(
    table: Mapping[str, Any], services: Services | None = None
) -> tuple[Allowance, ...]:
    """The allowances of ``[tool.pytest-arm64]``; ``repository`` among *services* by its name.

    Raises:
        SettingsError: one is without a package or a reason, or has a key that does not exist.
    """
    return _renamed(map(_read, table.get("allow-source", [])), services)


def read_accepted_defects(
    table: Mapping[str, Any], services: Services | None = None
) -> tuple[Allowance, ...]:
    """The ``allow-advisory`` entries of ``[tool.pytest-arm64]``, whose packages are ids.

    Raises:
        SettingsError: one is without an id or a reason, or has a key that does not exist.
    """
    entries = table.get("allow-advisory", [])
    return _renamed((_read(entry, "allow-advisory", "id") for entry in entries), services)


def _renamed(allowances: Iterable[Allowance], services: Services | None) -> tuple[Allowance, ...]:
    """*allowances* with the project's own name in the place of ``repository``."""
    own = services.named(REPOSITORY) if services is not None else None
    names = {REPOSITORY: own.name} if own is not None else {}
    return tuple(
        replace(a, services=tuple(names.get(name, name) for name in a.services)) for a in allowances
    )


def unused(allowances: Iterable[Allowance], used: Iterable[tuple[str, str]]) -> Sequence[Allowance]:
    """Those that cover none of *used*: services with packages that are built from source."""
    seen = list(used)
    return [a for a in allowances if not any(a.covers(service, name) for service, name in seen)]


def _read(
    entry: Mapping[str, Any], table: str = "allow-source", subject: str = "package"
) -> Allowance:
    where = f"[[tool.pytest-arm64.{table}]] {entry.get(subject, '')!r}"
    keys = (subject, *_KEYS)
    for key in entry:
        if key not in keys:
            raise SettingsError(f"{where} has no key {key!r}{suggestion(key, keys)}")
    for key in (subject, "reason"):
        if not isinstance(entry.get(key), str) or not entry[key].strip():
            raise SettingsError(f"{where} has no {key}", why="every allowance needs a reason")
    services = entry.get("services", ["*"])
    if not isinstance(services, list) or not all(isinstance(s, str) for s in services):
        raise SettingsError(f"{where} services must be a list of names")
    expires = entry.get("expires")
    if isinstance(expires, datetime) or not (expires is None or isinstance(expires, date)):
        raise SettingsError(f"{where} expires must be a date", next_step="expires = 2027-06-30")
    reason = entry["reason"].strip()
    if subject == "id":
        identity = shown_id(entry["id"].strip())
        return Allowance(identity, reason, tuple(services), expires, "is accepted")
    return Allowance(canonicalize_name(entry["package"]), reason, tuple(services), expires)
