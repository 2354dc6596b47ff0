"""The wheel matrix: one row per package of a tree, as frozen values and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

FORMAT = 1
DEPLOY, TEST, BUILD = "deploy", "test", "build"
PURE, WHEEL, SOURCE, BLOCKER, UNKNOWN = "pure", "wheel", "source", "blocker", "unknown"
STATES = (BLOCKER, UNKNOWN, SOURCE, WHEEL, PURE)
"""The gravest first."""
_OF_OTHERS = ", which asks for "


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
    own: bool | None = None
    """Whether all demands that do not admit it are the service's own; None in documents that
    are older than this key."""
    moves: tuple[str, ...] = ()
    """The service's own pins that have to move for it, as ``name==version``."""
    marker: str = ""
    """The marker to give its requirement, where the target does not need it."""
    major: bool = False
    """Whether that release is of another major version."""

    @property
    def changeable(self) -> bool:
        """Whether nothing but the service's own files keeps that release out."""
        if self.own is not None:
            return self.allowed or self.own
        return self.allowed or all(_OF_OTHERS not in text for text in self.held_by)


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
    scope: str = DEPLOY
    """``deploy`` is judged; ``test`` is shown; ``build`` is what a source build needs."""
    url: str = ""
    """Where the file is: an address without credentials, or a local project's folder."""
    hashes: tuple[str, ...] = ()
    """Of the file, as ``sha256:…``; empty where neither index nor lock tells one."""
    editable: bool = False
    """A local project that stays in its folder."""
    libstdcxx: str = ""
    """The newest ``GLIBCXX_…`` that the file may need by its tag's policy."""
    system: tuple[str, ...] = ()
    """System packages of the target that it is known to need, each with when and why."""

    @property
    def green(self) -> bool:
        return self.state in (PURE, WHEEL)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Row:
        """The row that ``asdict`` gave; what is unknown here is left out."""
        known = {f.name: data[f.name] for f in fields(cls) if f.name in data}
        known = {k: tuple(v) if isinstance(v, list) else v for k, v in known.items()}
        remedy = known.get("remedy")
        if isinstance(remedy, dict):
            lists = {key: tuple(remedy.get(key, ())) for key in ("held_by", "moves")}
            known["remedy"] = Remedy(**{**remedy, **lists})
        return cls(**known)


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
    notes: tuple[str, ...] = ()
    """What a reader should know and what changes no verdict."""
    manifest: str = ""
    """The file that says what is deployed, relative to the repository."""

    @property
    def complete(self) -> bool:
        """Whether every package of the tree is known, with its state."""
        return not self.problems and not any(
            row.state == UNKNOWN or row.doubt for row in self.deployed
        )

    @property
    def ready(self) -> bool:
        """Whether everything has a usable wheel."""
        return self.complete and all(row.green for row in self.deployed)

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

    def count(self) -> dict[str, int]:
        """Deployed rows by state, the gravest first."""
        counts = Counter(row.state for row in self.deployed)
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
            "notes": list(self.notes),
            "manifest": self.manifest,
            "index_age_seconds": round(self.index_age),
            "packages": [asdict(row) for row in self.packages],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> WheelMatrix:
        """The matrix that ``to_json`` gave.

        Raises:
            ValueError: it is of another format, or damaged.
        """
        try:
            if data["format"] != FORMAT:
                raise ValueError(f"a wheel matrix of format {data['format']!r}")
            return cls(
                service=data["service"],
                target=data["target"],
                packages=tuple(map(Row.from_json, data["packages"])),
                problems=tuple(data["problems"]),
                index_age=float(data["index_age_seconds"]),
                notes=tuple(data["notes"]),
                manifest=data["manifest"],
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"a damaged wheel matrix: {error!r}") from None
