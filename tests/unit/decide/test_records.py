"""The records of real runs, changed in one place each: a session's gates fail and name the cause.

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
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_arm64.binary.record import AbiFinding, AbiRecord
from pytest_arm64.cli import main
from pytest_arm64.commands.report import accept
from pytest_arm64.config.project_files import read_project_files
from pytest_arm64.decide.allowances import Allowance
from pytest_arm64.decide.assessment import Assessment
from pytest_arm64.decide.baseline import Accepted, Baseline, read_baseline
from pytest_arm64.decide.evidence import ServiceEvidence
from pytest_arm64.decide.package_verdicts import ALL, NEW
from pytest_arm64.decide.questions import states
from pytest_arm64.decide.verdict import BUILD, MIGRATE, READY, REPLACE, STAY, UNDECIDED, VERDICTS
from pytest_arm64.inside.ran import Ran
from pytest_arm64.report.compare import WORSE, changes
from pytest_arm64.report.document import Report, write_report
from pytest_arm64.report.merge import merge
from pytest_arm64.run.findings import Findings

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
    """The failing gates of a session with these records, each with its text."""
    report = Report.from_json(data)
    matrices = tuple(s.matrix for s in report.services if s.matrix is not None)
    observed = {s.name: states(s, report.day) for s in report.services}
    bounded = frozenset(s.name for s in report.services if s.boundary is not None)
    known = Assessment(matrices, policy, baseline, allowances, bounded, observed, report.day)
    findings = Findings(CONFIG, known)
    shown = []
    waiting = [service.name for service in report.services]
    for service in report.services:
        waiting.remove(service.name)
        place: Any = SimpleNamespace(abi=compiled(service), ran=Ran("aarch64"))
        findings.add(known, place, service.name)
        shown += findings.gates(service.name, waiting)
    for service, verdict in zip(report.services, report.verdicts, strict=True):
        shown.append(findings.decided(service, verdict, report.day))
    return {gate.nodeid: gate.text for gate in shown if gate.text}


CONFIG: Any = SimpleNamespace(
    option=SimpleNamespace(
        collectonly=False,
        arm64_service=[],
        file_or_dir=[],
        keyword="",
        markexpr="",
        deselect=[],
    )
)
"""As of ``pytest --arm64`` with nothing selected."""


def compiled(service: ServiceEvidence) -> AbiRecord:
    """The record that the service's findings on compiled files were made of."""
    found = [one for one in service.findings if one.kind == "abi" and one.grave]
    parts = [(one, one.text.split(": ", 2)) for one in found]
    return AbiRecord(
        "environment",
        "amzn 2023",
        "aarch64",
        True,
        (),
        tuple(
            AbiFinding(path, kind, text, True, package=one.package, remedy=one.remedy)
            for one, (kind, path, text) in parts
        ),
    )


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


def golden(name: str, label: str) -> Mutation:
    """The value *name* of a test is another than on x86, which fails it."""

    def mutated(service: Service) -> None:
        test = service["runs"][0]["tests"][3]
        test.update(outcome="failed", text=f"arm64_golden: {name}: {label}")
        where = service["runs"][0]["where"]
        here = {key: where[key] for key in ("machine", "core", "emulated")}
        value = {"test": test["nodeid"], "name": name, "label": label, "ok": False, "where": here}
        service.setdefault("goldens", []).append(value)

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
NO_REFERENCE = "no reference installation"
Case = tuple[str, Mutation, str, str]
# By what happens: to which service, how, which gate fails, and words of its text.
STOPPING: dict[str, Case] = {
    "a wheel vanishes": (VALIDATOR, row("pillow", state="source"), "pillow", "→ pillow 13.0.0"),
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
        row("exifread", state="unknown", cause="no-page", detail="the index answered 503"),
        "exifread",
        "no-page: the index answered 503",
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
        of_service(matrix=None, problem="no file lists what is deployed"),
        DECISION,
        "no file lists what is deployed",
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
        golden("hash", "integer/cast"),
        DECISION,
        "1 value differs from x86: tests/",
    ),
    "a fixture fails": (SCHEDULER, of_test(outcome="error", text="E"), DECISION, "1 test failed"),
    "a test dies of SIGILL": (
        VALIDATOR,
        of_test(outcome="failed", text="killed by SIGILL (exit code 132)", died=True),
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
        golden("score", "decision changed"),
        DECISION,
        ": score (decision changed)",
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
}
# What takes evidence away that was accepted: the gate of the verdict says what does not count.
LOSING: dict[str, Case] = {
    "evidence ages": (EXIF, of_run_where(when=OLD), f"the run of {OLD} is too", "too long ago"),
    "the time of a run is lost": (
        EXIF,
        of_run_where(when=""),
        "of an unknown time is too",
        "too long ago",
    ),
    "another Python ran": (
        EXIF,
        of_run_where(differences=["Python 3.11, not 3.12"]),
        "the target's own image has changed: Python 3.11, not 3.12",
        "Python 3.11, not 3.12",
    ),
    "the run was on x86": (
        SCHEDULER,
        of_run_where(machine="x86_64"),
        "its tests ran on x86_64",
        "it was not ARM64",
    ),
    "every test is skipped": (
        SCHEDULER,
        every_test("skipped"),
        "no test passed: ",
        "no test passed",
    ),
    "the environment was another": (
        VALIDATOR,
        of_run(fits=False, misfit="it did not have numpy"),
        "its tests prove nothing: it did not have numpy",
        "it did not have numpy",
    ),
    "the run is gone": (
        VALIDATOR,
        of_service(runs=[]),
        "no test of it ran",
        "no complete and green test run",
    ),
    "the installation is gone": (
        EXIF,
        of_service(installs=[]),
        "no record of what was installed on ARM64",
        NO_REFERENCE,
    ),
    "an installation ages": (
        EXIF,
        of_install_where(when=OLD),
        f"pip's reference installation of {OLD} is too long ago",
        NO_REFERENCE,
    ),
    "an installation was on x86": (
        EXIF,
        of_install_where(machine="x86_64"),
        "no record of what was installed on ARM64",
        NO_REFERENCE,
    ),
    "another version was installed": (
        SCHEDULER,
        installed("boto3", version="1.35.71"),
        "the installed packages differ from what it deploys: boto3",
        NO_REFERENCE,
    ),
}
"""By what happens: to which service, how, words of the gate's text, and of
the verdict's reasons."""
# What makes a run weaker than the accepted one by how it was asked for. To fail it would keep
# everyone without an ARM machine from a green run; the verdict, the page and ``report diff`` tell.
WEAKER: dict[str, Case] = {
    "the run was emulated": (EXIF, of_run_where(emulated=True), "", "the tests ran emulated"),
    "the run was on a stand-in": (
        EXIF,
        of_run_where(stand_in=True, os="debian 12", asked_image=False, differences=["debian 12"]),
        "",
        "they ran on a stand-in (debian 12)",
    ),
    "another image was given": (
        EXIF,
        of_run_where(asked_image=False),
        "",
        "did not run on the requested target",
    ),
    "the run was of a part": (SCHEDULER, of_run(part="-k quick"), "", "-k quick"),
    "the tests were not asked for": (
        SCHEDULER,
        of_service(runs=[], unasked="--arm64-service exif-extractor"),
        "",
        "its tests were not selected: --arm64-service exif-extractor",
    ),
    "pip did not install it": (EXIF, of_install(installer="the plan"), "", NO_REFERENCE),
}
WEAKENING = LOSING | WEAKER


def changed(case: Case) -> Any:
    name, mutation, _, _ = case
    data = native()
    mutation(named(data, name))
    return data


@pytest.fixture(scope="module")
def native_baseline(tmp_path_factory: pytest.TempPathFactory) -> Baseline:
    """As ``report --write-baseline`` makes it of the native run."""
    root = tmp_path_factory.mktemp("repository")
    accept(Report.from_json(native()), read_project_files(root))
    baseline = read_baseline(root)
    assert baseline is not None
    return baseline


def test_there_are_enough_of_them_and_nothing_is_wrong_before(native_baseline: Baseline) -> None:
    assert len(STOPPING) + len(LOSING) >= 30
    report = Report.from_json(native())
    assert [verdict.verdict for verdict in report.verdicts] == [MIGRATE, MIGRATE, MIGRATE, STAY]
    assert gates(native()) == {}
    assert gates(native(), policy=NEW, baseline=native_baseline) == {}


@pytest.mark.parametrize("policy", [ALL, NEW])
@pytest.mark.parametrize("name", STOPPING)
def test_one_change_fails_its_gate_which_names_the_cause(
    name: str, policy: str, native_baseline: Baseline
) -> None:
    service, _, gate, cause = STOPPING[name]
    failing = gates(changed(STOPPING[name]), policy=policy, baseline=native_baseline)
    assert cause in failing[f"arm64::{service}::{gate}"]
    # One cause is told once, and no other service is touched.
    assert list(failing) == [f"arm64::{service}::{gate}"]


@pytest.mark.parametrize("name", LOSING)
def test_evidence_that_was_accepted_and_is_lost_fails_the_gate_which_names_the_cause(
    name: str, native_baseline: Baseline
) -> None:
    service, _, cause, _ = LOSING[name]
    failing = gates(changed(LOSING[name]), policy=NEW, baseline=native_baseline)
    assert list(failing) == [f"arm64::{service}::{DECISION}"]
    assert cause in failing[f"arm64::{service}::{DECISION}"]
    assert "; migrate (native) was accepted\n" in failing[f"arm64::{service}::{DECISION}"]


@pytest.mark.parametrize("name", WEAKER)
def test_a_run_that_was_asked_to_be_weaker_fails_no_gate(
    name: str, native_baseline: Baseline
) -> None:
    assert gates(changed(WEAKER[name]), policy=NEW, baseline=native_baseline) == {}
    assert gates(changed(WEAKER[name]), policy=ALL) == {}


def test_an_emulated_run_on_a_stand_in_passes_beside_the_baseline_of_a_native_one(
    native_baseline: Baseline,
) -> None:
    data = copy.deepcopy(RECORDED["after"])
    assert gates(data, policy=NEW, baseline=native_baseline) == {}
    # Its own losses it cannot explain by that.
    named(data, EXIF)["runs"] = []
    every_test("skipped")(named(data, SCHEDULER))
    failing = gates(data, policy=NEW, baseline=native_baseline)
    assert "no test of it ran" in failing[f"arm64::{EXIF}::{DECISION}"]
    assert "no test passed" in failing[f"arm64::{SCHEDULER}::{DECISION}"]


def test_without_a_baseline_only_evidence_fails_that_was_made_and_does_not_count() -> None:
    evident = {name for name, case in LOSING.items() if gates(changed(case))}
    assert evident == {
        "evidence ages",
        "the time of a run is lost",
        "the run was on x86",
        "every test is skipped",
        "the environment was another",
    }


def test_a_merged_report_is_checked_against_the_baseline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    report = Report.from_json(native())
    accept(report, read_project_files(tmp_path))
    fresh = Report.from_json(RECORDED["after"])
    write_report(merge([fresh, report], fresh.made_at), tmp_path / "tonight")
    assert main(["report", "tonight", "--format", "decisions", "--check"]) == 0
    for service in (old := native())["services"]:
        for one in (*service["runs"], *service["installs"]):
            one["where"]["when"] = OLD
    aged = merge([fresh, Report.from_json(old)], fresh.made_at)
    assert {verdict.verdict for verdict in aged.verdicts[:3]} == {READY}
    write_report(aged, tmp_path / "aged")
    capsys.readouterr()
    assert main(["report", "aged", "--format", "decisions", "--check"]) == 1
    first, *_ = capsys.readouterr().err.splitlines()
    assert first.startswith(f"pytest-arm64: {EXIF}: ready, pending a native run (emulated, on a ")
    assert f"migrate (native) was accepted: the native run of {OLD} is too long ago" in first


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


def test_what_a_boundary_excused_fails_when_it_is_taken_away(native_baseline: Baseline) -> None:
    data = native()
    of_service(boundary=None)(named(data, WORKER))
    failing = gates(data)
    assert list(failing) == [f"arm64::{WORKER}::triton"]
    assert "triton 3.5.0 has a usable wheel" in failing[f"arm64::{WORKER}::triton"]
    # What the baseline accepts of its packages it accepts behind the boundary.
    failing = gates(data, policy=NEW, baseline=native_baseline)
    assert list(failing) == [f"arm64::{WORKER}::{DECISION}"]
    assert "release 3.5.0 has a wheel" in failing[f"arm64::{WORKER}::{DECISION}"]


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
    assert list(failing) == [f"arm64::{VALIDATOR}::pillow"]
    assert gates(data, Allowance("pillow", "so it is", (EXIF,), today)) == failing | {
        f"arm64::{VALIDATOR}::pillow": gates(data)[f"arm64::{VALIDATOR}::pillow"]
    }


def test_a_baseline_accepts_what_was_there_and_nothing_worse() -> None:
    data = native()
    of_service(boundary=None)(named(data, WORKER))
    packages = {
        ("vlm-worker", data["target"], "deploy", "triton"): ("blocker", "3.1.0"),
    }
    accepted = {("vlm-worker", data["target"], DECISION): Accepted(REPLACE)}
    known = Baseline(packages, accepted)
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
