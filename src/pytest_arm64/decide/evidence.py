"""Evidence about one service: what was predicted, installed, built and tested, and where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from ..audit.matrix import WheelMatrix
from ..binary.mapped import Mapped
from ..config.services import Boundary
from ..inside.measure.record import Measured
from .runtime import GoldenResult, HotSpots

PREDICTED, EMULATED, NATIVE = "predicted", "emulated", "native"
GRADES = (PREDICTED, EMULATED, NATIVE)
"""The weakest first."""
FRESH_DAYS = 90
"""Evidence that is older decides nothing: images, indexes and code have moved on."""
MACHINE = "aarch64"
X86_BOUNDARY = "what is marked x86_boundary"
"""The part of the tests that a run on x86 had besides the one on ARM64."""
DIED = "the process that ran this test died"
"""How the report of a test that killed its process begins."""


@dataclass(frozen=True)
class Where:
    """What something ran on, as it was found there, and when."""

    target: str
    image: str = ""
    image_id: str = ""
    digest: str = ""
    machine: str = ""
    os: str = ""
    python: str = ""
    glibc: str = ""
    core: str = ""
    emulated: bool = True
    stand_in: bool = True
    differences: tuple[str, ...] = ()
    asked_image: bool = False
    """Whether it was the target's own image, not one given in its place."""
    when: str = ""
    """ISO 8601, UTC."""

    @classmethod
    def of_facts(cls, facts: Mapping[str, Any], when: str, *, asked_image: bool) -> Where:
        """From the facts of a cell; whatever they do not say counts against them.

        Args:
            facts: what the fixture ``arm64_target`` tells.
            when: the time, ISO 8601.
            asked_image: whether the target's own image was used.
        """
        words = {key: str(facts.get(key) or "") for key in _WORDS}
        return cls(
            **words,
            emulated=facts.get("emulated") is not False,
            stand_in=facts.get("stand_in") is not False,
            differences=tuple(map(str, facts.get("differences") or ())),
            asked_image=asked_image,
            when=when,
        )

    @property
    def on_arm(self) -> bool:
        return self.machine == MACHINE

    @property
    def grade(self) -> str:
        """``emulated`` or ``native``; of another machine, nothing but ``predicted``."""
        if not self.on_arm:
            return PREDICTED
        return EMULATED if self.emulated else NATIVE

    @property
    def as_asked(self) -> bool:
        """Whether what ran is what was asked for: the image, its system and its Python."""
        return self.asked_image and not self.stand_in and not self.differences

    def fresh(self, today: date) -> bool:
        """Whether it is recent enough to decide by; a time that cannot be read is not.

        A day of the future is what another time zone calls today.
        """
        try:
            made = datetime.fromisoformat(self.when).date()
        except ValueError:
            return False
        return -1 <= (today - made).days <= FRESH_DAYS


_WORDS = ("target", "image", "image_id", "digest", "machine", "os", "python", "glibc", "core")


@dataclass(frozen=True)
class Package:
    """One deployed package as it was installed; ``state`` is pure, wheel or source."""

    name: str
    version: str
    state: str


@dataclass(frozen=True)
class Install:
    """One installation of what is deployed."""

    where: Where
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
    where: Where
    text: str = ""
    """Why it failed: the decisive lines of its log."""
    seconds: float = 0.0
    cause: str = ""
    """The classes of failure that were recognised."""


@dataclass(frozen=True)
class TestOutcome:
    """One test: how it ended, and the text of its failure."""

    __test__ = False

    nodeid: str
    outcome: str
    """``passed``, ``failed``, ``error``, ``skipped``, ``xfailed`` or ``xpassed``."""
    seconds: float = 0.0
    text: str = ""

    @property
    def bad(self) -> bool:
        return self.outcome in ("failed", "error")

    @property
    def died(self) -> bool:
        return self.bad and self.text.lstrip().startswith(DIED)


@dataclass(frozen=True)
class TestRun:
    """One session's tests of one service."""

    __test__ = False

    where: Where
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
    mapped: tuple[Mapped, ...] = ()
    """Libraries that the tests' processes had loaded, beside what was foreseen."""

    @property
    def bad(self) -> tuple[TestOutcome, ...]:
        return tuple(test for test in self.tests if test.bad)

    @property
    def passed(self) -> bool:
        """Complete, of all tests, something passed, and nothing failed."""
        return not (self.problems or self.bad or self.part) and self.count()["passed"] > 0

    def count(self) -> Counter[str]:
        return Counter(test.outcome for test in self.tests)


@dataclass(frozen=True)
class Finding:
    """What was found outside the matrix: in compiled files, or against a golden output."""

    kind: str
    text: str
    grave: bool
    where: Where
    package: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class ServiceEvidence:
    """Everything that is known of one service; what is empty was not evaluated."""

    name: str
    matrix: WheelMatrix | None = None
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
