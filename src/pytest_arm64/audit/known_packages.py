"""What is known of packages beyond what an index tells: ``resources/packages.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import TypedDict, cast

from packaging.version import Version

from ..advisories.database import Advisories, shipped_advisories
from ..config._toml import loads
from ..config.system_packages import MOMENTS, PackageNames
from ..config.targets import ZIP, Target
from .matrix import SOURCE

# Package managers by recipe; Lambda's images have Amazon Linux 2023's.
_MANAGERS = {"dnf": "dnf", "lambda": "dnf", "apt": "apt", "python-image": "apt"}


class _Entry(TypedDict):
    name: str
    source: str


class _Optional(TypedDict):
    lacks: str
    source: str


class _Tables(TypedDict):
    replacements: Mapping[str, _Entry]
    system: Mapping[str, Mapping[str, Mapping[str, list[str]]]]
    """By name, by moment (``build`` or ``run``), by package manager."""
    optional: Mapping[str, _Optional]


@cache
def _tables() -> _Tables:
    text = resources.files("pytest_arm64.resources").joinpath("packages.toml").read_text("utf-8")
    return cast(_Tables, loads(text))


@dataclass(frozen=True)
class Replacement:
    """A package that does the work of another."""

    name: str
    source: str
    """Where its makers say what it is."""


@cache
def replacement_sources() -> frozenset[str]:
    """The addresses at which the makers of replacements describe them."""
    return frozenset(entry["source"] for entry in _tables()["replacements"].values())


@dataclass(frozen=True)
class Known:
    """The curated tables, as one target needs them."""

    manager: str = ""
    """``dnf`` or ``apt``; empty where the target names none."""
    tables: _Tables = field(default_factory=_tables)
    target: Target | None = None
    advisories: Advisories = field(default_factory=shipped_advisories)

    @classmethod
    def of(cls, target: Target, advisories: Advisories | None = None) -> Known:
        """What is known for *target*."""
        advisories = advisories or shipped_advisories()
        manager = _MANAGERS.get(target.recipe.name, "")
        return cls(manager, target=target, advisories=advisories)

    def defect(self, name: str, version: Version) -> str:
        """The id of an advisory that keeps *version* from being advised; empty for none."""
        return self.advisories.avoids(name, version, self.target) if self.target else ""

    def replacement(self, name: str) -> Replacement | None:
        """What can take the place of *name*."""
        entry = self.tables["replacements"].get(name)
        return Replacement(entry["name"], entry["source"]) if entry else None

    def lacks(self, name: str) -> str:
        """What alone does not work without the files for x86-64 in *name*'s wheel, and who says so.

        Empty where nothing is known to work without them.
        """
        entry = self.tables["optional"].get(name)
        return f"{entry['lacks']} ({entry['source']})" if entry else ""

    def system_packages(self, name: str, state: str) -> PackageNames:
        """What *name* in *state* needs of the target's package manager."""
        entry = self.tables["system"].get(name, {})
        build, run = (tuple(entry.get(m, {}).get(self.manager, ())) for m in MOMENTS)
        return PackageNames(build if state == SOURCE else (), run)

    def system_words(self, names: PackageNames) -> tuple[str, ...]:
        """Each of *names* with package manager and moment."""
        return (
            *(f"{name} ({self.manager}, at build time)" for name in names.build),
            *(f"{name} ({self.manager}, at run time)" for name in names.run),
        )

    def installable(self, names: PackageNames) -> PackageNames:
        """Those of *names* that the settings can install for the target."""
        zipped = self.target is not None and self.target.package == ZIP
        return PackageNames(names.build) if zipped else names
