"""The releases with a usable wheel that are nearest to the selected one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from packaging.version import Version

from ..index.simple import IndexFile
from .fit import fit
from .platform import Platform

_Releases = Mapping[Version, tuple[IndexFile, ...]]


@dataclass(frozen=True)
class Nearest:
    """A release after the selected one, and one before it; None where there is none."""

    later: tuple[Version, IndexFile] | None = None
    earlier: tuple[Version, IndexFile] | None = None


def nearest(releases: _Releases, version: Version, platform: Platform) -> Nearest:
    """Nearest final releases after and before *version* whose wheel *platform* can use.

    Yanked files do not count: nobody is advised to use them.
    """
    later = (v for v in reversed(tuple(releases)) if v > version and not v.is_prerelease)
    earlier = (v for v in releases if v < version and not v.is_prerelease)
    return Nearest(_first(releases, later, platform), _first(releases, earlier, platform))


def newest(releases: _Releases, platform: Platform) -> str:
    """The newest final release with a usable wheel; empty where there is none."""
    first = _first(releases, (v for v in releases if not v.is_prerelease), platform)
    return str(first[0]) if first else ""


def _first(
    releases: _Releases, versions: Iterable[Version], platform: Platform
) -> tuple[Version, IndexFile] | None:
    for version in versions:
        wheel = fit(releases[version], platform).wheel
        if wheel is not None:
            return version, wheel
    return None
