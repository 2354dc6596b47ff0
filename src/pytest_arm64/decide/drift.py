"""What became worse between two matrices of one service: before a lock is merged, and after."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from ..audit.matrix import BLOCKER, SOURCE, UNKNOWN, Row, WheelMatrix
from ..audit.weight import binary_size

LOST, COMPILES, UNCERTAIN = "lost-wheel", "began-to-compile", "became-unknown"
TOO_LARGE, HEAVIER = "became-too-large", "heavier"
KINDS = (LOST, COMPILES, TOO_LARGE, UNCERTAIN, HEAVIER)
"""The gravest first."""
_FAILING = {LOST: 1, COMPILES: 1, TOO_LARGE: 1, UNCERTAIN: 3}
_LEAST_GROWTH = 1 << 20
"""Bytes by which a package has to grow to be listed, besides a tenth of its size."""


@dataclass(frozen=True)
class Worsening:
    """One package that became worse, or something about all of them together."""

    kind: str
    name: str
    version: str
    before: str
    """The release before; empty where it was not deployed."""
    text: str
    fix: str = ""
    place: str = ""
    """File and line that ask for it."""
    allowed: bool = False
    """Whether an allowance tolerates it."""

    @property
    def exit_code(self) -> int:
        """What it ends the command with: 1 worse, 3 not evaluated, 0 for what fails nothing."""
        return 0 if self.allowed else _FAILING.get(self.kind, 0)


@dataclass(frozen=True)
class Drift:
    """One service on one target, compared with how it was."""

    service: str
    target: str
    against: str
    """The file with how it was."""
    manifest: str
    worse: tuple[Worsening, ...]
    unpacked: int
    """Bytes of all deployed packages; 0 where they are not known."""
    unpacked_before: int

    @property
    def exit_code(self) -> int:
        """0 nothing is worse, 1 something is, 3 something could not be evaluated."""
        return max((worsening.exit_code for worsening in self.worse), default=0)


def drift(
    before: WheelMatrix, after: WheelMatrix, against: str, allowed: Collection[str] = ()
) -> Drift:
    """What is worse in *after* than in *before*.

    Args:
        before: of the file *against*.
        after: of the project as it is.
        against: as it is shown.
        allowed: packages that may be built from source.
    """
    rows = {row.name: row for row in before.deployed}
    worse = [w for row in after.deployed for w in _of_row(rows.get(row.name), row, allowed)]
    worse += _of_tree(before, after)
    weights = [matrix.weight for matrix in (after, before)]
    unpacked, unpacked_before = (weight.unpacked if weight else 0 for weight in weights)
    return Drift(
        after.service,
        after.target,
        against,
        after.manifest,
        tuple(sorted(worse, key=lambda w: (KINDS.index(w.kind), w.name))),
        unpacked,
        unpacked_before,
    )


def _of_row(before: Row | None, row: Row, allowed: Collection[str]) -> Iterator[Worsening]:
    state = before.state if before is not None else ""
    version = before.version if before is not None else ""
    fix = row.remedy.text if row.remedy is not None else ""
    place = row.path[0] if row.path else ""
    why = row.detail or row.doubt

    def worsening(kind: str, text: str, *, tolerated: bool = False) -> Worsening:
        return Worsening(kind, row.name, row.version, version, text, fix, place, tolerated)

    if row.state == BLOCKER and state != BLOCKER:
        yield worsening(LOST, why)
    elif row.state == SOURCE and state not in (SOURCE, BLOCKER):
        yield worsening(COMPILES, why, tolerated=row.name in allowed)
    elif row.state == UNKNOWN and state != UNKNOWN:
        yield worsening(UNCERTAIN, why)
    elif row.doubt and not (before is not None and before.doubt):
        yield worsening(UNCERTAIN, row.doubt)
    growth = _growth(before, row)
    if growth:
        yield worsening(HEAVIER, growth)


def _growth(before: Row | None, row: Row) -> str:
    """How much larger *row* is, in words; empty where it hardly is, or nobody knows."""
    unpacked = bool(row.unpacked) and (before is None or bool(before.unpacked))
    sizes = [
        (entry.unpacked if unpacked else entry.size) if entry is not None else 0
        for entry in (before, row)
    ]
    old, new = sizes
    if not new or (before is not None and not old):
        return ""
    if new - old < max(_LEAST_GROWTH, old / 10):
        return ""
    what = "unpacked" if unpacked else "to download"
    if before is None:
        return f"{binary_size(new)} {what} more: it was not deployed"
    return f"{binary_size(old)} → {binary_size(new)} {what}"


def _of_tree(before: WheelMatrix, after: WheelMatrix) -> Iterator[Worsening]:
    """What is new about the tree as a whole."""
    for problem in after.problems:
        if problem not in before.problems:
            yield Worsening(UNCERTAIN, "", "", "", problem, place=after.manifest)
    grave = {finding.kind for finding in before.findings if finding.grave}
    for finding in after.findings:
        if finding.grave and finding.kind not in grave:
            yield Worsening(
                TOO_LARGE, "", "", "", finding.text, fix=finding.fix, place=after.manifest
            )


def counted(worse: Sequence[Worsening]) -> str:
    """How many of each kind fail the gate: ``1 lost-wheel, 2 began-to-compile``."""
    failing = [w.kind for w in worse if w.exit_code]
    return ", ".join(f"{failing.count(kind)} {kind}" for kind in KINDS if kind in failing)
