"""``pytest-arm64 report``: what it prints and writes, how it ends, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pytest_arm64.cli import main
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
