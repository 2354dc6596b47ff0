"""Several reports as one: shards of a suite, services, an emulated run with a native one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from ..audit.matrix import WheelMatrix
from ..decide.evidence import DESELECTED, ServiceEvidence, TestRun
from ..errors import ReportError
from .document import Report

T = TypeVar("T")


def merge(reports: Sequence[Report], made_at: str) -> Report:
    """All evidence of *reports*, judged anew on the day of *made_at*.

    Of a service's matrix, boundary and cost the newest report decides; an older run whose
    environment does not have what that matrix lists does not count any more.

    Raises:
        ReportError: they are of different targets.
    """
    targets = sorted({report.target for report in reports} - {""})  # it never began
    if len(targets) > 1:
        raise ReportError(
            f"reports of different targets cannot be one: {', '.join(targets)}",
            next_step="merge the reports of each target on their own",
        )
    ordered = sorted(reports, key=lambda report: report.made_at)
    names = dict.fromkeys(service.name for report in ordered for service in report.services)
    services = tuple(
        _together([s for report in ordered for s in report.services if s.name == name])
        for name in names
    )
    notes = _once(note for report in ordered for note in report.notes)
    incomplete = "; ".join(_once(r.incomplete for r in ordered if r.incomplete))
    return Report("".join(targets), made_at, services, notes, incomplete=incomplete)


def _together(parts: Sequence[ServiceEvidence]) -> ServiceEvidence:
    """One service's evidence, the oldest first."""
    newest = parts[-1]
    audited = next((part for part in reversed(parts) if part.matrix is not None), newest)
    matrix = audited.matrix
    runs = _once(run for part in parts for run in part.runs)
    if matrix is not None:
        # A run was of what its own report's matrix lists.
        told = "what is deployed has changed since"
        same = [_deployed(part.matrix) == _deployed(matrix) for part in parts]
        runs = _once(
            run if fits or not run.fits else replace(run, fits=False, misfit=told)
            for part, fits in zip(parts, same, strict=True)
            for run in part.runs
        )
    return replace(
        newest,
        matrix=matrix,
        base=audited.base,
        problem="" if matrix is not None else newest.problem,
        installs=_once(install for part in parts for install in part.installs),
        builds=_once(build for part in parts for build in part.builds),
        findings=_once(finding for part in parts for finding in part.findings),
        runs=tuple(_whole(runs)),
        goldens=_once(value for part in parts for value in part.goldens),
        measured=_once(one for part in parts for one in part.measured),
        profiles=_once(profile for part in parts for profile in part.profiles),
    )


def _whole(runs: Sequence[TestRun]) -> Iterator[TestRun]:
    """*runs*, in which parts that make up all tests of one place have become one run."""
    groups: dict[TestRun, list[TestRun]] = {}
    for run in runs:
        if run.part and run.left_out is not None:
            alike = replace(run, where=replace(run.where, when=""), tests=(), problems=(), part="")
            groups.setdefault(replace(alike, left_out=None, incidents=()), []).append(run)
        else:
            yield run
    for parts in groups.values():
        every = {frozenset(_ids(part) | set(part.left_out or ())) for part in parts}
        tests = {test.nodeid: test for part in parts for test in part.tests}
        if len(every) != 1 or tests.keys() != set(*every):
            yield from parts  # of different suites, or something is missing
            continue
        # What failed in one part has failed, wherever else it ran.
        tests |= {test.nodeid: test for part in parts for test in part.tests if test.bad}
        oldest = min(parts, key=lambda part: part.where.when)
        yield replace(
            oldest,
            tests=tuple(tests.values()),
            problems=tuple(problem for part in parts for problem in part.problems),
            # A part may be empty: the others have the tests.
            incidents=_once(i for p in parts for i in p.incidents if i.kind != DESELECTED),
            part="",
            left_out=None,
        )


def _ids(run: TestRun) -> set[str]:
    return {test.nodeid for test in run.tests}


def _deployed(matrix: WheelMatrix | None) -> frozenset[tuple[str, str]]:
    return frozenset((row.name, row.version) for row in matrix.deployed) if matrix else frozenset()


def _once(items: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(items))
