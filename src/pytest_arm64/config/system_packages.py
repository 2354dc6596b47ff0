"""Packages of the system that a service needs, by the names of its package manager.

The names become arguments of a program that runs as root, and come from the repository's files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain

from ..errors import SettingsError
from .artifact import IMAGE, Artifact
from .suggestions import suggestion
from .targets import ZIP, Target

KEY = "system-packages"
MANAGERS = ("apt", "dnf", "apk")
"""Whose names differ; ``dnf`` stands for yum and microdnf too."""
MOMENTS = BUILD, RUN = ("build", "run")
_EXAMPLE = f'{KEY} = {{ build = ["libpq-devel"], run = ["libpq"] }}'
# A name that ends with "-" removes a package in apt-get; one that begins with it is an option.
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9+._-]{0,98}[A-Za-z0-9+])?", re.ASCII)
_MOST = 100
"""Names in one list."""


@dataclass(frozen=True)
class PackageNames:
    """What is installed where sources are built, and where the tests run."""

    build: tuple[str, ...] = ()
    run: tuple[str, ...] = ()


@dataclass(frozen=True)
class SystemPackages:
    """What the setting says."""

    names: PackageNames = field(default_factory=PackageNames)
    """Where the image's package manager has no table of its own."""
    by_manager: Mapping[str, PackageNames] = field(default_factory=dict)

    def of(self, manager: str) -> PackageNames:
        """The names on an image with *manager*."""
        return self.by_manager.get(manager, self.names)

    @property
    def build(self) -> bool:
        """Whether there are names for the builder, in any manager's words."""
        return any(names.build for names in self._all)

    @property
    def run(self) -> bool:
        """The same for where the tests run."""
        return any(names.run for names in self._all)

    @property
    def shown(self) -> str:
        """As it is written in TOML."""
        parts = [*_assignments(self.names)]
        for manager, names in sorted(self.by_manager.items()):
            parts.append(f"{manager} = {_inline(_assignments(names))}")
        return _inline(parts)

    @property
    def _all(self) -> Iterable[PackageNames]:
        return chain([self.names], self.by_manager.values())


def read_system_packages(table: Mapping[str, object]) -> SystemPackages:
    """What the value of the setting says.

    Raises:
        SettingsError: it has an unknown key, or what cannot be the name of a package.
    """
    own = {manager: table[manager] for manager in MANAGERS if manager in table}
    by_manager = {}
    for manager, names in own.items():
        if not isinstance(names, Mapping):
            raise _error(f"{KEY}.{manager} must be a table", example=_example_of(manager))
        by_manager[manager] = _names(names, f"{KEY}.{manager}", MOMENTS)
    rest = {key: value for key, value in table.items() if key not in own}
    return SystemPackages(_names(rest, KEY, (*MOMENTS, *MANAGERS)), by_manager)


def _names(table: Mapping[str, object], place: str, keys: tuple[str, ...]) -> PackageNames:
    for key in table:
        if key not in keys:
            raise _error(f"{place} has no key {key!r}{suggestion(key, keys)}")
    return PackageNames(*(_listed(table.get(key, []), f"{place}.{key}") for key in MOMENTS))


def _listed(names: object, place: str) -> tuple[str, ...]:
    if not isinstance(names, list):
        raise _error(f"{place} must be a list of names")
    if len(names) > _MOST:
        raise _error(f"{place} has more than {_MOST} names")
    for name in names:
        if not (isinstance(name, str) and _NAME.fullmatch(name)):
            raise _error(
                f"{place}: {name!r:.120} cannot be the name of a package",
                why="names are given to the image's package manager, which runs as root",
            )
    return tuple(dict.fromkeys(names))


def _error(what: str, *, why: str = "", example: str = _EXAMPLE) -> SettingsError:
    return SettingsError(what, why=why, next_step=f"use names alone, without versions: {example}")


def _example_of(manager: str) -> str:
    return f'{KEY}.{manager} = {{ build = ["libpq-dev"], run = ["libpq5"] }}'


def refuse_for(packages: SystemPackages, target: Target, artifact: Artifact | None) -> None:
    """Refuse packages for the tests where what is deployed could not have them.

    Raises:
        SettingsError: *packages* has some, and *target* is a zip, or *artifact* an image.
    """
    if not packages.run:
        return
    if target.package == ZIP:
        raise SettingsError(
            f"{KEY}.run cannot be installed for {target.name}: a function that is deployed as a "
            "zip has no package manager",
            why="its tests would find libraries that the function does not have",
            next_step="bring the libraries along in the zip's folder lib or in a layer, or deploy "
            'a container image: package = "image"',
        )
    if artifact is not None and artifact.kind == IMAGE:
        raise SettingsError(
            f"{KEY}.run cannot be installed in {artifact.shown}: an image that is built already "
            "is tested as it is",
            next_step="install them in that image, and leave them out here",
        )


def settings_line(build: Iterable[str] = (), run: Iterable[str] = ()) -> str:
    """The line of ``[tool.pytest-arm64]`` that installs these."""
    names = PackageNames(tuple(dict.fromkeys(build)), tuple(dict.fromkeys(run)))
    return f"{KEY} = {SystemPackages(names).shown}"


def _assignments(names: PackageNames) -> Iterator[str]:
    for key, listed in ((BUILD, names.build), (RUN, names.run)):
        if listed:
            yield f"{key} = {json.dumps(listed)}"


def _inline(parts: Iterable[str]) -> str:
    return f"{{ {', '.join(parts)} }}"
