"""The wheel matrix: one row per package of a tree, as frozen values and as JSON."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import ClassVar

from ..advisories.database import Advisories, KnownDefect
from ..config.system_packages import PackageNames
from ..config.targets import Target
from ..contents.packager_view import PackagerView
from ..index.addresses import public
from ..index.simple import IndexFile, file_of
from ..records import Layout, decode, encode, json_options

FORMAT = 1
DEPLOY, TEST, BUILD = "deploy", "test", "build"
PURE, WHEEL, SOURCE, BLOCKER, UNKNOWN = "pure", "wheel", "source", "blocker", "unknown"
STATES = (BLOCKER, UNKNOWN, SOURCE, WHEEL, PURE)
"""The gravest first."""


@dataclass(frozen=True)
class Remedy:
    """What would turn a row green."""

    text: str
    version: str = ""
    """The nearest release with a usable wheel."""
    file: str = ""
    allowed: bool = False
    """Whether every demand on the package admits that release."""
    held_by: tuple[str, ...] = ()
    """The demands that do not."""
    replacement: str = ""
    """What else does its work, where that is known."""
    source: str = ""
    """Who says so."""
    own: bool = False
    """Whether all demands that do not admit it are the service's own."""
    moves: tuple[str, ...] = ()
    """The service's own pins that have to move for it, as ``name==version``."""
    marker: str = ""
    """The marker to give its requirement, where the target does not need it."""
    major: bool = False
    """Whether that release is of another major version."""

    @property
    def changeable(self) -> bool:
        """Whether nothing but the service's own files keeps that release out."""
        return self.allowed or self.own


@dataclass(frozen=True)
class Row:
    """One package."""

    name: str
    version: str
    state: str
    path: tuple[str, ...] = ()
    """From the file and line that ask for it, over releases, to itself."""
    cause: str = ""
    detail: str = ""
    """The cause in words."""
    remedy: Remedy | None = None
    native: bool = False
    file: str = ""
    """What would be installed; a blocker has one where what it holds is the obstacle."""
    size: int = 0
    glibc: str = ""
    """The oldest glibc that the file asks for."""
    x86: str = ""
    """The state of the same release on x86_64."""
    files: tuple[str, ...] = ()
    """Every file of the release that the index has."""
    newest_wheel: str = ""
    """The newest release with a usable wheel."""
    doubt: str = ""
    """Why its dependencies are not certain; empty where they are."""
    blocked_by: tuple[str, ...] = ()
    """Blockers among the packages that it leads to."""
    yanked: bool = False
    scope: str = DEPLOY
    """``deploy`` is judged; ``test`` is shown; ``build`` is what a source build needs."""
    url: str = field(default="", metadata=json_options(write=public))
    """Where the file is, or a local project's folder; what is written has no credentials in it."""
    hashes: tuple[str, ...] = ()
    """Of the file, as ``sha256:…``; empty where neither index nor lock tells one."""
    editable: bool = False
    """A local project that stays in its folder."""
    libstdcxx: str = ""
    """The newest ``GLIBCXX_…`` that the file may need by its tag's policy."""
    system: tuple[str, ...] = ()
    """System packages of the target that it is known to need, each with when and why."""
    system_packages: PackageNames = field(default_factory=PackageNames)
    """Those that the settings can install."""
    from_source: bool = False
    """Whether a pure one has no wheel and is built from its sources, which compile nothing."""
    pure_fallback: bool = False
    """Whether its build goes on without a compiler, and leaves out what makes it fast."""
    advisories: tuple[KnownDefect, ...] = ()
    """What is known to be wrong with this release on the target; it changes no state."""
    unpacked: int = 0
    """Bytes of its files once they are installed, without byte-code; 0 where it is not known."""
    x86_size: int = 0
    """Bytes of the wheel of the same release on x86_64; 0 where it has none."""
    x86_unpacked: int = 0
    modules_missing: tuple[str, ...] = ()
    """Extension modules that the wheel for x86_64 has, and this one has not."""
    modules_added: tuple[str, ...] = ()
    """The other way round."""
    bundled: tuple[str, ...] = ()
    """Libraries that were copied into the wheel, each with the version in its file name."""

    @property
    def archive(self) -> IndexFile | None:
        """The file at its address; None for a project's folder, and where it has no address."""
        if self.editable or not self.url:
            return None
        hashes = dict(value.split(":", 1) for value in self.hashes if ":" in value)
        return file_of(self.name, self.file, self.url, {"hashes": hashes})

    @property
    def green(self) -> bool:
        return self.state in (PURE, WHEEL)

    @property
    def installs_in_vain(self) -> bool:
        """Whether it can be installed, and its wheel holds what only x86-64 can run."""
        return self.state == BLOCKER and bool(self.file)


@dataclass(frozen=True)
class Weight:
    """Of all deployed packages of a matrix together, in bytes."""

    download: int
    """Of the files that would be installed."""
    unpacked: int
    """Of the files in their wheels, without byte-code."""
    x86_download: int
    """The same of these releases' wheels for x86_64."""
    x86_unpacked: int
    unweighed: tuple[str, ...] = ()
    """Packages without a wheel that could be looked into: the figures are without them."""


@dataclass(frozen=True)
class WeightFinding:
    """Something about the weight of a whole tree on its target."""

    kind: str
    """``too-large`` or ``accelerators``."""
    text: str
    fix: str = ""
    grave: bool = False
    """Whether the tree cannot be deployed so."""


@dataclass(frozen=True)
class WheelMatrix:
    """The outcome of the audit of one service for one target."""

    JSON: ClassVar[Layout] = Layout(
        FORMAT, computed=("complete", "ready", "counts", "weight"), name="wheel matrix"
    )

    service: str
    target: str
    packages: tuple[Row, ...]
    problems: tuple[str, ...] = ()
    """What keeps the matrix as a whole from being complete."""
    index_age: float = field(default=0.0, metadata=json_options("index_age_seconds", write=round))
    """Seconds since the oldest index page that was used was fetched."""
    notes: tuple[str, ...] = ()
    """What a reader should know and what changes no verdict."""
    manifest: str = ""
    """The file that says what is deployed, relative to the repository."""
    unread_wheels: tuple[str, ...] = ()
    """Wheels for any platform that could not be looked into; a note says why."""
    findings: tuple[WeightFinding, ...] = ()
    """What the target's limits say of the packages together."""
    packagers: tuple[PackagerView, ...] = ()
    """What the tools that were named would put into a zip."""

    @property
    def complete(self) -> bool:
        """Whether it is known of every package what becomes of it."""
        if self.problems or any(view.problems for view in self.packagers):
            return False
        return not any(row.state == UNKNOWN or row.doubt for row in self.deployed)

    @property
    def ready(self) -> bool:
        """Whether everything has a usable wheel, and can be packaged for the target."""
        fits = not any(finding.grave for finding in self.findings)
        packed = all(view.works for view in self.packagers)
        return self.complete and fits and packed and all(row.green for row in self.deployed)

    @property
    def weight(self) -> Weight | None:
        """Of the deployed packages; None where no wheel was looked into."""
        rows = [row for row in self.deployed if row.unpacked]
        if not rows:
            return None
        return Weight(
            sum(row.size for row in rows),
            sum(row.unpacked for row in rows),
            sum(row.x86_size for row in rows),
            sum(row.x86_unpacked for row in rows),
            tuple(row.name for row in self.deployed if not row.unpacked),
        )

    @property
    def deployed(self) -> tuple[Row, ...]:
        """The rows that are judged."""
        return self.of_scope(DEPLOY)

    def of_scope(self, scope: str) -> tuple[Row, ...]:
        """The rows of *scope*, the gravest first."""
        return tuple(row for row in self.packages if row.scope == scope)

    @property
    def exit_code(self) -> int:
        """0 ready, 1 not ready, 3 could not be evaluated."""
        if not self.complete:
            return 3
        return 0 if self.ready else 1

    @property
    def counts(self) -> dict[str, int]:
        """Deployed rows by state, the gravest first."""
        counts = Counter(row.state for row in self.deployed)
        return {state: counts[state] for state in STATES if counts[state]}

    def __getitem__(self, name: str) -> Row:
        for row in self.packages:
            if row.name == name:
                return row
        raise KeyError(name)

    def to_json(self) -> dict[str, object]:
        """Ready for ``json.dumps``."""
        return dict(encode(self))

    @classmethod
    def from_json(cls, data: object) -> WheelMatrix:
        """The matrix that ``to_json`` gave.

        Raises:
            ValueError: it is of another format, or damaged.
        """
        return decode(cls, data)


def advised(matrix: WheelMatrix, advisories: Advisories, target: Target) -> WheelMatrix:
    """*matrix* with what *advisories* say of its releases on *target*."""
    rows = (
        (row, advisories.defects(row.name, row.version, target) if row.version else ())
        for row in matrix.packages
    )
    return replace(
        matrix,
        packages=tuple(replace(row, advisories=defects) for row, defects in rows),
    )
