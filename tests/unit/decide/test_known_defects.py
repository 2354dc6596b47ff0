"""Known defects as findings: what fails a run, what a baseline and an allowance accept."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pytest_arm64.advisories.database import KNOWN_DEFECT, KnownDefect
from pytest_arm64.audit.matrix import WheelMatrix
from pytest_arm64.cli import main
from pytest_arm64.config.project_files import read_project_files
from pytest_arm64.config.services import services_at
from pytest_arm64.decide.allowances import Allowance, read_accepted_defects
from pytest_arm64.decide.assessment import Assessment
from pytest_arm64.decide.baseline import Accepted, Baseline, read_baseline, write_baseline
from pytest_arm64.decide.gate import Judgement, complaint, of_advisories
from pytest_arm64.decide.package_verdicts import ALL, NEW, REPORT
from pytest_arm64.errors import SettingsError
from pytest_arm64.report.document import Report, write_report
from unit.decide import made
from unit.support import write

GRAVE = KnownDefect("ARM-2026-0008", "wrong-result", "wrong", "", "25.0.1", "https://x.y", True)
OPEN = replace(GRAVE, id="ARM-2026-0001", condition="it runs on neoverse-n1", grave=False)
NAME = "advisory:numpy:ARM-2026-0008"
ROW = replace(made.WHEEL, name="numpy", advisories=(GRAVE, OPEN))
KEY = ("api", made.TARGET, NAME)


def judged(matrix: WheelMatrix, *accepted: Allowance, days: int = 0) -> list[Judgement]:
    return list(of_advisories(matrix, accepted, made.TODAY + timedelta(days=days)))


def test_only_what_surely_applies_and_is_grave_is_a_finding() -> None:
    (judgement,) = judged(made.matrix(ROW))
    assert judgement.nodeid == f"arm64::api::{NAME}"
    assert (judgement.state, judgement.cause) == ("wrong-result", KNOWN_DEFECT)
    assert "→ move to numpy 25.0.1" in judgement.text
    assert judged(made.matrix(replace(ROW, advisories=(OPEN,)))) == []
    assert judged(made.matrix(replace(ROW, scope="test"))) == []


@pytest.mark.parametrize(
    ("policy", "accepted", "fails"),
    [
        (REPORT, None, False),
        (ALL, None, True),
        (NEW, None, True),
        (NEW, "wrong-result", False),
        (NEW, "abort", True),
        (ALL, "wrong-result", True),
    ],
)
def test_the_policy_and_the_baseline_decide(
    policy: str, accepted: str | None, *, fails: bool
) -> None:
    (judgement,) = judged(made.matrix(ROW))
    known = Baseline({}, {KEY: Accepted(accepted)} if accepted else {})
    assert bool(complaint(judgement, policy, known, made.TARGET)) is fails


def test_a_baseline_accepts_the_defects_that_there_are(tmp_path: Path) -> None:
    verdict = {("api", made.TARGET, "decision:verdict"): Accepted("ready")}
    write_baseline(tmp_path, [made.matrix(ROW)], findings=verdict)
    known = read_baseline(tmp_path)
    assert known is not None
    assert known.findings == {**verdict, KEY: Accepted("wrong-result")}
    # An audit knows of defects, and of nothing else that was accepted.
    write_baseline(tmp_path, [made.matrix(replace(ROW, advisories=()))])
    known = read_baseline(tmp_path)
    assert known is not None
    assert known.findings == verdict


def test_a_baseline_of_a_report_accepts_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    report = Report(made.TARGET, "2026-11-23T12:00:00+00:00", (made.service(ROW),))
    write_report(report, tmp_path / "out")
    assert main(["report", "out", "--write-baseline"]) == 0
    known = read_baseline(tmp_path)
    assert known is not None
    assert known.findings[KEY] == Accepted("wrong-result")


@pytest.mark.parametrize(("days", "tolerated"), [(0, True), (400, False)])
def test_an_allowance_tolerates_until_it_ends(days: int, *, tolerated: bool) -> None:
    end = (made.TODAY + timedelta(days=100)).isoformat()
    entry = {"id": "x_ARM-2026-0008", "reason": "no Parquet"}
    (allowance,) = read_accepted_defects({"allow-advisory": [entry]})
    allowance = replace(allowance, expires=made.TODAY + timedelta(days=100))
    (judgement,) = judged(made.matrix(ROW), allowance, days=days)
    assert bool(judgement.text) is not tolerated
    assert (end in judgement.text) is not tolerated


def test_an_allowance_is_for_its_services_and_its_id() -> None:
    entries = [
        {"id": "ARM-2026-0008", "reason": "r", "services": ["web"]},
        {"id": "ARM-2026-0001", "reason": "r"},
    ]
    (judgement,) = judged(made.matrix(ROW), *read_accepted_defects({"allow-advisory": entries}))
    assert judgement.text


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"id": "ARM-2026-0008"}, "has no reason"),
        ({"reason": "r"}, "has no id"),
        ({"package": "numpy", "id": "A-1", "reason": "r"}, "has no key 'package'"),
        ({"id": "A-1", "reason": "r", "expires": "2027-01-01"}, "must be a date"),
    ],
)
def test_an_allowance_without_sense_is_refused(entry: dict[str, object], reason: str) -> None:
    with pytest.raises(SettingsError, match=reason):
        read_accepted_defects({"allow-advisory": [entry]})


def test_an_allowance_that_nothing_needs_is_mentioned(tmp_path: Path) -> None:
    settings = '[[tool.pytest-arm64.allow-advisory]]\nid = "ARM-2026-0008"\nreason = "r"\n'
    write(tmp_path, {"pyproject.toml": settings})
    files = read_project_files(tmp_path)
    accepted = read_accepted_defects(files.table, services_at(files))
    needed = Assessment((made.matrix(ROW),), ALL, today=made.TODAY, accepted_defects=accepted)
    assert list(needed.reminders()) == []
    idle = replace(needed, matrices=(made.matrix(),))
    assert list(idle.reminders()) == ["not needed any more: ARM-2026-0008 is accepted: r"]


def test_what_is_written_can_be_read_by_others(tmp_path: Path) -> None:
    path = write_baseline(tmp_path, [made.matrix(ROW)])
    (finding,) = json.loads(path.read_text("utf-8"))["findings"]
    assert finding == {
        "service": "api",
        "target": made.TARGET,
        "finding": NAME,
        "state": "wrong-result",
    }
