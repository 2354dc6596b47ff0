"""Evidence from records: which builds count, and what a failed installation says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from pytest_arm64.audit.matrix import Row, WheelMatrix
from pytest_arm64.binary.record import AbiRecord, CompiledFile
from pytest_arm64.decide.collect import (
    builds_of,
    cross_findings,
    uncompiled_findings,
    with_refusal,
)
from pytest_arm64.decide.evidence import ServiceEvidence
from pytest_arm64.decide.questions import NO, NOT_EVALUATED, YES, ask
from pytest_arm64.decide.verdict import READY, UNDECIDED, decide
from pytest_arm64.environment.failures import build_failure, overdue_build
from pytest_arm64.environment.record import Installed, InstallRecord
from pytest_arm64.errors import InstallError, OverdueCommandError
from pytest_arm64.inside.ran import Ran
from unit.decide import made

BUILT = Installed("HNSWlib", "0.8.0", "deploy", "source", "h.tar.gz", "", "", True, seconds=40.0)
RECORD = InstallRecord((BUILT,), "the plan", "2026-11-20T10:00:00+00:00", 50.0)


def test_a_build_is_told_with_its_time_and_when_it_was() -> None:
    (build,) = builds_of(RECORD, made.NATIVE)
    assert (build.package, build.version, build.seconds) == ("hnswlib", "0.8.0", 40.0)
    assert build.where == replace(made.NATIVE, when=RECORD.made_at)


@pytest.mark.parametrize("how", [{"kept": True}, {"scope": "test"}, {"state": "wheel"}])
def test_what_was_not_built_now_for_deployment_is_no_build(how: dict[str, object]) -> None:
    record = replace(RECORD, packages=(replace(BUILT, **how),))  # type: ignore[arg-type]
    assert list(builds_of(record, made.NATIVE)) == []


@pytest.mark.parametrize(
    ("log", "verdict"),
    [
        ("error: command 'gcc' failed: No such file or directory: 'gcc'", UNDECIDED),
        ("", UNDECIDED),
        ("Failed to establish a new connection: Network is unreachable", READY),
        ("OSError: [Errno 28] No space left on device", READY),
    ],
)
def test_an_installation_that_fails_speaks_against_its_service_and_an_outage_does_not(
    log: str, verdict: str
) -> None:
    error = InstallError("it could not be installed", next_step="read the log", log=log)
    service = made.service(runs=(), installs=())
    found = decide(with_refusal(service, error, made.NATIVE), made.TODAY)
    assert found.verdict == verdict
    if verdict == UNDECIDED:
        assert found.reasons == ("install: it could not be installed",)


GCC = "error: command 'gcc' failed: No such file or directory: 'gcc'"
FACTS = {"machine": "aarch64", "emulated": True, "stand_in": False, "os": "amzn 2023"}


def refused(log: str, facts: Mapping[str, Any], version: str = "0.8.0") -> ServiceEvidence:
    """A service one of whose packages has no wheel and could not be built where *facts* tell."""
    error = build_failure("HNSWlib", version, log, seconds=3.0)
    error.ran = Ran.of_facts(facts)
    place = Ran("aarch64", target=made.TARGET, asked_image=True, when=made.NATIVE.when)
    service = made.service(made.SOURCE, made.WHEEL, runs=(), installs=())
    return with_refusal(service, error, place)


def test_a_build_that_fails_answers_whether_it_builds() -> None:
    found = refused(GCC, FACTS)
    (build,) = found.builds
    assert (build.package, build.version, build.succeeded) == ("hnswlib", "0.8.0", False)
    assert (build.cause, build.seconds, build.where.grade) == ("compiler", 3.0, "emulated")
    assert GCC in build.text
    answer = ask(found, made.TODAY)[1]
    assert (answer.answer, answer.text) == (NO, "hnswlib did not build (compiler)")
    told = f"hnswlib 0.8.0 not built (compiler): {GCC}"
    assert told in [evidence.text for evidence in answer.evidence]
    # pip does not always tell the version: it is that of the matrix.
    assert refused(GCC, FACTS, version="").builds == found.builds


def test_a_build_that_fails_on_a_stand_in_leaves_the_question_open() -> None:
    found = refused(GCC, {**FACTS, "stand_in": True, "differences": ["Debian, not Amazon Linux"]})
    answer = ask(found, made.TODAY)[1]
    assert answer.answer == NOT_EVALUATED
    assert answer.text.startswith("hnswlib: did not build on a stand-in (compiler); ")


def test_a_build_that_was_ended_for_its_time_leaves_the_question_open() -> None:
    overdue = overdue_build("HNSWlib", "0.8.0", OverdueCommandError("x", log=GCC), 5.0)
    overdue.ran = Ran.of_facts(FACTS)
    service = made.service(made.SOURCE, made.WHEEL, runs=(), installs=())
    found = with_refusal(service, overdue, made.NATIVE)
    assert found.builds == ()
    (finding,) = found.findings
    assert not finding.grave
    assert "hnswlib 0.8.0 was not built within 5 s (timeout)" in finding.text.lower()
    assert ask(found, made.TODAY)[1].answer == NOT_EVALUATED


def test_a_build_that_an_outage_or_x86_ended_speaks_against_nothing() -> None:
    for log, facts in (("Network is unreachable", FACTS), (GCC, {**FACTS, "machine": "x86_64"})):
        found = refused(log, facts)
        assert found.builds == ()
        assert [finding.grave for finding in found.findings] == [False]
        assert ask(found, made.TODAY)[1].text == "hnswlib: was not built"


YAML = Row("pyyaml", "6.0.2", "source", x86="wheel")
PURE = Installed("PyYAML", "6.0.2", "deploy", "pure", "p.tar.gz", "", "", True)


def uncompiled(row: Row, package: Installed, *owners: str) -> list[str]:
    """What is said of *package*, beside compiled files of *owners*."""
    matrix = WheelMatrix("api", made.TARGET, (row,))
    record = InstallRecord((package,), "the plan", "2026-11-20T10:00:00+00:00", 50.0)
    files = tuple(CompiledFile(f"{o}/a.so", "aarch64", "library", o) for o in owners)
    abi = AbiRecord("environment", "amzn 2023", "aarch64", True, files, ())
    found = list(uncompiled_findings(matrix, record, abi, made.NATIVE))
    assert not any(finding.grave for finding in found)
    return [finding.text for finding in found]


@pytest.mark.parametrize(
    ("row", "package"),
    [
        (YAML, PURE),
        (YAML, replace(PURE, state="source")),  # a wheel for this machine, with nothing compiled
        (replace(YAML, x86="source", pure_fallback=True), PURE),
        (replace(YAML, state="pure", x86="wheel", from_source=True), PURE),
    ],
)
def test_a_build_that_left_the_compiled_module_out_is_named(row: Row, package: Installed) -> None:
    (text,) = uncompiled(row, package, "numpy")
    assert text.startswith("pyyaml 6.0.2 was built without a compiled module: ")


@pytest.mark.parametrize(
    ("row", "package", "owners"),
    [
        (YAML, replace(PURE, state="source"), ("PyYAML",)),
        (replace(YAML, state="wheel"), replace(PURE, state="wheel"), ()),
        (replace(YAML, x86="source"), PURE, ()),
        (replace(YAML, state="pure", x86="pure"), PURE, ()),
        (YAML, replace(PURE, name="other"), ()),
        (YAML, replace(PURE, scope="test"), ()),
    ],
)
def test_a_build_that_left_nothing_out_is_not(
    row: Row, package: Installed, owners: tuple[str, ...]
) -> None:
    assert uncompiled(row, package, *owners) == []


CROSS = replace(BUILT, cross="gcc 12.2.0")


def test_what_was_cross_compiled_is_named_and_hinders_nothing() -> None:
    for kept in (False, True):
        record = replace(RECORD, packages=(replace(CROSS, kept=kept), PURE))
        (finding,) = cross_findings(record, made.NATIVE)
        assert finding.text.startswith("HNSWlib 0.8.0 was compiled by gcc 12.2.0 as a cross comp")
        assert (finding.package, finding.grave) == ("hnswlib", False)


def test_builds_by_a_cross_compiler_alone_do_not_show_that_a_package_builds_reliably() -> None:
    first, second = (replace(build, cross="gcc 12.2.0") for build in made.twice())
    answer = ask(made.service(made.SOURCE, builds=(first, second)), made.TODAY)[1]
    assert answer.answer == NOT_EVALUATED
    assert "cross-compiled only (gcc 12.2.0)" in answer.text
    assert "--arm64-cross off" in answer.text


def test_with_one_build_without_it_they_do_and_the_answer_says_so() -> None:
    first, second = made.twice()
    builds = (first, replace(second, cross="gcc 12.2.0"))
    answer = ask(made.service(made.SOURCE, builds=builds), made.TODAY)[1]
    assert answer.answer == YES
    assert answer.text.endswith("(builds by a cross compiler among them)")
    assert any("cross-compiled by gcc 12.2.0" in e.text for e in answer.evidence)
    without = ask(made.service(made.SOURCE, builds=(first, second)), made.TODAY)[1]
    assert "cross" not in without.text
