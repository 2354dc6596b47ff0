"""The state of each package of a tree, and why it is not green."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from itertools import chain

from packaging.version import Version

from ..index.addresses import shown
from ..index.simple import WHEEL as WHEEL_FILE
from ..index.simple import File
from ..inputs.requirements import LocalProject, Node, Wish
from .candidates import Candidates
from .fit import Fit, best_tag, fit, floor_of, python_fits
from .fit import admits as admits_python
from .known_packages import Known
from .matrix import BLOCKER, DEPLOY, PURE, SOURCE, STATES, UNKNOWN, WHEEL, Row
from .platform import Platform, glibc_floor, libstdcxx_of, wheel_tags
from .remedy import Found, nearest, newest, remedy
from .tree import Tree

HASHES = "no-hash-for-arm"
LOCK = "lock-for-x86"
NO_BINARY = "no-binary"
NEWER_GLIBC = "newer-glibc"
WRONG_PYTHON = "wrong-python"
NOT_LINUX = "not-linux"
SOURCE_EVERYWHERE = "source-everywhere"
X86_ONLY = "x86-only"
PIN = "pin-predates-wheel"
TRANSITIVE = "transitive"
NOT_PUBLISHED = "not-published"
MISSING = "missing-release"
UNREADABLE = "unreadable"

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
class Judge:
    """Files seen through the eyes of the target, and of x86_64 for comparison."""

    candidates: Candidates
    platform: Platform
    x86: Platform
    known: Known
    """What else is known of packages: replacements, system packages of the target."""
    scope: str = DEPLOY
    lock: str = ""
    """The lock that decides, as it is told; empty where the index does."""
    renewal: str = ""
    """The command that moves one release of the lock."""

    def rows(self, tree: Tree) -> tuple[Row, ...]:
        """A row for each package of *tree*, the gravest first."""
        rows = {name: self._row(node) for name, node in tree.nodes.items()}
        blocked = _blocked(tree.nodes, [n for n, row in rows.items() if row.state == BLOCKER])
        found = (replace(row, blocked_by=blocked.get(name, ())) for name, row in rows.items())
        return tuple(sorted(found, key=lambda row: (STATES.index(row.state), row.name)))

    def _row(self, node: Node) -> Row:
        local = self.candidates.locals.get(node.name)
        if local is not None:
            return self._local(node, local)
        if node.version is None:
            cause, detail = UNREADABLE, node.problem
            if node.missing is not None:
                cause, detail = MISSING, self._missing(node, node.missing)
            return Row(
                node.name, "", UNKNOWN, node.path, cause=cause, detail=detail, scope=self.scope
            )
        return self._released(node, node.version)

    def _missing(self, node: Node, wish: Wish) -> str:
        """Which release there is not, who asks for it, and what there is."""
        versions = [v for v in self.candidates.releases(node.name) if not v.is_prerelease]
        offer = f"; its releases are {versions[-1]} to {versions[0]}" if versions else ""
        return f"{node.problem}, which {wish.origin} asks for{offer}"

    def _local(self, node: Node, local: LocalProject) -> Row:
        return Row(
            node.name,
            local.version,
            SOURCE if local.native else PURE,
            node.path,
            native=local.native,
            cause=SOURCE_EVERYWHERE if local.native else "",
            detail=local.detail if local.native else "",
            doubt=local.doubt,
            scope=self.scope,
            url=shown(local.uri),
            editable=local.editable,
        )

    def _released(self, node: Node, version: Version) -> Row:
        name = node.name
        files = self.candidates.files(name, version)
        usable = self.candidates.fit(name, version, pinned=any(w.pin for w in node.demands))
        told = self.candidates.metadata(name, version)
        refused = not admits_python(told.requires_python, self.platform.python_version)
        if refused:
            # Not every index repeats on its page what the metadata ask for.
            usable = Fit()
        state = state_of(usable)
        file = usable.wheel or usable.sdist
        floor = floor_of(usable.wheel.name, self.platform) if usable.wheel else None
        green = state in (PURE, WHEEL)
        asked = not green or self.candidates.asked(name)
        row = Row(
            name,
            str(version),
            state,
            node.path,
            native=usable.native or state in (SOURCE, BLOCKER),
            file=file.name if file else "",
            size=file.size if file else 0,
            glibc=f"{floor[0]}.{floor[1]}" if floor else "",
            x86=state_of(fit(files, self.x86, yanked=True)),
            files=tuple(sorted(f.name for f in files)),
            newest_wheel=newest(self.candidates.releases(name), self.platform) if asked else "",
            doubt=told.doubt,
            yanked=bool(files) and all(f.yanked for f in files),
            scope=self.scope,
            url=file.url if file else "",
            hashes=(f"sha256:{file.sha256}",) if file and file.sha256 else (),
            libstdcxx=libstdcxx_of(floor) if floor else "",
            system=self.known.system_packages(name, state),
        )
        return row if green else self._explained(row, node, version, usable, told.requires_python)

    def _explained(
        self, row: Row, node: Node, version: Version, usable: Fit, requires_python: str
    ) -> Row:
        """*row* with cause and remedy."""
        releases = self.candidates.releases(node.name)
        found = nearest(releases, version, self.platform)
        demands = self.candidates.demands(node)
        offered = fit(releases.get(version, ()), self.platform, yanked=True).wheel
        if not admits_python(requires_python, self.platform.python_version):
            cause, detail = WRONG_PYTHON, f"it asks for Python {requires_python}"
        elif self.lock and offered is not None:
            cause = LOCK
            detail = (
                f"{self.lock} lists no file of it for {self.platform.machine}, though "
                f"{offered.name} exists: it was made for another platform"
            )
        else:
            cause, detail = self._cause(node, usable, found, demands)
        advice = remedy(
            node.name,
            version,
            found,
            demands,
            state=row.state,
            cause=cause,
            renewal=self.renewal,
            offered=offered.name if cause == LOCK and offered is not None else "",
        )
        replacement = self.known.replacement(node.name)
        if replacement is not None:
            text = f"{advice.text}; {replacement.name} does its work ({replacement.source})"
            advice = replace(
                advice, text=text, replacement=replacement.name, source=replacement.source
            )
        url = row.url or address_of(releases.get(version, ()), row.file)
        return replace(row, cause=cause, detail=detail, remedy=advice, url=url)

    def _cause(
        self, node: Node, usable: Fit, found: Found, demands: tuple[Wish, ...]
    ) -> tuple[str, str]:
        assert node.version is not None
        files = self.candidates.files(node.name, node.version)
        free = fit(files, self.platform, yanked=True)
        if free.wheel is not None:
            if self.candidates.excluded(node.name) == WHEEL_FILE:
                return NO_BINARY, f"--no-binary keeps {free.wheel.name} out"
            return HASHES, f"the lock holds no hash of {free.wheel.name}"
        glibc = self._glibc_needed(files)
        if glibc:
            return NEWER_GLIBC, (
                f"its {self.platform.machine} wheel needs glibc {glibc[0]}.{glibc[1]}, "
                f"the target has {self.platform.glibc[0]}.{self.platform.glibc[1]}"
            )
        x86 = fit(files, self.x86, yanked=True)
        pythons = sorted(set(self._other_pythons(files, own=x86.wheel is not None)))
        refused = [f for f in files if not python_fits(f, self.platform)]
        if pythons or (refused and not usable.usable) or any(map(self._tags_fit, refused)):
            minor = f"cp{self.platform.python[0]}{self.platform.python[1]}"
            offer = f": the wheels are for {', '.join(pythons[:8])}" if pythons else ""
            return WRONG_PYTHON, f"it does not come for {minor}{offer}"
        if x86.wheel is None:
            if free.sdist is not None:
                refused_here = "" if usable.usable else "; --only-binary keeps its source out"
                return SOURCE_EVERYWHERE, f"no wheel for this Python on x86_64 either{refused_here}"
            return NOT_LINUX, "it has no file that Linux can use"
        if found.later is None:
            if usable.sdist is None and any(fnmatchcase(node.name, p) for p in _X86_VENDORS):
                return X86_ONLY, "a library of an x86 vendor, published for x86 alone"
            return (
                NOT_PUBLISHED,
                "it has a wheel for x86_64 and, in no release so far, one for ARM64",
            )
        held = [w for w in demands if not admits(w, found.later[0])]
        if held and not any(w.direct for w in held):
            return (
                TRANSITIVE,
                f"{held[0].origin} holds it below {found.later[0]}, the first with one",
            )
        if held or self.lock:
            return PIN, f"the next release with a usable wheel is {found.later[0]}"
        return NOT_PUBLISHED, f"this release has none yet; {found.later[0]} has one"

    def _tags_fit(self, file: File) -> bool:
        return file.kind == WHEEL_FILE and best_tag(file.name, self.platform) is not None

    def _glibc_needed(self, files: tuple[File, ...]) -> tuple[int, int] | None:
        """The least glibc of the wheels that fit in everything else."""
        return min(chain.from_iterable(self._floors(f) for f in files), default=None)

    def _floors(self, file: File) -> Iterator[tuple[int, int]]:
        tags = wheel_tags(file.name) if file.kind == WHEEL_FILE else None
        if tags is None or not python_fits(file, self.platform):
            return
        for tag in tags[2]:
            floor = glibc_floor(tag, self.platform.machine)
            # Would the wheel fit if it were for the oldest glibc?
            twin = "-".join([*file.name.split("-")[:-1], f"linux_{self.platform.machine}.whl"])
            if floor and floor > self.platform.glibc and best_tag(twin, self.platform):
                yield floor

    def _other_pythons(self, files: tuple[File, ...], *, own: bool) -> Iterator[str]:
        """Interpreters of Linux wheels that fit but for them; of x86 too if it has none either."""
        machines = [self.platform] if own else [self.platform, self.x86]
        for file in files:
            tags = wheel_tags(file.name) if file.kind == WHEEL_FILE else None
            for platform in machines if tags else ():
                assert tags is not None
                floors = [glibc_floor(tag, platform.machine) for tag in tags[2]]
                if any(f and f <= platform.glibc for f in floors):
                    yield from tags[0]


def address_of(files: Iterable[File], name: str) -> str:
    """Where the file called *name* is; empty where it is not among *files*."""
    return next((file.url for file in files if file.name == name), "")


def state_of(usable: Fit) -> str:
    """One of the four states."""
    if usable.wheel is not None:
        return WHEEL if usable.native else PURE
    return SOURCE if usable.sdist is not None else BLOCKER


def admits(wish: Wish, version: Version) -> bool:
    """Whether *wish* allows *version*."""
    return not wish.url and wish.specifier.contains(version, prereleases=True)


def _blocked(nodes: Mapping[str, Node], blockers: list[str]) -> dict[str, tuple[str, ...]]:
    """By name: the blockers that it leads to."""
    found: dict[str, set[str]] = {}
    for blocker in blockers:
        pending = list(nodes[blocker].parents)
        while pending:
            name = pending.pop()
            if blocker not in found.setdefault(name, set()) and name != blocker:
                found[name].add(blocker)
                pending.extend(nodes[name].parents)
    return {name: tuple(sorted(names)) for name, names in found.items()}
