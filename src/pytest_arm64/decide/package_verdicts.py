"""Verdicts: what of a matrix fails a run, given the baseline, the allowances and the policy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from ..audit.matrix import BLOCKER, PURE, SOURCE, UNKNOWN, WHEEL, Row, WheelMatrix
from ..inputs.places import place_of
from .allowances import Allowance
from .baseline import Baseline

REPORT, NEW, ALL = "report", "new", "all"
POLICIES = (REPORT, NEW, ALL)
# What is worse than what; "unknown" is never better than anything that is known.
GRAVITY = {PURE: 0, WHEEL: 0, SOURCE: 1, BLOCKER: 2, UNKNOWN: 3}


@dataclass(frozen=True)
class PackageVerdict:
    """The verdict on one package of one service."""

    service: str
    row: Row
    state: str
    """As observed, where it was installed; else as predicted."""
    failed: bool
    text: str
    """Why, and what to do; where it does not fail, what was tolerated, or nothing."""
    file: str
    line: int
    """Where what is judged is written; 0 where no line is known."""

    @property
    def nodeid(self) -> str:
        """``arm64::<service>::<package>``"""
        return f"arm64::{self.service}::{self.row.name}"


def verdicts(
    matrix: WheelMatrix,
    policy: str,
    *,
    baseline: Baseline | None = None,
    allowances: Sequence[Allowance] = (),
    bounded: bool = False,
    observed: Mapping[str, str] | None = None,
    today: date,
) -> Iterator[PackageVerdict]:
    """A verdict on each deployed package that is native or not green.

    Args:
        matrix: what was predicted.
        policy: ``report``, ``new`` or ``all``.
        baseline: earlier findings, for ``new``.
        allowances: what is tolerated.
        bounded: whether the service is declared to stay on x86; then nothing of it fails.
        observed: by name, the state in which a package was really installed.
        today: the day by which allowances expire.
    """
    for row in matrix.deployed:
        state = (observed or {}).get(row.name, row.state)
        before = baseline.state(matrix, row.name) if baseline is not None else None
        if state == PURE and before is None:
            continue
        problem = _problem(matrix, row, state, policy, baseline)
        allowance = next((a for a in allowances if a.covers(matrix.service, row.name)), None)
        if problem and allowance is not None and state == SOURCE:
            failed = allowance.expired(today)
            problem = allowance.told(today) if not failed else f"{problem}\n{allowance.told(today)}"
        else:
            failed = bool(problem) and not bounded
        file, line = _place(matrix, row)
        yield PackageVerdict(
            service=matrix.service,
            row=row,
            state=state,
            failed=failed and policy != REPORT,
            text=problem,
            file=file,
            line=line,
        )


def _place(matrix: WheelMatrix, row: Row) -> tuple[str, int]:
    """File and line that ask for *row*, the line 0 where none is known."""
    return place_of((row.path[0] if row.path else matrix.manifest) or "arm64")


def _problem(
    matrix: WheelMatrix, row: Row, state: str, policy: str, baseline: Baseline | None
) -> str:
    """What is wrong with *row* by *policy*; empty where nothing is."""
    if GRAVITY[state] == 0:
        return ""
    what = f"{row.name} {row.version}".strip()
    if policy == NEW and baseline is not None:
        before, version = baseline.state(matrix, row.name), baseline.version(matrix, row.name)
        if before is not None and GRAVITY[state] <= GRAVITY[before]:
            return ""
        if before is not None:
            by = f" since {version}" if version != row.version else ""
            return "\n".join([f"{what} fell from {before} to {state}{by}", *explained(row, state)])
    return "\n".join([f"{what} is {state} on {matrix.target}", *explained(row, state)])


def explained(row: Row, state: str) -> Iterable[str]:
    """Cause, remedy and path, a line each."""
    if state == row.state and row.cause:
        yield f"{row.cause}: {row.detail}"
    elif state != row.state:
        promised = f" ({row.file})" if row.file else ""
        yield f"predicted {row.state}{promised}, installed as {state}"
        if state == SOURCE:
            yield "→ see why the wheel was passed over: --no-binary, an index without it"
    if row.remedy is not None:
        yield f"→ {row.remedy.text}"
    if row.path:
        yield "from " + " → ".join(row.path)
