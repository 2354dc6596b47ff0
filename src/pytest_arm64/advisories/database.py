"""All advisories that count for a project, and what they say of a release on a target."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources

from packaging.version import InvalidVersion, Version

from .. import cache as disk_cache
from ..config.boundary import check_inside
from ..config.project_files import ProjectFiles
from ..config.suggestions import suggestion
from ..config.targets import Target
from ..errors import SettingsError
from ..inside.options import cores
from ..inside.regular_file import read_regular
from .conditions import Deployment, cores_of, open_condition
from .entries import Advisory, read_advisories, shown_id

KNOWN_DEFECT = "known-defect"
"""The cause of what an advisory says of a row."""
MOST_BYTES = 1 << 20
"""Of a team's own file."""
_MOST_FIXES = 100
"""Fixed releases that are affected again, one after the other, that are gone through."""


@dataclass(frozen=True)
class KnownDefect:
    """What one advisory says of one release on one target."""

    id: str
    effect: str
    summary: str
    condition: str = ""
    """What has to hold besides for it to apply; empty where it surely applies."""
    fixed: str = ""
    """The first release outside of all affected ranges; empty where none is known."""
    url: str = ""
    """The first reference."""
    grave: bool = False
    """Whether it surely applies, and gives wrong results or ends the process."""


@dataclass(frozen=True)
class Advisories:
    """What is known, and where the project says that it runs."""

    entries: tuple[Advisory, ...]
    cores: tuple[str, ...] = ()
    """ARM's names of the project's cores; empty where it names none."""

    @cached_property
    def _by_package(self) -> Mapping[str, tuple[Advisory, ...]]:
        packages: defaultdict[str, list[Advisory]] = defaultdict(list)
        for entry in self.entries:
            for package in entry.packages:
                packages[package].append(entry)
        return {package: tuple(entries) for package, entries in packages.items()}

    @property
    def packages(self) -> tuple[str, ...]:
        """Every package that has an advisory."""
        return tuple(sorted(self._by_package))

    @cached_property
    def fingerprint(self) -> str:
        """The same for the same advisories and cores."""
        return disk_cache.digest([repr(self.entries), *self.cores])

    def get(self, identity: str) -> Advisory:
        """The advisory called *identity*.

        Raises:
            SettingsError: no advisory has this id.
        """
        wanted = shown_id(identity.strip()).lower()
        for entry in self.entries:
            if entry.id.lower() == wanted:
                return entry
        known = [entry.id for entry in self.entries]
        raise SettingsError(
            f"there is no advisory {identity[:60]!r}{suggestion(wanted.upper(), known)}",
            next_step="pytest-arm64 advisories list",
        )

    def of(self, package: str) -> tuple[Advisory, ...]:
        """The advisories on *package*, a normalised name."""
        return self._by_package.get(package, ())

    def defects(self, package: str, version: str, target: Target) -> tuple[KnownDefect, ...]:
        """What is known of *version* of *package* on *target*; nothing where it is no version."""
        try:
            release = Version(version)
        except InvalidVersion:
            return ()
        if package not in self._by_package:
            return ()
        deployment = Deployment(target, self.cores)
        applying = list(self._applying(package, release, deployment))
        fixed = self._first_outside(package, release, deployment) if applying else ""
        return tuple(
            KnownDefect(
                entry.id,
                entry.effect,
                entry.summary,
                condition,
                fixed,
                entry.references[0].url if entry.references else "",
                entry.grave and not condition,
            )
            for entry, condition in applying
        )

    def avoids(self, package: str, version: Version, target: Target) -> str:
        """The id of a grave advisory on *version* that may apply on *target*; empty for none."""
        return next(iter(self.all_avoided(package, version, target)), "")

    def all_avoided(self, package: str, version: Version, target: Target) -> tuple[str, ...]:
        """The ids of all of them."""
        if package not in self._by_package:
            return ()
        applying = self._applying(package, version, Deployment(target, self.cores))
        return tuple(entry.id for entry, _ in applying if entry.grave)

    def _applying(
        self, package: str, version: Version, deployment: Deployment
    ) -> Iterator[tuple[Advisory, str]]:
        """Each advisory that is not excluded, with what has to hold besides."""
        for entry in self.of(package):
            if any(version in affected for affected in entry.of(package)):
                condition = open_condition(entry.condition, deployment)
                if condition is not None:
                    yield entry, condition

    def _first_outside(self, package: str, version: Version, deployment: Deployment) -> str:
        """The first release after *version* that no advisory is about; empty for none."""
        release = version
        for _ in range(_MOST_FIXES):  # each is later than the release before it
            entry = next((entry for entry, _ in self._applying(package, release, deployment)), None)
            if entry is None:
                return str(release)
            fixes = [affected.fixed_after(release) for affected in entry.of(package)]
            later = max((fix for fix in fixes if fix is not None), default=None)
            if later is None:
                return ""
            release = later
        return ""


@cache
def shipped_advisories() -> Advisories:
    """Those that come with this release, without what a project adds."""
    folder = resources.files("pytest_arm64.resources").joinpath("advisories")
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    return Advisories(
        tuple(
            entry
            for file in files
            if file.name.endswith(".json")
            for entry in read_advisories(file.read_bytes(), file.name)
        )
    )


def project_advisories(files: ProjectFiles) -> Advisories:
    """The shipped ones and the project's own, for the cores that it names.

    An own entry takes the place of the shipped one with its id; a withdrawn one takes it away.

    Raises:
        SettingsError: a file of ``advisories`` cannot be read, or an entry is not valid.
    """
    entries = {entry.id: entry for entry in shipped_advisories().entries}
    for name in files.table.get("advisories", []):
        path = files.rootpath / name
        check_inside(path, files.manifest, files.root, f"{files.manifest}: advisories")
        try:
            content = read_regular(path, MOST_BYTES)
        except OSError as error:
            reason = error.strerror or str(error)
            raise SettingsError(f"{files.manifest}: advisories: {name}: {reason}") from None
        entries |= {entry.id: entry for entry in read_advisories(content, name)}
    kept = tuple(entry for entry in entries.values() if not entry.withdrawn)
    return Advisories(kept, cores_of(_configured_cores(files)))


def _configured_cores(files: ProjectFiles) -> tuple[str, ...]:
    text = files.table.get("cpu", "")
    try:
        return cores(text) if text else ()
    except ValueError as error:
        raise SettingsError(f"{files.manifest}: cpu: {error}") from None
