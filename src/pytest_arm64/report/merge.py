"""Several reports as one: shards of a suite, services, an emulated run with a native one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from ..audit.matrix import WheelMatrix
from ..decide.evidence import DESELECTED, ServiceEvidence, TestRun
from ..decide.executed_code import together
from ..errors import ReportError
from .document import Report, in_words

T = TypeVar("T")
_SHOWN = 5


def merge(reports: Sequence[Report], made_at: str) -> Report:
    """All evidence of *reports*, judged anew on the day of *made_at*.

    Of a service's matrix, boundary and cost the newest report decides. What older reports say of
    other releases than that matrix lists does not count, and a note names these reports.

    Raises:
        ReportError: a service is on different targets in them.
    """
    ordered = sorted(reports, key=lambda report: report.made_at)
    parts: dict[str, list[ServiceEvidence]] = {}
    for report in ordered:
        for service in report.services:
            placed = replace(service, target=report.target_of(service))
            parts.setdefault(service.name, []).append(placed)
    for name, evidence in parts.items():
        targets = sorted({part.target for part in evidence} - {""})  # it never began
        if len(targets) > 1:
            raise ReportError(
                f"reports of different targets cannot be one: {name} is on {' and '.join(targets)}",
                next_step="merge the reports of each target on their own",
            )
    services = tuple(_together(each) for each in parts.values())
    notes = _once(
        [note for report in ordered for note in report.notes]
        + [note for service in services for note in _mixed(service, ordered)]
    )
    incomplete = "; ".join(_once(r.incomplete for r in ordered if r.incomplete))
    named = [service.target for service in services] or [report.target for report in ordered]
    target = in_words(filter(None, named))
    return Report(target, made_at, services, notes, incomplete=incomplete)


def _together(parts: Sequence[ServiceEvidence]) -> ServiceEvidence:
    """One service's evidence, the oldest first."""
    newest = parts[-1]
    alike = parts
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
        # What was seen of other releases says nothing of these.
        alike = [p for p, fits in zip(parts, same, strict=True) if fits or p.matrix is None]
    return replace(
        newest,
        matrix=matrix,
        base=audited.base,
        problem="" if matrix is not None else newest.problem,
        installs=_once(install for part in parts for install in part.installs),
        builds=_once(build for part in parts for build in part.builds),
        findings=_once(finding for part in alike for finding in part.findings),
        runs=tuple(_whole(runs)),
        goldens=_once(value for part in alike for value in part.goldens),
        measured=_once(record for part in alike for record in part.measured),
        profiles=_once(profile for part in alike for profile in part.profiles),
        trials=_once(trial for part in alike for trial in part.trials),
        code=together([part.code for part in parts]),
    )


def _mixed(service: ServiceEvidence, reports: Iterable[Report]) -> Iterator[str]:
    """A note for each of *reports* that is of other releases than the merged *service* has."""
    now = dict(sorted(_deployed(service.matrix)))
    for report in reports:
        for part in report.services:
            if part.name != service.name or part.matrix is None:
                continue
            before = dict(sorted(_deployed(part.matrix)))
            if before != now:
                differences = list(_differences(before, now))
                shown = "; ".join(differences[:_SHOWN])
                if len(differences) > _SHOWN:
                    shown += f"; and {len(differences) - _SHOWN} more"
                yield (
                    f"{part.name}: the report of {report.made_at} is of other releases and does "
                    f"not count: {shown}"
                )


def _differences(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for name, version in before.items():
        if now.get(name) != version:
            yield f"{name} {version} instead of {now.get(name, 'no release')}"
    for name, version in now.items():
        if name not in before:
            yield f"no release of {name}, now {version}"


def _whole(runs: Sequence[TestRun]) -> Iterator[TestRun]:
    """*runs*, in which parts that make up all tests of one place have become one run."""
    groups: dict[TestRun, list[TestRun]] = {}
    for run in runs:
        if run.part and run.left_out is not None:
            alike = replace(run, where=replace(run.where, when=""), tests=(), problems=(), part="")
            alike = replace(alike, left_out=None, incidents=(), mapped=(), omitted=())
            groups.setdefault(alike, []).append(run)
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
            omitted=_once(omission for part in parts for omission in part.omitted),
            mapped=_once(library for part in parts for library in part.mapped),
            part="",
            left_out=None,
        )


def _ids(run: TestRun) -> set[str]:
    return {test.nodeid for test in run.tests}


def _deployed(matrix: WheelMatrix | None) -> frozenset[tuple[str, str]]:
    return frozenset((row.name, row.version) for row in matrix.deployed) if matrix else frozenset()


def _once(items: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(items))
