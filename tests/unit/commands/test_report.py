"""``pytest-arm64 report``: what it prints and writes, how it ends, and what it refuses."""

from __future__ import annotations

import csv
import io
import sys
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest

from pytest_arm64.cli import main
from pytest_arm64.decide.evidence import TestOutcome
from pytest_arm64.report.document import Report, read_report, write_report
from unit.decide import made
from unit.report.made_reports import EVIL, MADE_AT, hostile, ordinary


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_report(ordinary(), tmp_path / "out")
    write_report(Report(made.TARGET, MADE_AT, (made.service(),)), tmp_path / "good")
    return tmp_path


def test_page_and_text_are_written_beside_the_report(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(folder / "out")]) == 0
    assert sorted(path.name for path in (folder / "out").iterdir()) == [
        *("report.html", "report.json", "report.md")
    ]
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("1 of 3 services compatible with ARM64 (native); $100 of $200")
    assert lines[1:4] == [
        "  api: migrate (native)",
        "  worker: stay-on-x86 (predicted)",
        "  search: undecided (predicted)",
    ]
    assert main(["report", str(folder / "out" / "report.json"), "--output", str(folder / "x")]) == 0
    assert (folder / "x" / "report.html").read_text("utf-8").startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("form", "begin"),
    [
        ("markdown", "## 1 of 3 services"),
        ("summary", "## 1 of 3 services"),
        ("sarif", '{\n "$schema"'),
        ("html", "<!DOCTYPE html>"),
        ("decisions", "# What stays on x86, and why"),
    ],
)
def test_one_form_is_printed_and_nothing_written(
    folder: Path, capsys: pytest.CaptureFixture[str], form: str, begin: str
) -> None:
    assert main(["report", str(folder / "out"), "--format", form]) == 0
    assert capsys.readouterr().out.startswith(begin)
    assert [path.name for path in (folder / "out").iterdir()] == ["report.json"]


def test_what_changed_since_an_earlier_report_stands_first(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["report", str(folder / "out"), "--format", "markdown"]
    assert main([*words, "--against", str(folder / "good")]) == 0
    text = capsys.readouterr().out
    assert text.index("### Changed") < text.index("| service | verdict")
    assert "| other | worker | service |" in text


SAVINGS = """
format = 1
[[saving]]
part = "network"
name = "NAT | gateways"
price = "vpc.nat-gateway"
figures = [{ name = "hours", value = "1440", basis = "assumed" }]
[[saving]]
part = "compute"
name = "a search that is not compatible"
service = "search"
"""


def test_planned_savings_and_what_was_before_are_on_the_page_and_in_the_text(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = folder / "savings.toml"
    plan.write_text(SAVINGS)
    words = ["report", str(folder / "out"), "--savings", str(plan)]
    assert main([*words, "--against", str(folder / "good")]) == 0
    page = (folder / "out" / "report.html").read_text("utf-8")
    text = (folder / "out" / "report.md").read_text("utf-8")
    assert "Before: 1 of 1 service compatible with ARM64 (native)" in page
    for written in (page, text):
        assert "$64.80" in written
        assert "not counted: search is not compatible with ARM64" in written
    assert "NAT | gateways" not in text
    capsys.readouterr()
    assert main([*words, "--format", "html"]) == 0
    assert capsys.readouterr().out.count('<section id="savings"') == 1
    assert main(["report", str(folder / "out")]) == 0
    assert "Savings by part" not in (folder / "out" / "report.md").read_text("utf-8")


def test_a_check_fails_for_what_is_neither_compatible_nor_declared(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(folder / "good"), "--check"]) == 0
    assert main(["report", str(folder / "out"), "--check"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("pytest-arm64: search: undecided (predicted): no usable ARM64 wheel")


def test_a_comparison_ends_with_1_where_something_is_worse(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = made.service(runs=(made.run(made.NATIVE, "failed", "passed"),))
    write_report(Report(made.TARGET, MADE_AT, (bad,)), folder / "bad")
    good, worse = str(folder / "good"), str(folder / "bad")
    assert main(["report", "diff", good, worse]) == 1
    assert "  worse: api: migrate (native) → undecided (native)" in capsys.readouterr().out
    assert main(["report", "diff", worse, good]) == 0
    assert main(["report", "diff", good, worse, "--format", "markdown"]) == 1
    assert "| worse | api | verdict |" in capsys.readouterr().out


def test_merged_reports_are_one(folder: Path) -> None:
    other = replace(made.service(), name="other")
    write_report(Report(made.TARGET, MADE_AT, (other,)), folder / "other")
    parts = [str(folder / name) for name in ("good", "other")]
    assert main(["report", "merge", *parts, "--output", str(folder / "both")]) == 0
    assert [service.name for service in read_report(folder / "both").services] == ["api", "other"]
    assert (folder / "both" / "report.html").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["absent"], "cannot be read"),
        (["out", "good"], "one report at a time"),
        (["diff", "out"], "needs two reports"),
        (["merge", "out"], "needs reports and a folder"),
        (["merge", "--output", "x"], "needs reports and a folder"),
        (["out", "--output", "out/report.json"], "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_told_with_a_next_step(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(folder)
    assert main(["report", *words]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "next step: " in error


def test_no_name_commands_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_report(hostile(), tmp_path)
    assert main(["report", str(tmp_path), "--check"]) == 1
    shown = capsys.readouterr()
    assert "\x1b" not in shown.out + shown.err
    assert EVIL.replace("\x1b", "?") in shown.out


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_spreadsheet_has_a_row_for_each_service(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(folder / "out"), "--format", "csv"]) == 0
    api, worker, search = rows_of(capsys.readouterr().out)
    assert [row["service"] for row in (api, worker, search)] == ["api", "worker", "search"]
    assert (api["verdict"], api["evidence"], api["compatible"]) == ("migrate", "native", "yes")
    assert (api["in the way"], api["date"], api["target"]) == ("", "2026-11-23", made.TARGET)
    assert (api["USD a month"], search["USD a month"]) == ("100.0", "")
    assert (worker["verdict"], worker["compatible"]) == ("stay-on-x86", "no")
    assert worker["in the way"]
    assert (worker["packages"], worker["packages not ready"]) == ("1", "1")
    assert (worker["tests passed"], worker["ran on"]) == ("", "")
    assert int(api["tests passed"]) > 0
    assert [path.name for path in (folder / "out").iterdir()] == ["report.json"]


def test_a_workbook_has_a_sheet_of_services_and_one_of_packages(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(folder / "out"), "--format", "xlsx"]) == 0
    path = folder / "out" / "report.xlsx"
    assert capsys.readouterr().out == f"wrote {path}\n"
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["services", "packages"]
    header, *services = book["services"].iter_rows(values_only=True)
    assert [row[0] for row in services] == ["api", "worker", "search"]
    assert services[0][header.index("USD a month")] == 100
    header, *packages = book["packages"].iter_rows(values_only=True)
    worker = next(row for row in packages if row[0] == "worker")
    assert worker[1:3] == (made.BLOCKER.name, made.BLOCKER.version)
    assert worker[header.index("state")] == "blocker"


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t=", "\r=", "\n=", "\uff1d"])
def test_no_text_of_a_package_is_a_formula_in_a_spreadsheet(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], begin: str
) -> None:
    evil = f'{begin}HYPERLINK("http://x","y")'
    row = replace(made.BLOCKER, name=evil, version=evil, detail=evil, path=(evil,))
    service = replace(made.service(row), name=evil, group=evil, monthly_cost=3.0)
    write_report(Report(evil, MADE_AT, (service,)), tmp_path)
    assert main(["report", str(tmp_path), "--format", "csv"]) == 0
    (shown,) = rows_of(capsys.readouterr().out)
    assert shown["USD a month"] == "3.0"
    assert not [v for v in shown.values() if v[:1] in ("=", "+", "-", "@", "\t", "\r", "\uff1d")]
    assert main(["report", str(tmp_path), "--format", "xlsx"]) == 0
    for sheet in openpyxl.load_workbook(tmp_path / "report.xlsx"):
        kinds = {cell.data_type for line in sheet.iter_rows() for cell in line}
        assert kinds <= {"s", "n"}  # texts and numbers; a formula is "f"


@pytest.mark.parametrize("name", ["a;=1+1;b", "a; @SUM(1)", "a;;-1", " =1+1", "a;\uff1d1"])
def test_no_cell_begins_as_a_formula_where_semicolons_separate_cells(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    test = TestOutcome(f"test_it.py::test[{name}]", "failed")
    run = replace(made.run(made.NATIVE), tests=(test,))
    service = replace(made.service(), group=name, runs=(run,))
    write_report(Report(made.TARGET, MADE_AT, (service,)), tmp_path)
    assert main(["report", str(tmp_path), "--format", "csv"]) == 0
    cells = capsys.readouterr().out.replace(",", ";").replace('"', "").split(";")
    assert not [cell for cell in cells if cell.lstrip()[:1] in ("=", "+", "-", "@", "\uff1d")]


def test_a_report_with_hostile_names_is_a_readable_workbook(tmp_path: Path) -> None:
    write_report(hostile(), tmp_path)
    assert main(["report", str(tmp_path), "--format", "xlsx"]) == 0
    sheet = openpyxl.load_workbook(tmp_path / "report.xlsx")["services"]
    assert sheet.max_row == 3


def test_a_workbook_without_its_library_is_refused_with_the_line_that_installs_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    assert main(["report", str(folder / "out"), "--format", "xlsx"]) == 2
    assert "pip install 'pytest-arm64[xlsx]'" in capsys.readouterr().err
    assert [path.name for path in (folder / "out").iterdir()] == ["report.json"]


def test_failed_tests_of_a_service_are_counted_in_a_spreadsheet(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outcomes = ("passed", "passed", "failed", "error", "skipped")
    tests = tuple(TestOutcome(f"t.py::{n}", word) for n, word in enumerate(outcomes))
    broken = made.service(runs=(replace(made.run(), tests=tests),))
    write_report(Report(made.TARGET, MADE_AT, (broken,)), tmp_path)
    assert main(["report", str(tmp_path), "--format", "csv"]) == 0
    (shown,) = rows_of(capsys.readouterr().out)
    assert (shown["tests passed"], shown["tests failed"]) == ("2", "2")
    assert shown["ran on"].startswith("aarch64, native, graviton3")
    assert shown["in the way"]
