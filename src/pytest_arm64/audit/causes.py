"""Why a release is not green, decided by its files, by other releases and by what holds it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import chain

from packaging.utils import canonicalize_name
from packaging.version import Version

from ..index.simple import SDIST, IndexFile
from ..index.simple import WHEEL as WHEEL_FILE
from ..inputs.requirements import Node
from .candidates import Candidates
from .pins_to_move import admits
from .platform import Platform, glibc_floor, wheel_tags
from .usable_files import Fit, Nearest, best_tag, fit, python_fits
from .usable_files import admits as admits_python

HASHES = "no-hash-for-arm"
LOCK = "lock-for-x86"
NO_BINARY = "no-binary"
NEWER_GLIBC = "newer-glibc"
WRONG_PYTHON = "wrong-python"
NOT_LINUX = "not-linux"
SOURCE_EVERYWHERE = "source-everywhere"
PURE_SOURCE = "pure-source"
X86_INSIDE = "x86-inside"
X86_ONLY = "x86-only"
PIN = "pin-predates-wheel"
TRANSITIVE = "transitive"
NOT_PUBLISHED = "not-published"
X86_PIN = "x86-pin"
MISSING = "missing-release"
UNREADABLE = "unreadable"
_CPYTHON = re.compile(r"cp([0-9])([0-9]{1,4})")

# Libraries that a maker of x86 processors publishes for them alone.
_X86_VENDORS = (
    "intel-*",
    "mkl",
    "mkl-*",
    "onemkl-*",
    "tbb",
    "dpcpp-*",
    "daal",
    "daal4py",
    "tcmlib",
)


@dataclass(frozen=True)
class Diagnosis:
    """A cause, and what the fix needs to know of it."""

    cause: str
    detail: str
    """The cause in words."""
    wheel: IndexFile | None = None
    """The file of this very release that would be used, were it not for the cause."""
    pythons: tuple[str, ...] = ()
    """Interpreters for which this release has wheels for the target's machine."""
    sources_excluded: bool = False
    """Whether there is a source distribution that ``--only-binary`` keeps out."""


@dataclass(frozen=True)
class Causes:
    """Files seen through the eyes of the target, and of x86_64 for comparison."""

    candidates: Candidates
    platform: Platform
    x86: Platform
    lock: str = ""
    """The lock file that decides, as shown; empty if the index does."""

    def of(self, node: Node, version: Version, usable: Fit, nearest: Nearest) -> Diagnosis:
        """Why *version* of *node*, of which *usable* can be used, is not green."""
        asked = self.candidates.metadata(node.name, version).requires_python
        if not admits_python(asked, self.platform.python_version):
            return Diagnosis(WRONG_PYTHON, f"it asks for Python {asked}")
        files = self.candidates.files(node.name, version)
        return (
            self._of_lock(node, version, files)
            or self._of_options(node, files)
            or self._of_glibc(files)
            or self._of_python(files, usable)
            or self._of_x86(node, files)
            or self._of_releases(node, version, usable, nearest)
        )

    def _of_lock(
        self, node: Node, version: Version, files: tuple[IndexFile, ...]
    ) -> Diagnosis | None:
        if not self.lock:
            return None
        there = self.candidates.releases(node.name).get(version, ())
        offered = fit(there, self.platform, yanked=True).wheel
        if offered is None:
            return None
        pythons = self._pythons_of(files, self.platform)
        if pythons:
            detail = (
                f"{self.lock} lists its {self.platform.machine} wheels for Python "
                f"{minors(pythons)} and "
                f"not {offered.name}: it was made for another Python"
            )
            return Diagnosis(WRONG_PYTHON, detail, offered)
        detail = (
            f"{self.lock} lists no file of it for {self.platform.machine}, though "
            f"{offered.name} exists: it was made for another platform"
        )
        return Diagnosis(LOCK, detail, offered)

    def _of_options(self, node: Node, files: tuple[IndexFile, ...]) -> Diagnosis | None:
        wheel = fit(files, self.platform, yanked=True).wheel
        if wheel is None:
            return None
        if self.candidates.excluded(node.name) == WHEEL_FILE:
            return Diagnosis(NO_BINARY, f"--no-binary excludes {wheel.name}", wheel)
        return Diagnosis(HASHES, f"the lock has no hash of {wheel.name}", wheel)

    def _of_glibc(self, files: tuple[IndexFile, ...]) -> Diagnosis | None:
        glibc = self._glibc_needed(files)
        if glibc is None:
            return None
        detail = (
            f"its {self.platform.machine} wheel needs glibc {_dotted(glibc)}, "
            f"the target has {_dotted(self.platform.glibc)}"
        )
        return Diagnosis(NEWER_GLIBC, detail)

    def _of_python(self, files: tuple[IndexFile, ...], usable: Fit) -> Diagnosis | None:
        """The wheels are for other Pythons; those for x86 count where it has none either."""
        pythons = self._pythons_of(files, self.platform)
        elsewhere = (
            ()
            if pythons or self._on_x86(files)
            else self._pythons_of(files, self.platform, any_glibc=True)
            or self._pythons_of(files, self.x86, any_glibc=True)
        )
        refused = [f for f in files if not python_fits(f, self.platform)]
        fitting = [f for f in refused if f.kind == WHEEL_FILE and best_tag(f.name, self.platform)]
        if not (pythons or elsewhere or fitting or (refused and not usable.usable)):
            return None
        offer = f" (wheels exist for {minors(pythons)})" if pythons else ""
        if elsewhere:
            offer = f" (wheels exist for {minors(elsewhere)}, only {self._besides(files)})"
        detail = f"no wheel for Python {_dotted(self.platform.python)}{offer}"
        return Diagnosis(WRONG_PYTHON, detail, pythons=pythons)

    def _besides(self, files: tuple[IndexFile, ...]) -> str:
        """What else keeps wheels for other Pythons from the target."""
        if self._pythons_of(files, self.platform, any_glibc=True):
            return f"for a newer glibc than {_dotted(self.platform.glibc)}"
        return f"for {self.x86.machine}"

    def _on_x86(self, files: Iterable[IndexFile]) -> bool:
        """Whether x86 has a wheel for this Python, if only for a newer glibc."""
        files = list(files)
        newer = chain.from_iterable(self._floors(file, self.x86) for file in files)
        return fit(files, self.x86, yanked=True).wheel is not None or any(newer)

    def _of_x86(self, node: Node, files: tuple[IndexFile, ...]) -> Diagnosis | None:
        """There is no wheel for x86 either."""
        if self._on_x86(files):
            return None
        if fit(files, self.platform, yanked=True).sdist is None:
            return Diagnosis(NOT_LINUX, "it has no file that Linux can use")
        excluded = self.candidates.excluded(node.name) == SDIST
        more = "; --only-binary excludes its source" if excluded else ""
        detail = f"no wheel on x86_64 either{more}"
        return Diagnosis(SOURCE_EVERYWHERE, detail, sources_excluded=excluded)

    def _of_releases(
        self, node: Node, version: Version, usable: Fit, nearest: Nearest
    ) -> Diagnosis:
        """x86 has a wheel: where one for the target is, and what is in the way of it."""
        files = self.candidates.files(node.name, version)
        excluded = (
            not usable.usable
            and self.candidates.excluded(node.name) == SDIST
            and fit(files, self.platform, yanked=True).sdist is not None
        )
        if nearest.later is None:
            return self._of_none_later(node, usable, nearest, excluded=excluded)
        later = nearest.later[0]
        held = [w for w in self.candidates.demands(node) if not admits(w, later)]
        if held and not any(w.direct for w in held):
            detail = f"{held[0].origin} holds it below {later}, the first with one"
            return Diagnosis(TRANSITIVE, detail, sources_excluded=excluded)
        if held or self.lock:
            detail = f"the next release with a usable wheel is {later}"
            return Diagnosis(PIN, detail, sources_excluded=excluded)
        detail = f"this release has no ARM64 wheel yet; {later} has one"
        return Diagnosis(NOT_PUBLISHED, detail, sources_excluded=excluded)

    def _of_none_later(
        self, node: Node, usable: Fit, nearest: Nearest, *, excluded: bool
    ) -> Diagnosis:
        newer = self._first_for_newer_glibc(node)
        if newer is not None:
            version, glibc = newer
            detail = (
                f"its {self.platform.machine} wheels begin with {version} and need glibc "
                f"{_dotted(glibc)}, the target has {_dotted(self.platform.glibc)}"
            )
            return Diagnosis(NEWER_GLIBC, detail, sources_excluded=excluded)
        if usable.sdist is None and any(fnmatchcase(node.name, p) for p in _X86_VENDORS):
            return Diagnosis(X86_ONLY, "a library of an x86 vendor, published for x86 only")
        when = "no release" if nearest.earlier is None else "no later release"
        detail = f"it has a wheel for x86_64, and {when} has one for ARM64"
        return Diagnosis(NOT_PUBLISHED, detail, sources_excluded=excluded)

    def _first_for_newer_glibc(self, node: Node) -> tuple[Version, tuple[int, int]] | None:
        releases = self.candidates.releases(node.name)
        for version in reversed(releases):
            if node.version is None or version <= node.version or version.is_prerelease:
                continue
            glibc = self._glibc_needed(releases[version])
            if glibc is not None:
                return version, glibc
        return None

    def _glibc_needed(self, files: Iterable[IndexFile]) -> tuple[int, int] | None:
        """The least glibc of the wheels that fit in everything else."""
        floors = chain.from_iterable(self._floors(file, self.platform) for file in files)
        return min(floors, default=None)

    def _floors(self, file: IndexFile, platform: Platform) -> Iterator[tuple[int, int]]:
        """The glibc that *file* needs, where only that keeps it from *platform*."""
        tags = wheel_tags(file.name) if file.kind == WHEEL_FILE else None
        if tags is None or not python_fits(file, platform):
            return
        for tag in tags[2]:
            floor = glibc_floor(tag, platform.machine)
            # Would the wheel fit if it were for the oldest glibc?
            twin = "-".join([*file.name.split("-")[:-1], f"linux_{platform.machine}.whl"])
            if floor and floor > platform.glibc and best_tag(twin, platform):
                yield floor

    def _pythons_of(
        self, files: Iterable[IndexFile], platform: Platform, *, any_glibc: bool = False
    ) -> tuple[str, ...]:
        """Interpreters of the wheels that would fit *platform* but for them."""
        pythons = set()
        for file in files:
            tags = wheel_tags(file.name) if file.kind == WHEEL_FILE else None
            floors = [glibc_floor(tag, platform.machine) for tag in tags[2]] if tags else []
            if tags and any(floor and (any_glibc or floor <= platform.glibc) for floor in floors):
                pythons.update(tags[0])
        return tuple(sorted(pythons))


def minors(pythons: Iterable[str]) -> str:
    """The first eight of *pythons*, as in tags, in words: ``cp36`` is 3.6."""
    versions = (_CPYTHON.fullmatch(tag) for tag in pythons)
    numbers = sorted((int(match[1]), int(match[2])) for match in versions if match)
    others = [tag for tag in pythons if not _CPYTHON.fullmatch(tag)]
    return ", ".join([*map(_dotted, numbers), *others][:8])


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def x86_pins(nodes: Mapping[str, Node], candidates: Candidates, x86: Platform) -> dict[str, str]:
    """By name: the release that asks for it on x86_64, for each package that nothing else needs.

    ``pip freeze`` on x86 writes down what markers select there, without the markers. Such a pin
    stands on the service's own account; what it leads to and nothing else needs goes with it.
    """
    asks = _asked_on_x86_alone(nodes, candidates, x86)
    pins = {name for name in asks if _is_direct(nodes[name])}
    before: set[str] = set()
    while before != pins:
        before = set(pins)
        # What the pins lead to belongs to them, and what something else needs does not.
        pins |= {n for n, node in nodes.items() if node.parents and pins.issuperset(node.parents)}
        pins = {n for n in pins if pins.issuperset(nodes[n].parents)}
    return {name: asks.get(name) or nodes[nodes[name].parents[0]].path[-1] for name in pins}


def _is_direct(node: Node) -> bool:
    return any(wish.direct for wish in node.demands)


def _asked_on_x86_alone(
    nodes: Mapping[str, Node], candidates: Candidates, x86: Platform
) -> dict[str, str]:
    """Packages of the tree that another one asks for where markers are those of *x86* alone."""
    asks: dict[str, str] = {}
    for name, node in nodes.items():
        if node.version is None or name in candidates.locals:
            continue
        for requirement in candidates.metadata(name, node.version).parsed():
            for extra in ("", *node.extras):
                if x86.calls_for(requirement, extra) and not candidates.platform.calls_for(
                    requirement, extra
                ):
                    wanted = canonicalize_name(requirement.name)
                    if wanted in nodes:
                        asks.setdefault(wanted, f"{name} {node.version}")
    return asks
