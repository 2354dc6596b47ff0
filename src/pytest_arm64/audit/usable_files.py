"""Which files of a release a platform can use, and which of them an installer would take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from packaging.specifiers import SpecifierSet
from packaging.utils import BuildTag
from packaging.version import Version

from ..index.simple import WHEEL, IndexFile
from .platform import Platform, TagKey, build_number, glibc_floor, wheel_tags


@dataclass(frozen=True)
class Fit:
    """The usable files of one release."""

    wheel: IndexFile | None = None
    tag: TagKey | None = None
    """The wheel's tag that the platform prefers."""
    sdist: IndexFile | None = None

    @property
    def usable(self) -> bool:
        return self.wheel is not None or self.sdist is not None

    @property
    def native(self) -> bool:
        """Whether the wheel is bound to a platform; ``py3-none-manylinux_…`` is."""
        return self.tag is not None and self.tag[2] != "any"


def fit(
    files: Iterable[IndexFile],
    platform: Platform,
    *,
    yanked: bool = False,
    hashes: frozenset[str] = frozenset(),
) -> Fit:
    """The best wheel and the source distribution among *files* that *platform* can use.

    Args:
        files: all of one release.
        platform: where they shall be used.
        yanked: whether yanked files count, as they do for a release that is pinned.
        hashes: SHA-256 values to which a lock restricts the files; empty for no restriction.
    """
    best: tuple[int, BuildTag, IndexFile, TagKey] | None = None
    sdist: IndexFile | None = None
    for file in files:
        if (file.yanked and not yanked) or not python_fits(file, platform):
            continue
        if not hash_fits(file, hashes):
            continue
        if file.kind != WHEEL:
            # Of several formats, a tar is what installers prefer.
            sdist = file if sdist is None or sdist.name.endswith(".zip") else sdist
            continue
        ranked = best_tag(file.name, platform)
        if ranked is None:
            continue
        build = build_number(file.name)
        # Lowest rank, then highest build.
        if best is None or ranked[0] < best[0] or (ranked[0] == best[0] and build > best[1]):
            best = (ranked[0], build, file, ranked[1])
    return Fit(best[2] if best else None, best[3] if best else None, sdist)


def best_tag(filename: str, platform: Platform) -> tuple[int, TagKey] | None:
    """The preferred of a wheel's tags with its rank, None where *platform* supports none."""
    tags = wheel_tags(filename)
    if tags is None:
        return None
    ranked = [(platform.ranks[k], k) for k in product(*tags) if k in platform.ranks]
    return min(ranked) if ranked else None


def python_fits(file: IndexFile, platform: Platform) -> bool:
    """Whether ``requires-python`` admits the platform's Python; what cannot be read admits all."""
    return admits(file.requires_python, platform.python_version)


@lru_cache(maxsize=4096)
def admits(requires_python: str, version: str) -> bool:
    """Whether a ``requires-python`` admits the Python *version*."""
    if not requires_python:
        return True
    try:
        return SpecifierSet(requires_python).contains(version, prereleases=True)
    except ValueError:
        return True


def hash_fits(file: IndexFile, hashes: frozenset[str]) -> bool:
    """Whether *hashes* admit *file*; a file whose hash the index does not tell may be it."""
    return not hashes or not file.sha256 or file.sha256 in hashes


def floor_of(filename: str, platform: Platform) -> tuple[int, int] | None:
    """The oldest glibc on which a wheel works by its own account."""
    tags = wheel_tags(filename)
    floors = [glibc_floor(tag, platform.machine) for tag in tags[2]] if tags else []
    return min((floor for floor in floors if floor), default=None)


_Releases = Mapping[Version, tuple[IndexFile, ...]]


@dataclass(frozen=True)
class Nearest:
    """A release after the selected one, and one before it, or None."""

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
    """The newest final release with a usable wheel, or empty."""
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
