"""The backlog: what to change first. What was seen comes before what the matrix predicts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from packaging.utils import canonicalize_name

from ..audit.matrix import Row
from ..wording import first_of
from .evidence import Finding, ServiceEvidence, TestOutcome
from .executed_code import never_executed
from .questions import NO, replacement
from .verdict import INCOMPLETE, Verdict, failures

FILES, TESTS, DEATHS, GOLDENS, PACKAGE = "files", "tests", "deaths", "goldens", "package"
CODE = "code"
ORDER = (FILES, TESTS, DEATHS, GOLDENS, INCOMPLETE, PACKAGE, CODE)
"""Kinds of changes, the first ones first: files that cannot be loaded make tests fail."""
_TITLES = {
    FILES: "compiled files",
    TESTS: "failing tests",
    DEATHS: "tests that killed their process",
    GOLDENS: "values that differ from x86",
    INCOMPLETE: "incomplete run",
    CODE: "code that assumes x86",
}
_SHOWN = 3


@dataclass(frozen=True)
class WorkItem:
    """One change."""

    package: str
    version: str
    action: str
    """What to do, in words; that nothing is known, where it is so."""
    services: tuple[str, ...]
    """All that the package stands in the way of."""
    frees: tuple[str, ...]
    """Those of them in whose way nothing else stands."""
    monthly_cost: float
    """US dollars a month of the services that it frees, where their cost is known."""
    certain: bool
    """Whether it is known what would do."""
    kind: str = PACKAGE
    """``files``, ``tests``, ``deaths`` or ``goldens`` for what was seen, ``package`` for what the
    matrix says, ``incomplete`` for what kept tests from being run, ``code`` for what they did not
    execute."""
    count: int = 1
    """How many files, tests, values or places in code it is about."""

    @property
    def title(self) -> str:
        """What it is about, in a few words."""
        named = " ".join(filter(None, (self.package, self.version)))
        return named or _TITLES.get(self.kind, self.kind)


def backlog(
    evidence: Sequence[ServiceEvidence], verdicts: Sequence[Verdict], today: date
) -> tuple[WorkItem, ...]:
    """The changes that services need, by ``ORDER``, then the most rewarding first.

    Services behind a declared boundary are meant to stay, and are left out.
    """
    bounded = {verdict.service for verdict in verdicts if verdict.boundary is not None}
    moving = [service for service in evidence if service.name not in bounded]
    predicted = list(_predicted(evidence, verdicts))
    changes = {_subject(i): i for i in predicted if i.kind == PACKAGE and i.certain}
    files = list(_files(moving, today, changes))
    # What to do is said of the files already.
    told = {_subject(item) for item in files} & changes.keys()
    left = [item for item in predicted if item.kind != PACKAGE or _subject(item) not in told]
    tests = (item for service in moving for item in _tests(service, today))
    code = map(_untested, (s for s in moving if never_executed(s.code)))
    return tuple(sorted([*files, *tests, *left, *code], key=_rank))


_Subject = tuple[str, tuple[str, ...]]


def _subject(item: WorkItem) -> _Subject:
    """The package and the services that *item* is about."""
    return canonicalize_name(item.package), item.services


def _files(
    evidence: Sequence[ServiceEvidence], today: date, changes: Mapping[_Subject, WorkItem]
) -> Iterator[WorkItem]:
    """A change for each package with compiled files that cannot be loaded, of *changes* if there.

    A change that the matrix has is better than what is advised of any such file.
    """
    by_package: defaultdict[str, list[tuple[ServiceEvidence, Finding]]] = defaultdict(list)
    for service in evidence:
        for finding in service.findings:
            if finding.kind == "abi" and finding.grave and finding.where.fresh(today):
                by_package[finding.package].append((service, finding))
    for package, found in by_package.items():
        paths = {finding.path or finding.text for _, finding in found}
        first = found[0][1]
        files = "file cannot" if len(paths) == 1 else "files cannot"
        text = f"{len(paths)} compiled {files} be loaded: {first.text}"
        name, version = _name_and_version(package, found[0][0])
        services = tuple(dict.fromkeys(service.name for service, _ in found))
        change = changes.get((name, services))
        remedy = change.action if change is not None else first.remedy
        yield WorkItem(
            package=name,
            version=version,
            action=f"{text}: {remedy}" if remedy else text,
            services=services,
            frees=change.frees if change is not None else (),
            monthly_cost=change.monthly_cost if change is not None else 0.0,
            certain=bool(remedy),
            kind=FILES,
            count=len(paths),
        )


def _name_and_version(package: str, service: ServiceEvidence) -> tuple[str, str]:
    """Of *package*, which is called as its folder of metadata: ``zed_core-1.0``."""
    name, _, version = package.rpartition("-")
    if name and version[:1].isdigit():
        return canonicalize_name(name), version
    rows = service.matrix.deployed if service.matrix is not None else ()
    return package, next((row.version for row in rows if row.name == package), "")


def _tests(service: ServiceEvidence, today: date) -> Iterator[WorkItem]:
    """Changes for tests of *service* that fail, die, and compute other values on ARM64."""
    bad = [test for _, test in failures(service, today)]
    differing = {value.test for value in service.goldens if not value.ok}
    died = [test for test in bad if test.died]
    other = [test for test in bad if not test.died and test.nodeid in differing]
    failed = [test for test in bad if not test.died and test.nodeid not in differing]
    for kind, tests, words in (
        (TESTS, failed, "fails on ARM64"),
        (DEATHS, died, "kills its process on ARM64"),
        (GOLDENS, other, "computes other values than on x86"),
    ):
        if tests:
            yield WorkItem(
                package="",
                version="",
                action=_action_for(tests, words),
                services=(service.name,),
                frees=(),
                monthly_cost=0.0,
                certain=True,
                kind=kind,
                count=len(tests),
            )


def _untested(service: ServiceEvidence) -> WorkItem:
    """A change for code of *service* that assumes x86, of which a green run says nothing."""
    places = [place.place for place in never_executed(service.code)]
    noun = "place that assumes x86 was" if len(places) == 1 else "places that assume x86 were"
    return WorkItem(
        package="",
        version="",
        action=f"{len(places)} {noun} never executed by the tests on ARM64: have tests reach "
        f"{first_of(places, _SHOWN)}",
        services=(service.name,),
        frees=(),
        monthly_cost=0.0,
        certain=True,
        kind=CODE,
        count=len(places),
    )


def _action_for(tests: Sequence[TestOutcome], words: str) -> str:
    names = first_of([test.blamed for test in tests], _SHOWN)
    if len(tests) == 1:
        return f"1 test {words}: {names}"
    plural = words.replace("fails", "fail").replace("kills its", "kill their")
    return f"{len(tests)} tests {plural.replace('computes', 'compute')}: {names}"


def _predicted(
    evidence: Sequence[ServiceEvidence], verdicts: Sequence[Verdict]
) -> Iterator[WorkItem]:
    """Changes of packages that the matrix asks for, and of runs that are incomplete."""
    by_name = {service.name: service for service in evidence}
    held: defaultdict[tuple[str, bool], list[tuple[str, Row]]] = defaultdict(list)
    counts: dict[str, int] = {}
    for verdict in verdicts:
        matrix = by_name[verdict.service].matrix
        wheels = verdict.answers[0]
        if verdict.boundary is not None or wheels.answer != NO or matrix is None:
            continue
        counts[verdict.service] = len(wheels.packages)
        for row in matrix.deployed:
            if row.name in wheels.packages:
                held[row.name, bool(replacement(row))].append((verdict.service, row))
    yield from _incomplete(by_name, verdicts)
    for (package, certain), places in held.items():
        services = tuple(dict.fromkeys(name for name, _ in places))
        frees = tuple(name for name in services if counts[name] == 1)
        yield WorkItem(
            package=package,
            version=", ".join(dict.fromkeys(row.version for _, row in places)),
            action=first_of(list(dict.fromkeys(_action(row) for _, row in places)), _SHOWN, "; "),
            services=services,
            frees=frees,
            monthly_cost=sum(by_name[name].monthly_cost or 0.0 for name in frees),
            certain=certain,
        )


def _incomplete(
    evidence: Mapping[str, ServiceEvidence], verdicts: Sequence[Verdict]
) -> Iterator[WorkItem]:
    """A change for each service of which not all tests ran; it frees one that needs no other."""
    for verdict in verdicts:
        name = verdict.service
        reasons = [reason for reason in verdict.because if reason.kind == INCOMPLETE]
        if reasons:
            alone = len(reasons) == len(verdict.because)
            yield WorkItem(
                package="",
                version="",
                action=f"have all tests of {name} run: "
                f"{first_of([reason.text for reason in reasons], _SHOWN, '; ')}",
                services=(name,),
                frees=(name,) if alone else (),
                monthly_cost=evidence[name].monthly_cost or 0.0 if alone else 0.0,
                certain=True,
                kind=INCOMPLETE,
                count=len(reasons),
            )


def _rank(item: WorkItem) -> tuple[int, bool, int, int, float, int, str, str]:
    freed = len(item.frees) if item.certain else 0
    predicted = item.kind in (PACKAGE, INCOMPLETE)
    return (
        ORDER.index(PACKAGE if predicted else item.kind),
        not item.certain,
        -freed,
        -item.count,
        -item.monthly_cost,
        -len(item.services),
        item.package,
        item.version,
    )


def _action(row: Row) -> str:
    if row.remedy is not None:
        return row.remedy.text
    return row.detail or f"no wheel for {row.name} {row.version}, and no replacement is known"
