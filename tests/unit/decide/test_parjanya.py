"""The Parjanya pipeline from recorded index pages: before, with the newest versions, after."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_arm64 import cache
from pytest_arm64.audit.auditor import Auditor
from pytest_arm64.config.project_files import read_project_files
from pytest_arm64.config.services import read_services
from pytest_arm64.config.targets import shipped_targets
from pytest_arm64.cost.savings_plan import read_savings
from pytest_arm64.decide.baseline import Accepted, Baseline
from pytest_arm64.decide.gate import VERDICT, complaint, decision
from pytest_arm64.decide.package_verdicts import NEW
from pytest_arm64.decide.verdict import READY, Verdict
from pytest_arm64.index.pip_config import PipConfig
from pytest_arm64.inputs.configured import configured_service
from pytest_arm64.inside.measure.record import Measured, Record
from pytest_arm64.inside.ran import Ran
from pytest_arm64.report.document import Report
from pytest_arm64.report.page import html_page
from pytest_arm64.report.prediction import predicted
from pytest_arm64.report.savings import SavingsView, savings_view
from unit.decide import made
from unit.index.served import Played, Project, serve

EXAMPLE = Path(__file__).parents[3] / "examples" / "parjanya"


@pytest.fixture(scope="module")
def pages() -> Iterator[Played]:
    projects = {}
    for path in sorted((EXAMPLE / "pages").glob("*.json")):
        data = json.loads(path.read_text("utf-8"))
        projects[path.stem] = Project([(f, r, y) for f, r, y in data["files"]], data["requires"])
    with serve(projects) as played:
        yield played


@pytest.fixture(autouse=True)
def _alone(caches: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture(scope="module")
def after(pages: Played, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Report]:
    """The report on the pipeline as it is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cache, "cache_folder", lambda: tmp_path_factory.getbasetemp() / "parjanya")
        patch.setenv("no_proxy", "*")
        yield report_on(EXAMPLE, pages)


def report_on(folder: Path, pages: Played) -> Report:
    environ = {"NETRC": str(folder / "no-netrc")}
    config = PipConfig({"index-url": pages.url}, {}, ())
    target = shipped_targets()["al2023-python3.12"]
    files = read_project_files(folder)
    with Auditor(environ, config=config) as auditor:
        matrices = [
            auditor.matrix(configured_service(service, files, environ), target)
            for service in read_services(files)
        ]
    assert all(matrix.complete for matrix in matrices)
    return predicted(files, matrices)


def verdicts(report: Report) -> dict[str, Verdict]:
    return {verdict.service: verdict for verdict in report.verdicts}


def causes(report: Report) -> dict[str, str]:
    return {
        service.name: row.cause
        for service in report.services
        if service.matrix is not None
        for row in service.matrix.deployed
        if row.cause
    }


def test_before_one_of_four_is_compatible_and_each_other_has_its_cause(pages: Played) -> None:
    report = report_on(EXAMPLE / "before", pages)
    assert report.headline.text == "1 of 4 services compatible with ARM64 (predicted)"
    assert {name: v.verdict for name, v in verdicts(report).items()} == {
        "raw_processing": "replace",
        "clip_scoring": "stay-on-x86",
        "gpu_inference": "replace",
        "deduplication": "ready, pending a native run",
    }
    assert causes(report) == {
        "raw_processing": "wrong-python",
        "clip_scoring": "x86-only",
        "gpu_inference": "pin-predates-wheel",
    }
    assert [task.frees for task in report.backlog if task.certain] == [
        ("raw_processing",),
        ("gpu_inference",),
    ]


def test_with_the_newest_versions_what_the_pins_held_back_is_free(pages: Played) -> None:
    report = report_on(EXAMPLE / "newest", pages)
    assert report.headline.text == "3 of 4 services compatible with ARM64 (predicted)"
    assert causes(report) == {"clip_scoring": "x86-only"}


def test_after_three_of_four_are_compatible_and_the_fourth_is_declared(pages: Played) -> None:
    report = report_on(EXAMPLE, pages)
    assert report.headline.text == "3 of 4 services compatible with ARM64 (predicted)"
    worker = verdicts(report)["vlm-worker"]
    assert worker.verdict == "stay-on-x86"
    assert worker.boundary is not None
    assert worker.boundary.states == ("holds",)
    assert worker.answers[0].packages == ("triton",)
    assert report.headline.beside == ("API back end on ECS: 1 of 1 (predicted)",)
    assert report.headline.spend == "$355 of $1,295 a month (27 %)"


def test_the_back_end_is_judged_like_the_others_and_moves_no_count_of_theirs(
    pages: Played, tmp_path: Path
) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "parjanya")
    file = tmp_path / "parjanya" / "services" / "api_backend" / "requirements.txt"
    file.write_text(file.read_text("utf-8") + "triton==3.1.0\n", "utf-8")
    report = report_on(tmp_path / "parjanya", pages)
    assert report.headline.text == "3 of 4 services compatible with ARM64 (predicted)"
    assert report.headline.beside == ("API back end on ECS: 0 of 1",)
    # What belongs behind the worker's boundary is now deployed by another service as well.
    worker = verdicts(report)["vlm-worker"].boundary
    assert worker is not None
    assert worker.states == ("leaks",)


@pytest.mark.parametrize(
    ("service", "before", "after", "count"),
    [
        ("gpu_inference", "triton==3.1.0", "triton==3.5.0", 2),
        ("raw_processing", "rawpy==0.18.1", "rawpy==0.19.0", 2),
        ("clip_scoring", "intel-openmp==2024.2.1\n", "", 2),
        ("deduplication", "imagehash==4.3.1", "imagehash==4.3.1\ntriton==3.1.0", 0),
    ],
)
def test_one_pin_moves_the_number(
    pages: Played, tmp_path: Path, service: str, before: str, after: str, count: int
) -> None:
    shutil.copytree(EXAMPLE / "before", tmp_path / "before")
    file = tmp_path / "before" / service / "requirements.txt"
    text = file.read_text("utf-8")
    assert before in text
    file.write_text(text.replace(before, after), "utf-8")
    assert report_on(tmp_path / "before", pages).headline.compatible == count


def test_a_boundary_that_is_taken_away_is_work_again(pages: Played, tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "parjanya")
    manifest = tmp_path / "parjanya" / "pyproject.toml"
    lines = manifest.read_text("utf-8").splitlines()
    manifest.write_text("\n".join(x for x in lines if not x.startswith("boundary")), "utf-8")
    report = report_on(tmp_path / "parjanya", pages)
    assert verdicts(report)["vlm-worker"].verdict == "replace"
    assert [task.package for task in report.backlog] == ["triton"]


def test_an_audit_that_runs_no_test_loses_none(pages: Played) -> None:
    report = report_on(EXAMPLE, pages)
    for service, verdict in zip(report.services, report.verdicts, strict=True):
        key = (service.name, report.target, VERDICT)
        known = Baseline({}, {key: Accepted(READY, "emulated")})
        judgement = decision(service, verdict, report.day)
        assert complaint(judgement, NEW, known, report.target) == "", service.name


def savings_on(report: Report, prices: Path | None = None) -> SavingsView:
    return savings_view(report, read_savings(EXAMPLE / "savings.toml", prices))


def months(savings: SavingsView) -> dict[str, str]:
    return {line.name: line.amount for line in savings.lines}


def test_the_four_parts_of_the_savings_and_what_of_them_is_due_to_arm(after: Report) -> None:
    """A fifth of the functions' bills and of 720 calls a day, two gateways, and GPU hours."""
    savings = savings_on(after)
    assert months(savings) == {
        "EXIF extractor on ARM instead of x86": "$12.00",
        "Technical validator on ARM instead of x86": "$36.00",
        "Scheduler on ARM instead of x86": "$0.0072",
        "One NAT gateway instead of three": "$64.80",
        "GPU calls avoided": "$234.73",
        "Fewer functions and native builds to look after": "no number",
    }
    assert (savings.due_to_arm, savings.otherwise, savings.share) == ("$48.01", "$299.53", "14 %")
    assert {f.basis for line in savings.lines for f in line.figures} == {"given", "assumed"}


def test_the_page_shows_what_was_before_and_every_number_with_its_basis(
    pages: Played, after: Report
) -> None:
    page = html_page(after, report_on(EXAMPLE / "before", pages), savings_on(after))
    assert "Before: 1 of 4 services compatible with ARM64 (predicted)" in page
    assert page.index("3 of 4 services compatible") < page.index("Before: 1 of 4")
    assert "$48.01 (14 %) due to ARM, $299.53 from what was changed along with it" in page
    assert re.search(r'calls a day: 720 <span class="badge dull"[^>]*>given</span>', page)
    assert re.search(r'seconds a call: 0\.2 <span class="badge warn"[^>]*>assumed</span>', page)
    assert "about 65 $ a month" in page


def test_one_price_moves_the_saving(after: Report, tmp_path: Path) -> None:
    own = tmp_path / "prices.toml"
    own.write_text(
        'format = 1\n[vpc.us-east-1]\nas-of = 2026-12-01\nsource = "x"\nnat-gateway = "0.09"\n'
    )
    moved = savings_on(after, own)
    assert months(moved)["One NAT gateway instead of three"] == "$129.60"
    assert (moved.due_to_arm, moved.otherwise) == ("$48.01", "$364.33")


def test_one_pin_takes_a_saving_away(pages: Played, tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "parjanya")
    pins = tmp_path / "parjanya" / "services" / "scheduler" / "requirements.txt"
    pins.write_text(pins.read_text("utf-8") + "triton==3.1.0\n", "utf-8")
    moved = savings_on(report_on(tmp_path / "parjanya", pages))
    assert months(moved)["Scheduler on ARM instead of x86"] == "no number"
    (note,) = [line.note for line in moved.lines if line.name.startswith("Scheduler")]
    assert note == "not counted: scheduler is not compatible with ARM64"
    assert moved.due_to_arm == "$48.00"


def test_a_native_measurement_takes_the_place_of_what_was_assumed(after: Report) -> None:
    test = "test_function.py::test_a_tick"
    plan = read_savings(EXAMPLE / "savings.toml")
    (number,) = [n for n, s in enumerate(plan.savings) if s.name.startswith("Scheduler")]
    tick = plan.savings[number]
    figures = (*tick.figures[:-1], replace(tick.figures[-1], measured=f"{test}: handler"))
    savings = list(plan.savings)
    savings[number] = replace(tick, figures=figures)
    plan = replace(plan, savings=tuple(savings))

    def shown(where: Ran, *, disturbed: str = "") -> tuple[str, str, str]:
        record = Record("handler", "call", (0.03, 0.04, 0.05), disturbed=disturbed)
        first = replace(after.services[0], measured=(Measured(test, where, (record,)),))
        view = savings_view(replace(after, services=(first, *after.services[1:])), plan)
        (line,) = [line for line in view.lines if line.name.startswith("Scheduler")]
        return line.figures[-1].value, line.figures[-1].basis, line.amount

    assert shown(made.NATIVE) == ("0.04", "measured", "$0.0014")
    assert shown(made.EMULATED) == ("0.2", "assumed", "$0.0072")
    assert shown(made.NATIVE, disturbed="coverage") == ("0.2", "assumed", "$0.0072")
