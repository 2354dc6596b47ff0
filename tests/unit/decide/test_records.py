"""The records of real runs, changed in one place each: the gate flips and names the cause.

``tests/data/parjanya.json.xz`` holds two reports on the example pipeline as ``scripts/demo`` left
them: *before* from an index, *after* with the tests of three services, emulated on a stand-in.
There was no ARM machine: ``native`` says what one with the target's own image would have said.
"""

from __future__ import annotations

import copy
import json
import lzma
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from pytest_arm64.audit.allowances import Allowance
from pytest_arm64.audit.assess import Assessment
from pytest_arm64.audit.baseline import Baseline
from pytest_arm64.audit.verdicts import ALL, NEW
from pytest_arm64.decide.evidence import DIED
from pytest_arm64.decide.gate import decision, fails, of_findings
from pytest_arm64.decide.questions import states
from pytest_arm64.decide.verdict import BUILD, MIGRATE, READY, REPLACE, STAY, UNDECIDED, VERDICTS
from pytest_arm64.report.compare import WORSE, changes
from pytest_arm64.report.document import Report
from pytest_arm64.report.merge import merge

DATA = Path(__file__).parents[2] / "data" / "parjanya.json.xz"
RECORDED = json.loads(lzma.decompress(DATA.read_bytes()))
NAMES = ("exif-extractor", "technical-validator", "scheduler")
Service = dict[str, Any]
Mutation = Callable[[Service], None]


def native() -> Any:
    """The *after* report as a native run on what was asked would have left it."""
    data = copy.deepcopy(RECORDED["after"])
    for service in data["services"]:
        for one in (*service["runs"], *service["installs"], *service["findings"]):
            one["where"] |= {"emulated": False, "stand_in": False, "differences": []}
            one["where"] |= {"asked_image": True, "core": "graviton3", "os": "amzn 2023"}
        for install in service["installs"]:
            install["installer"] = "pip 26.3"
    return data


def named(data: Any, name: str) -> Service:
    return next(service for service in data["services"] if service["name"] == name)


def gates(
    data: Any, *allowances: Allowance, policy: str = ALL, baseline: Baseline | None = None
) -> dict[str, str]:
    """The failing gates of a run with these records, each with its text."""
    report = Report.from_json(data)
    matrices = tuple(s.matrix for s in report.services if s.matrix is not None)
    observed = {s.name: states(s, report.day) for s in report.services}
    bounded = frozenset(s.name for s in report.services if s.boundary is not None)
    known = Assessment(matrices, policy, baseline, allowances, bounded, observed, report.day)
    packages = list(known.verdicts())
    failing = {one.nodeid: one.text for one in packages if one.failed}
    for service, verdict in zip(report.services, report.verdicts, strict=True):
        passing = {p.row.name for p in packages if p.service == service.name and not p.failed}
        for one in (*of_findings(service.name, service.findings), decision(verdict, passing)):
            if fails(one, policy, baseline, report.target):
                failing[one.nodeid] = one.text
    return failing


def row(package: str, **how: Any) -> Mutation:
    """Of a service: the index says something else of *package*, and nothing was installed since."""

    def mutated(service: Service) -> None:
        rows = service["matrix"]["packages"]
        one = next(r for r in rows if (r["name"], r["scope"]) == (package, "deploy"))
        one |= how
        service["installs"] = []

    return mutated


def of_matrix(**how: Any) -> Mutation:
    return lambda service: service["matrix"].update(how)


def of_service(**how: Any) -> Mutation:
    return lambda service: service.update(how)


def of_run(**how: Any) -> Mutation:
    return lambda service: service["runs"][0].update(how)


def of_test(**how: Any) -> Mutation:
    return lambda service: service["runs"][0]["tests"][3].update(how)


def of_run_where(**how: Any) -> Mutation:
    return lambda service: service["runs"][0]["where"].update(how)


def of_install(**how: Any) -> Mutation:
    return lambda service: service["installs"][0].update(how)


def of_install_where(**how: Any) -> Mutation:
    return lambda service: service["installs"][0]["where"].update(how)


def installed(package: str, **how: Any) -> Mutation:
    def mutated(service: Service) -> None:
        packages = service["installs"][0]["packages"]
        next(p for p in packages if p["name"] == package).update(how)

    return mutated


def finding(text: str, package: str = "", kind: str = "abi") -> Mutation:
    def mutated(service: Service) -> None:
        where = service["runs"][0]["where"]
        one = {"kind": kind, "text": text, "grave": True, "where": where, "package": package}
        service["findings"].append({**one, "remedy": ""})

    return mutated


def of_boundary(**how: Any) -> Mutation:
    return lambda service: service["boundary"].update(how)


def every_test(outcome: str) -> Mutation:
    def mutated(service: Service) -> None:
        for test in service["runs"][0]["tests"]:
            test["outcome"] = outcome

    return mutated


EXIF, VALIDATOR, SCHEDULER, WORKER = (*NAMES, "vlm-worker")
OLD = "2026-08-01T00:00:00+00:00"
DECISION = "decision:verdict"
Case = tuple[str, Mutation, str, str]
# By what happens: to which service, how, which gate fails, and words of its text.
STOPPING: dict[str, Case] = {
    "a wheel vanishes": (VALIDATOR, row("pillow", state="source"), "pillow", "pillow 13.0.0 is so"),
    "its source vanishes too": (
        VALIDATOR,
        row("pillow", state="blocker", cause="not-published", detail="x86_64 alone"),
        "pillow",
        "not-published: x86_64 alone",
    ),
    "a wheel asks for a newer glibc": (
        VALIDATOR,
        row("pillow", state="blocker", cause="newer-glibc", detail="it needs glibc 2.39"),
        "pillow",
        "it needs glibc 2.39",
    ),
    "a page cannot be read": (
        EXIF,
        row("exifread", state="unknown", detail="the index answered 503"),
        "exifread",
        "exifread 3.0.0 is unknown",
    ),
    "metadata are uncertain": (
        SCHEDULER,
        row("boto3", doubt="setup.py is a program"),
        DECISION,
        "boto3: setup.py is a program",
    ),
    "a requirement file is unreadable": (
        SCHEDULER,
        of_matrix(problems=["requirements.txt: line 3"]),
        DECISION,
        "requirements.txt: line 3",
    ),
    "the matrix is gone": (
        SCHEDULER,
        of_service(matrix=None, problem="no file says what is deployed"),
        DECISION,
        "no file says what is deployed",
    ),
    "pip built what has a wheel": (
        EXIF,
        installed("exifread", state="source"),
        "exifread",
        "installed as source",
    ),
    "a test fails": (
        EXIF,
        of_test(outcome="failed", text="assert 1 == 2"),
        DECISION,
        "1 test failed",
    ),
    "a golden differs": (
        VALIDATOR,
        of_test(outcome="failed", text="arm64_golden: hash: integer/cast"),
        DECISION,
        "1 test failed (native): tests/",
    ),
    "a fixture fails": (SCHEDULER, of_test(outcome="error", text="E"), DECISION, "1 test failed"),
    "a test dies of SIGILL": (
        VALIDATOR,
        of_test(outcome="failed", text=f"{DIED}: killed by SIGILL (exit code 132)"),
        DECISION,
        "1 test killed their process (native): tests/",
    ),
    "tests vanish": (
        EXIF,
        of_run(problems=["3 tests were collected and never finished"]),
        DECISION,
        "never finished",
    ),
    "the session never ends": (
        SCHEDULER,
        of_run(problems=["the session inside is gone"]),
        DECISION,
        "the session inside is gone",
    ),
    "a symbol is too new": (
        VALIDATOR,
        finding("abi-mismatch: lib/_ufuncs.so: GLIBCXX_3.4.30 is not there", "scipy"),
        "abi:scipy",
        "GLIBCXX_3.4.30 is not there",
    ),
    "a system library is missing": (
        VALIDATOR,
        finding("missing-system-library: lib/_imaging.so: libGL.so.1 is nowhere", "pillow"),
        "abi:pillow",
        "libGL.so.1 is nowhere",
    ),
    "an x86 library is vendored": (
        SCHEDULER,
        finding("wrong-architecture: vendor/libfast.so: x86_64"),
        "abi:libfast.so",
        "vendor/libfast.so: x86_64",
    ),
    "a score crosses its threshold": (
        VALIDATOR,
        finding("score 0.49 fell below 0.5", kind="golden"),
        DECISION,
        "golden: score 0.49 fell below 0.5",
    ),
    "a review is overdue": (
        WORKER,
        of_boundary(review="2026-11-01"),
        "decision:boundary",
        "its review was due on 2026-11-01",
    ),
    "a package leaks": (
        WORKER,
        of_service(leaks=["scheduler deploys triton 3.1.0"]),
        "decision:boundary",
        "scheduler deploys triton 3.1.0",
    ),
    "an import leaks": (
        WORKER,
        of_service(leaks=["scheduler imports triton (scheduler.py:3)"]),
        "decision:boundary",
        "scheduler imports triton (scheduler.py:3)",
    ),
    "a boundary is taken away": (WORKER, of_service(boundary=None), DECISION, "release 3.5.0 has"),
}
# What takes evidence away: the comparison with the former report fails, the verdict says why.
WEAKENING: dict[str, Case] = {
    "evidence ages": (EXIF, of_run_where(when=OLD), "", "too long ago"),
    "the time of a run is lost": (EXIF, of_run_where(when=""), "", "too long ago"),
    "the run was emulated": (EXIF, of_run_where(emulated=True), "", "the tests ran emulated"),
    "the run was on a stand-in": (
        EXIF,
        of_run_where(stand_in=True, os="debian 12"),
        "",
        "they ran on a stand-in (debian 12)",
    ),
    "another image was given": (EXIF, of_run_where(asked_image=False), "", "otherwise than asked"),
    "another Python ran": (
        EXIF,
        of_run_where(differences=["Python 3.11, not 3.12"]),
        "",
        "Python 3.11, not 3.12",
    ),
    "the run was on x86": (SCHEDULER, of_run_where(machine="x86_64"), "", "it was not ARM64"),
    "the run was of a part": (SCHEDULER, of_run(part="-k quick"), "", "-k quick"),
    "every test is skipped": (SCHEDULER, every_test("skipped"), "", "no test passed"),
    "the environment was another": (
        VALIDATOR,
        of_run(fits=False, misfit="it did not have numpy"),
        "",
        "it did not have numpy",
    ),
    "the run is gone": (VALIDATOR, of_service(runs=[]), "", "no complete and green test run"),
    "the installation is gone": (EXIF, of_service(installs=[]), "", "no reference installation"),
    "pip did not install it": (EXIF, of_install(installer="the plan"), "", "no reference install"),
    "an installation ages": (EXIF, of_install_where(when=OLD), "", "no reference installation"),
    "an installation was emulated on x86": (
        EXIF,
        of_install_where(machine="x86_64"),
        "",
        "no reference installation",
    ),
    "another version was installed": (
        SCHEDULER,
        installed("boto3", version="1.35.71"),
        "",
        "no reference installation",
    ),
}


def changed(case: Case) -> Any:
    name, mutation, _, _ = case
    data = native()
    mutation(named(data, name))
    return data


def test_there_are_enough_of_them_and_nothing_is_wrong_before() -> None:
    assert len(STOPPING) + len(WEAKENING) >= 30
    report = Report.from_json(native())
    assert [verdict.verdict for verdict in report.verdicts] == [MIGRATE, MIGRATE, MIGRATE, STAY]
    assert gates(native()) == {}


@pytest.mark.parametrize("name", STOPPING)
def test_one_change_fails_its_gate_which_names_the_cause(name: str) -> None:
    service, _, gate, cause = STOPPING[name]
    failing = gates(changed(STOPPING[name]))
    assert cause in failing[f"arm64::{service}::{gate}"]
    # The service's verdict follows, and no other service is touched.
    assert {nodeid.split("::")[1] for nodeid in failing} == {service}
    assert any("::decision:" in nodeid for nodeid in failing)


# What is wrong with a boundary changes no verdict: to stay it is, before and after.
COMPARED = {name: case for name, case in (STOPPING | WEAKENING).items() if case[0] != WORKER}


@pytest.mark.parametrize("name", COMPARED)
def test_the_comparison_with_the_report_before_fails_and_names_the_service(name: str) -> None:
    case = COMPARED[name]
    found = changes(Report.from_json(native()), Report.from_json(changed(case)))
    assert found[0].direction == WORSE
    assert {change.service for change in found} == {case[0]}


@pytest.mark.parametrize("name", WEAKENING)
def test_evidence_that_is_lost_takes_migrate_away_and_says_why(name: str) -> None:
    service, _, _, cause = WEAKENING[name]
    report = Report.from_json(changed(WEAKENING[name]))
    verdict = next(v for v in report.verdicts if v.service == service)
    assert verdict.verdict == READY
    assert any(cause in reason for reason in verdict.reasons), verdict.reasons


def test_an_allowance_holds_until_it_expires_and_for_its_service_alone() -> None:
    data = changed(STOPPING["a wheel vanishes"])
    today = Report.from_json(data).day
    allowed = Allowance("pillow", "it builds in 40 s", (VALIDATOR,), today)
    assert gates(data, allowed) == {}
    expired = Allowance("pillow", "it builds in 40 s", (VALIDATOR,), today - timedelta(days=1))
    failing = gates(data, expired)
    assert (
        f"that was allowed until {today - timedelta(days=1)}"
        in failing[f"arm64::{VALIDATOR}::pillow"]
    )
    assert f"arm64::{VALIDATOR}::{DECISION}" in failing
    assert gates(data, Allowance("pillow", "so it is", (EXIF,), today)) == failing | {
        f"arm64::{VALIDATOR}::pillow": gates(data)[f"arm64::{VALIDATOR}::pillow"]
    }


def test_a_baseline_accepts_what_was_there_and_nothing_worse() -> None:
    data = changed(STOPPING["a boundary is taken away"])
    packages = {
        ("vlm-worker", data["target"], "deploy", "triton"): ("blocker", "3.1.0"),
    }
    known = Baseline(packages, {("vlm-worker", data["target"], DECISION): REPLACE})
    assert gates(data, policy=NEW, baseline=known) == {}
    named(data, WORKER)["matrix"]["packages"][1]["state"] = "blocker"
    assert "arm64::vlm-worker::numpy" in gates(data, policy=NEW, baseline=known)


def as_recorded() -> Iterator[tuple[str, str]]:
    for data in RECORDED.values():
        for verdict in Report.from_json(data).verdicts:
            yield verdict.service, verdict.verdict


def built_twice() -> Any:
    """Pillow has no wheel any more, and two native sessions have built it."""
    data = changed(STOPPING["a wheel vanishes"])
    service = named(data, VALIDATOR)
    where = service["runs"][0]["where"]
    build = {
        "package": "pillow",
        "version": "13.0.0",
        "succeeded": True,
        "text": "",
        "seconds": 9.0,
    }
    service["builds"] = [
        {**build, "where": where},
        {**build, "where": {**where, "when": "2026-11-20T10:00:00+00:00"}},
    ]
    return data


def test_every_verdict_is_reached_from_records() -> None:
    found = set(as_recorded())
    assert ("exif-extractor", READY) in found
    assert ("gpu_inference", REPLACE) in found
    assert ("clip_scoring", STAY) in found
    verdicts = {verdict for _, verdict in found}
    verdicts |= {verdict.verdict for verdict in Report.from_json(native()).verdicts}
    twice = Report.from_json(built_twice())
    verdicts |= {verdict.verdict for verdict in twice.verdicts}
    once = built_twice()
    named(once, VALIDATOR)["builds"].pop()
    by_name = {v.service: v.verdict for v in Report.from_json(once).verdicts}
    assert by_name[VALIDATOR] == UNDECIDED
    assert verdicts | {UNDECIDED} == set(VERDICTS)
    assert BUILD in verdicts


def test_no_emulated_record_migrates_whatever_its_age() -> None:
    report = Report.from_json(RECORDED["after"])
    assert MIGRATE not in {verdict.verdict for verdict in report.verdicts}
    # With the native run of a night it does, for as long as that is fresh.
    both = merge([report, Report.from_json(native())], report.made_at)
    assert [v.verdict for v in both.verdicts][:3] == [MIGRATE] * 3
    later = (date(2026, 11, 23) + timedelta(days=120)).isoformat()
    late = merge([report, Report.from_json(native())], f"{later}T00:00:00+00:00")
    assert [v.verdict for v in late.verdicts][:3] == [READY] * 3
