"""Which releases an advisory is about: OSV's events, compared as PEP 440 orders versions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from packaging.version import Version


@dataclass(frozen=True)
class Interval:
    """From one release on; up to another, or open."""

    introduced: Version
    fixed: Version | None = None
    """The first release without the defect."""
    last_affected: Version | None = None
    """The last release with it, where nobody says which one is without."""

    def __contains__(self, version: Version) -> bool:
        if version < self.introduced:
            return False
        if self.fixed is not None:
            return version < self.fixed
        return self.last_affected is None or version <= self.last_affected

    def __str__(self) -> str:
        first = f">={self.introduced}"
        if self.fixed is not None:
            return f"<{self.fixed}" if str(self.introduced) == "0" else f"{first},<{self.fixed}"
        return f"{first},<={self.last_affected}" if self.last_affected is not None else first


@dataclass(frozen=True)
class Affected:
    """The affected releases of one package."""

    package: str
    """Its normalised name."""
    intervals: tuple[Interval, ...] = ()
    versions: tuple[Version, ...] = ()
    """Single releases, where only these are known to be affected."""

    def __contains__(self, version: Version) -> bool:
        """Whether *version* is affected; a local version (``2.4.0+cpu``) counts as its public one.

        A pre-release of the first fixed release is affected, as it is by OSV's rules.
        """
        public = Version(version.public)
        return public in self.versions or any(public in interval for interval in self.intervals)

    def fixed_after(self, version: Version) -> Version | None:
        """The first release after *version* that is said to be fixed, and is not affected again."""
        fixes = sorted(self._fixes())
        return next((fix for fix in fixes if fix > version and fix not in self), None)

    def _fixes(self) -> Iterator[Version]:
        yield from (i.fixed for i in self.intervals if i.fixed is not None)

    def __str__(self) -> str:
        return " or ".join([*map(str, self.intervals), *(f"=={v}" for v in self.versions)])
