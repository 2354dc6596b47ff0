"""Evidence about one service: what was predicted, installed, built and tested, and where."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from ..audit.matrix import WheelMatrix
from ..binary.mapped import Mapped
from ..config.declared_boundary import Boundary
from ..inside.measure.record import Measured
from ..inside.ran import GRADES, PREDICTED, Ran
from ..records import json_options
from .executed_code import X86Place
from .runtime import GoldenResult, HotSpots
from .trials import Trial

X86_BOUNDARY = "what is marked x86_boundary"
"""How the report names the part of the tests that ran on x86."""
COLLECTION, DEATH, STOPPED = "collection-error", "death", "stopped"
NOT_STARTED, NO_TESTS, DESELECTED = "not-started", "no-tests", "deselected"
REWRITTEN, SKIPPED_ON_ARM = "rewritten", "skipped-on-arm"
INCIDENTS = (
    *(COLLECTION, DEATH, STOPPED, NOT_STARTED, NO_TESTS, DESELECTED),
    *(REWRITTEN, SKIPPED_ON_ARM),
)


def _kind(word: str) -> str:
    if word not in INCIDENTS:
        raise ValueError(f"{word!r:.60} is not a kind of incident")
    return word


@dataclass(frozen=True)
class Package:
    """One deployed package as it was installed; ``state`` is pure, wheel or source."""

    name: str
    version: str
    state: str


@dataclass(frozen=True)
class Install:
    """One installation of what is deployed."""

    where: Ran
    packages: tuple[Package, ...]
    installer: str = ""
    seconds: float = 0.0

    @property
    def reference(self) -> bool:
        """Whether pip itself did it, as production will."""
        return self.installer.startswith("pip")

    def fits(self, matrix: WheelMatrix) -> bool:
        """Whether it holds every deployed package of *matrix*, in that version."""
        return not self.missing(matrix)

    def missing(self, matrix: WheelMatrix) -> tuple[str, ...]:
        """Releases of *matrix* that it does not have."""
        held = {package.name: package.version for package in self.packages}
        return tuple(
            f"{row.name} {row.version}"
            for row in matrix.deployed
            if not row.editable and row.version and held.get(row.name) != row.version
        )


@dataclass(frozen=True)
class Build:
    """One build of one source distribution, in a clean container."""

    package: str
    version: str
    succeeded: bool
    where: Ran
    text: str = ""
    """Why it failed: the decisive lines of its log."""
    seconds: float = 0.0
    cause: str = ""
    """The classes of failure that were recognised."""
    cross: str = ""
    """The cross compiler that compiled it; empty where the target's own did."""


@dataclass(frozen=True)
class TestOutcome:
    """One test: how it ended, and the text of its failure."""

    __test__ = False

    nodeid: str
    outcome: str
    """``passed``, ``failed``, ``error``, ``skipped``, ``xfailed`` or ``xpassed``."""
    seconds: float = 0.0
    text: str = ""
    died: bool = False
    """Whether the process that ran it died."""
    library: str = ""
    """File of a deployed package in which it failed; empty where nothing tells."""
    functions: tuple[str, ...] = ()
    """The function that it failed in; of several, one of them."""

    @property
    def blamed(self) -> str:
        """Its node id, with the library that it failed in."""
        return f"{self.nodeid} (in {self.library})" if self.library else self.nodeid

    @property
    def bad(self) -> bool:
        return self.outcome in ("failed", "error")


@dataclass(frozen=True)
class Incident:
    """What kept tests of a service from being run; while it stands, nothing is decided."""

    kind: str = field(metadata=json_options(check=_kind))
    text: str
    """What happened, in one line."""
    path: str = ""
    """The file that it happened in, where there is one."""


@dataclass(frozen=True)
class Omission:
    """Tests or files that code of the project left out of a session."""

    by: str
    """The file of that code; empty where it is not known."""
    how: str
    """``deselected`` or ``dropped`` (without a word), of tests;
    ``ignored`` or ``skipped``, of files."""
    number: int

    def __str__(self) -> str:
        noun = "test" if self.how in ("deselected", "dropped") else "file"
        by = f" by {self.by}" if self.by else ""
        return f"{self.number} {noun}{'s' * (self.number > 1)} {self.how}{by}"


@dataclass(frozen=True)
class TestRun:
    """One session's tests of one service."""

    __test__ = False

    where: Ran
    tests: tuple[TestOutcome, ...]
    problems: tuple[str, ...] = ()
    """Why the run is not complete; empty where every collected test is accounted for."""
    fits: bool = True
    """Whether the environment held exactly what the service deploys."""
    misfit: str = ""
    """Why it did not."""
    part: str = ""
    """What limited it to a part of the tests, as it was typed; empty where nothing did."""
    left_out: tuple[str, ...] | None = None
    """Of a part, the node ids of all other tests; None where they are not known."""
    bounded: bool = False
    """Whether it was of the tests that are marked ``x86_boundary`` alone."""
    incidents: tuple[Incident, ...] = ()
    mapped: tuple[Mapped, ...] = ()
    """Libraries that the tests' processes had loaded, beside what was foreseen."""
    omitted: tuple[Omission, ...] = ()
    """What of the suite the project itself left out."""

    @property
    def bad(self) -> tuple[TestOutcome, ...]:
        return tuple(test for test in self.tests if test.bad)

    @property
    def passed(self) -> bool:
        """Complete, of all tests, something passed, and nothing failed."""
        return self.whole and not (self.bad or self.part) and self.count()["passed"] > 0

    @property
    def whole(self) -> bool:
        """Whether every test that was to run has run."""
        return not (self.problems or self.incidents)

    def count(self) -> Counter[str]:
        return Counter(test.outcome for test in self.tests)


@dataclass(frozen=True)
class Finding:
    """What was found outside the matrix: in compiled files, or against a golden output."""

    kind: str
    text: str
    grave: bool
    where: Ran
    package: str = ""
    remedy: str = ""
    cause: str = ""
    """Of a compiled file, the class of what is wrong with it: ``wrong-architecture``."""
    path: str = ""
    """The file, where it is about one."""

    @property
    def subject(self) -> str:
        """The package that brought the file; the file's name where that is not known."""
        return self.package or PurePosixPath(self.path).name or self.kind


@dataclass(frozen=True)
class ServiceEvidence:
    """Everything that is known of one service; what is empty was not evaluated."""

    name: str
    matrix: WheelMatrix | None = None
    target: str = ""
    """What it is deployed on; empty in reports of one target."""
    installs: tuple[Install, ...] = ()
    builds: tuple[Build, ...] = ()
    runs: tuple[TestRun, ...] = ()
    unasked: str = ""
    """Why none of its tests was asked for, as it was typed; empty where they were."""
    findings: tuple[Finding, ...] = ()
    leaks: tuple[str, ...] = ()
    """Where what belongs behind its boundary is used by others, in words."""
    boundary: Boundary | None = None
    monthly_cost: float | None = None
    problem: str = ""
    """Why there is no matrix."""
    memory: int = 0
    """Bytes that it is given; 0 where nobody said."""
    base: str = ""
    """Folder that the matrix's paths are relative to, from the repository's root; empty for it."""
    group: str = ""
    """What it is a part of, where it is not one of those that the headline counts."""
    goldens: tuple[GoldenResult, ...] = ()
    """Values that are not identical to those of x86."""
    measured: tuple[Measured, ...] = ()
    profiles: tuple[HotSpots, ...] = ()
    trials: tuple[Trial, ...] = ()
    """Changes that were tried, the oldest first."""
    code: tuple[X86Place, ...] = ()
    """Places in its code that assume x86, and whether its tests executed them on ARM64."""
    code_problem: str = ""
    """Why it was not measured what the tests executed; empty where it was."""


@dataclass(frozen=True)
class Evidence:
    """One thing that an answer rests on."""

    text: str
    grade: str
    stand_in: bool = False

    def __str__(self) -> str:
        return f"{self.text} ({grade_words(self.grade, stand_in=self.stand_in)})"


def grade_words(grade: str, *, stand_in: bool) -> str:
    """A grade as it is shown."""
    return f"{grade}, on a stand-in" if stand_in else grade


def weakest(grades: tuple[str, ...]) -> str:
    """The weakest of *grades*; of none, ``predicted``."""
    return min(grades, key=GRADES.index, default=PREDICTED)
