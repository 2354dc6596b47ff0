"""One thing changes in the records of four sound services: the gate flips and names the cause."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from pytest_arm64.decide.evidence import ServiceEvidence
from pytest_arm64.decide.gate import complaints
from pytest_arm64.decide.verdict import MIGRATE, decide
from pytest_arm64.report.compare import WORSE, changes
from pytest_arm64.report.document import Report
from unit.decide import made

DAY = made.TODAY
MADE_AT = "2026-11-23T12:00:00+00:00"
Mutation = Callable[[ServiceEvidence], ServiceEvidence]
API = made.service()
VLM = replace(made.service(made.BLOCKER, runs=(), installs=(), boundary=made.BOUNDARY), name="vlm")


def row(**how: Any) -> Mutation:
    """numpy is otherwise than it was, and nothing was installed since."""
    rows = (replace(made.WHEEL, **how), made.PURE)
    return lambda s: replace(s, matrix=made.matrix(*rows), installs=())


def ending(outcome: str, text: str, *, died: bool = False) -> Mutation:
    def mutated(service: ServiceEvidence) -> ServiceEvidence:
        run = service.runs[0]
        broken = replace(run.tests[0], outcome=outcome, text=text, died=died)
        return replace(service, runs=(replace(run, tests=(broken, *run.tests[1:])),))

    return mutated


def of_run(**how: Any) -> Mutation:
    return lambda s: replace(s, runs=(replace(s.runs[0], **how),))


def of_where(**how: Any) -> Mutation:
    """The tests ran elsewhere."""
    return lambda s: replace(s, runs=(replace(s.runs[0], where=replace(s.runs[0].where, **how)),))


def of_install(**how: Any) -> Mutation:
    return lambda s: replace(s, installs=(replace(s.installs[0], **how),))


def of_install_where(**how: Any) -> Mutation:
    return lambda s: of_install(where=replace(s.installs[0].where, **how))(s)


def installed_as(state: str, version: str = "2.1.3") -> Mutation:
    def mutated(service: ServiceEvidence) -> ServiceEvidence:
        first, *others = service.installs[0].packages
        found = (replace(first, state=state, version=version), *others)
        return of_install(packages=found)(service)

    return mutated


def found(kind: str, text: str) -> Mutation:
    return lambda s: replace(s, findings=(made.finding(kind=kind, text=text),))


def boundary(**how: Any) -> Mutation:
    return lambda s: replace(s, boundary=replace(made.BOUNDARY, **how))


def problems(*texts: str) -> Mutation:
    return lambda s: replace(s, matrix=made.matrix(problems=texts))


OLD = "2026-08-01T00:00:00+00:00"
# What stops the gate.
STOPPING: dict[str, tuple[Mutation, str]] = {
    "a wheel vanishes, a source stays": (row(state="source"), "no usable ARM64 wheel: numpy 2.1.3"),
    "a wheel and its source vanish": (row(state="blocker"), "no usable ARM64 wheel: numpy 2.1.3"),
    "a page cannot be read": (row(state="unknown", detail="503"), "numpy: 503"),
    "metadata cannot be read": (row(doubt="it is a program"), "numpy: it is a program"),
    "a file cannot be read": (problems("setup.py may name more"), "setup.py may name more"),
    "the matrix vanishes": (lambda s: replace(s, matrix=None, problem="no file"), "no file"),
    "a wheel was built instead": (installed_as("source"), "no usable ARM64 wheel: numpy 2.1.3"),
    "a test fails": (ending("failed", "assert 0"), "1 test failed (native): test_it.py::test_0"),
    "a fixture fails": (ending("error", "E"), "1 test failed (native): test_it.py::test_0"),
    "a test kills its process": (
        ending("failed", "killed by SIGILL", died=True),
        "1 test killed their process (native): test_it.py::test_0",
    ),
    "tests vanish": (of_run(problems=("3 tests never finished",)), "3 tests never finished"),
    "the session dies": (of_run(problems=("it never said that it was over",)), "never said"),
    "a golden differs": (found("golden", "hash: 3 of 64 bits"), "golden: hash: 3 of 64 bits"),
    "an integer differs": (found("golden", "-2 became 0"), "golden: -2 became 0"),
    "a symbol is too new": (found("abi", "needs GLIBC_2.38"), "abi: needs GLIBC_2.38"),
    "a library is missing": (found("abi", "libGL.so.1"), "abi: libGL.so.1"),
    "a file is of x86": (found("wrong-architecture", "a.so"), "wrong-architecture: a.so"),
    "a page is too large": (found("page-size", "64 KiB"), "page-size: 64 KiB"),
}
# What takes ``migrate`` away and leaves ``ready``: the gate of a team that asks for the former.
WEAKENING: dict[str, tuple[Mutation, str]] = {
    "the run vanishes": (lambda s: replace(s, runs=()), "no complete and green test run"),
    "the run was emulated": (of_where(emulated=True), "emulated, not on an ARM machine"),
    "the run was on a stand-in": (of_where(stand_in=True, os="debian 12"), "debian 12"),
    "the run was on x86": (of_where(machine="x86_64"), "it was not ARM64"),
    "the run was on another image": (
        of_where(asked_image=False),
        "did not run on the requested target",
    ),
    "the run had another glibc": (of_where(differences=("glibc 2.36",)), "glibc 2.36"),
    "the run ages": (of_where(when=OLD), "too long ago"),
    "the run has no time": (of_where(when=""), "too long ago"),
    "the run was of a part": (of_run(part="-k quick"), "-k quick"),
    "the environment was another": (of_run(fits=False, misfit="it had pip 1"), "it had pip 1"),
    "every test is skipped": (
        lambda s: replace(s, runs=(made.run(made.NATIVE, "skipped", "skipped"),)),
        "no test passed",
    ),
    "the installation vanishes": (lambda s: replace(s, installs=()), "no reference installation"),
    "pip did not install": (of_install(installer="plan 1"), "no reference installation"),
    "another version was installed": (installed_as("wheel", "2.1.2"), "no reference installation"),
    "the installation ages": (of_install_where(when=OLD), "no reference installation"),
    "the installation was elsewhere": (of_install_where(stand_in=True), "no reference install"),
}
ALONE = {**STOPPING, **WEAKENING}
BOUNDED: dict[str, tuple[Mutation, str]] = {
    "a review is overdue": (boundary(review=date(2026, 11, 22)), "review was due on 2026-11-22"),
    "a package leaks": (
        lambda s: replace(s, leaks=("api deploys decord 0.6.0",)),
        "api deploys decord 0.6.0",
    ),
    "an import leaks": (
        lambda s: replace(s, leaks=("api imports vision (app.py:2)",)),
        "api imports vision (app.py:2)",
    ),
    "the boundary vanishes": (lambda s: replace(s, boundary=None), "no usable ARM64 wheel: decord"),
}


def test_there_are_enough_mutations() -> None:
    assert len(STOPPING) + len(WEAKENING) + len(BOUNDED) >= 30


def test_nothing_is_wrong_before() -> None:
    verdicts = [decide(API, DAY), decide(VLM, DAY)]
    assert list(complaints(verdicts)) == []
    assert verdicts[0].verdict == MIGRATE


@pytest.mark.parametrize("name", STOPPING)
def test_the_gate_flips_and_names_the_cause(name: str) -> None:
    mutation, cause = STOPPING[name]
    (line,) = complaints([decide(mutation(API), DAY), decide(VLM, DAY)])
    assert line.startswith("api: ")
    assert cause in line


@pytest.mark.parametrize("name", WEAKENING)
def test_the_verdict_weakens_and_names_the_cause(name: str) -> None:
    mutation, cause = WEAKENING[name]
    found = decide(mutation(API), DAY)
    assert found.verdict != MIGRATE
    assert any(cause in reason for reason in found.reasons), found.reasons


@pytest.mark.parametrize("name", BOUNDED)
def test_the_gate_flips_for_a_boundary(name: str) -> None:
    mutation, cause = BOUNDED[name]
    (line,) = complaints([decide(API, DAY), decide(mutation(VLM), DAY)])
    assert line.startswith("vlm: ")
    assert cause in line


@pytest.mark.parametrize("name", ALONE)
def test_a_comparison_with_the_report_before_tells_it_too(name: str) -> None:
    mutation, _ = ALONE[name]
    before = Report(made.TARGET, MADE_AT, (API, VLM))
    after = Report(made.TARGET, MADE_AT, (mutation(API), VLM))
    assert changes(before, after)[0].direction == WORSE
    assert {change.service for change in changes(before, after)} == {"api"}


def test_time_alone_flips_it() -> None:
    later = DAY + timedelta(days=200)
    assert "review was due" in next(iter(complaints([decide(VLM, later)])))
    assert decide(API, later).verdict != MIGRATE
