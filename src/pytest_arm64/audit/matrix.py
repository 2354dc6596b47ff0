"""The wheel matrix: one row per package of a tree, as frozen values and as JSON."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

FORMAT = 1
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
    """What would be installed."""
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
    scope: str = "deploy"


@dataclass(frozen=True)
class WheelMatrix:
    """The outcome of the audit of one service for one target."""

    service: str
    target: str
    packages: tuple[Row, ...]
    problems: tuple[str, ...] = ()
    """What keeps the matrix as a whole from being complete."""
    index_age: float = 0.0
    """Seconds since the oldest index page that was used was fetched."""

    @property
    def complete(self) -> bool:
        """Whether every package of the tree is known, with its state."""
        return not self.problems and not any(
            row.state == UNKNOWN or row.doubt for row in self.packages
        )

    @property
    def ready(self) -> bool:
        """Whether everything has a usable wheel."""
        return self.complete and all(row.state in (PURE, WHEEL) for row in self.packages)

    @property
    def exit_code(self) -> int:
        """0 ready, 1 not ready, 3 could not be evaluated."""
        if not self.complete:
            return 3
        return 0 if self.ready else 1

    def count(self) -> dict[str, int]:
        """Rows by state, the gravest first."""
        counts = Counter(row.state for row in self.packages)
        return {state: counts[state] for state in STATES if counts[state]}

    def __getitem__(self, name: str) -> Row:
        for row in self.packages:
            if row.name == name:
                return row
        raise KeyError(name)

    def to_json(self) -> dict[str, Any]:
        """Ready for ``json.dumps``."""
        return {
            "format": FORMAT,
            "service": self.service,
            "target": self.target,
            "complete": self.complete,
            "ready": self.ready,
            "counts": self.count(),
            "problems": list(self.problems),
            "index_age_seconds": round(self.index_age),
            "packages": [asdict(row) for row in self.packages],
        }
