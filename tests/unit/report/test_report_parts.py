"""Comparing, merging and writing of reports as Markdown."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from pytest_arm64.binary.mapped import Mapped
from pytest_arm64.decide.evidence import Finding, TestOutcome, TestRun
from pytest_arm64.decide.verdict import MIGRATE, READY, UNDECIDED
from pytest_arm64.errors import ReportError
from pytest_arm64.inside.ran import Ran
from pytest_arm64.report.compare import BETTER, OTHER, WORSE, changes
from pytest_arm64.report.document import Report
from pytest_arm64.report.markdown import COMMENT_BYTES, SUMMARY_BYTES, report_markdown
from pytest_arm64.report.merge import merge
from pytest_arm64.report.page import html_page
from pytest_arm64.report.spreadsheets import services
from unit.decide import made
from unit.report.made_reports import (
    ARM,
    EMULATED,
    EVIL,
    MADE_AT,
    golden,
    hostile,
    measured,
    ordinary,
    shown,
)


def report(*services: object, made_at: str = MADE_AT, target: str = made.TARGET) -> Report:
    return Report(target, made_at, tuple(services))  # type: ignore[arg-type]


class TestCompare:
    def test_nothing_changed(self) -> None:
        assert changes(ordinary(), ordinary()) == ()

    def test_what_is_worse_stands_first(self) -> None:
        before = report(made.service(), replace(made.service(made.MOVABLE), name="b"))
        failing = made.service(runs=(made.run(made.NATIVE, "failed", "passed"),))
        after = report(failing, replace(made.service(), name="b"), replace(failing, name="new"))
        found = [
            (c.direction, c.service, c.what, c.before, c.after) for c in changes(before, after)
        ]
        assert found == [
            (WORSE, "api", "verdict", "migrate (native)", "undecided (native)"),
            (WORSE, "api", "test", "passed", "failed"),
            (BETTER, "b", "verdict", "replace (predicted)", "migrate (native)"),
            (OTHER, "b", "package", "", "2.1.3 wheel"),
            (OTHER, "b", "package", "", "1.16.0 pure"),
            (OTHER, "b", "package", "3.1.0 blocker", ""),
            (OTHER, "new", "service", "", "undecided (native)"),
        ]

    def test_a_weaker_grade_is_worse(self) -> None:
        before = report(made.service(runs=(made.run(made.EMULATED),)))
        after = report(made.service(runs=(made.run(made.STAND_IN),)))
        (found,) = changes(before, after)
        assert (found.what, found.direction) == ("grade", WORSE)

    def test_a_new_package_without_a_wheel_is_worse(self) -> None:
        before = report(made.service(made.WHEEL))
        after = report(made.service(made.WHEEL, made.BLOCKER))
        assert [c.name for c in changes(before, after) if c.direction == WORSE] == ["", "decord"]


def shard(
    when: str,
    *ids: str,
    every: str = "abc",
    known: bool = True,
    where: Ran = made.NATIVE,
    outcome: str = "passed",
) -> Report:
    """The report of a run of *ids* out of *every*."""
    left_out = tuple(nodeid for nodeid in every if nodeid not in ids) if known else None
    run = TestRun(
        replace(where, when=when),
        tuple(TestOutcome(nodeid, outcome) for nodeid in ids),
        part="--group",
        left_out=left_out,
    )
    return report(made.service(runs=(run,)))


class TestMerge:
    def test_an_emulated_run_and_a_native_one(self) -> None:
        install = made.install(made.EMULATED)
        emulated = report(made.service(runs=(made.run(made.EMULATED),), installs=(install,)))
        native = report(made.service(), made_at="2026-11-23T13:00:00+00:00")
        found = merge([native, emulated], MADE_AT)
        assert [verdict.verdict for verdict in found.verdicts] == [MIGRATE]
        assert len(found.services[0].runs) == 2
        assert merge([found, native, emulated], MADE_AT) == found

    def test_two_builds_of_two_runs_are_reliable(self) -> None:
        first, second = (
            report(made.service(made.SOURCE, builds=(build,))) for build in made.twice()
        )
        assert first.verdicts[0].verdict == UNDECIDED
        assert merge([first, first], MADE_AT).verdicts[0].verdict == UNDECIDED
        assert merge([first, second], MADE_AT).verdicts[0].verdict == "build-from-source"

    def test_a_run_of_other_packages_counts_no_more(self) -> None:
        moved = replace(made.WHEEL, version="2.2.0")
        newer = report(
            made.service(moved, made.PURE, runs=(), installs=()),
            made_at="2026-11-23T13:00:00+00:00",
        )
        found = merge([report(made.service()), newer], MADE_AT)
        assert found.verdicts[0].verdict == READY
        assert any("has changed since" in reason for reason in found.verdicts[0].reasons)

    def test_reports_of_other_locks_are_named_and_nothing_of_them_counts(self) -> None:
        moved = replace(made.WHEEL, version="2.2.0")
        broken = Finding("abi", "a.so: for another machine", grave=True, where=made.NATIVE)
        older = report(replace(made.service(), findings=(broken,), goldens=(golden(),)))
        newer = report(made.service(moved, made.PURE), made_at="2026-11-23T13:00:00+00:00")
        later = "2026-11-23T14:00:00+00:00"
        for found in (merge([older, newer], later), merge([newer, older, newer], later)):
            assert found.notes == (
                f"api: the report of {MADE_AT} is of other releases and does not count: "
                "numpy 2.1.3 instead of 2.2.0",
            )
            assert (found.services[0].findings, found.services[0].goldens) == ((), ())
            assert merge([found, older], later).notes == found.notes

    def test_packages_that_one_lock_has_and_the_other_has_not_are_named(self) -> None:
        older = report(made.service(made.WHEEL))
        newer = report(made.service(made.PURE), made_at="2026-11-23T13:00:00+00:00")
        (note,) = merge([older, newer], MADE_AT).notes
        assert note.endswith("numpy 2.1.3 instead of no release; no release of six, now 1.16.0")

    def test_reports_of_one_lock_have_no_note(self) -> None:
        newer = report(made.service(), made_at="2026-11-23T13:00:00+00:00")
        assert merge([report(made.service()), newer], MADE_AT).notes == ()

    def test_services_of_several_reports_stand_together(self) -> None:
        other = replace(made.service(), name="other")
        found = merge([report(made.service()), report(other)], MADE_AT)
        assert found.headline.text == "2 of 2 services compatible with ARM64 (native)"

    def test_a_report_without_a_matrix_takes_none_away(self) -> None:
        empty = made.service(matrix=None, installs=(), runs=(), problem="offline")
        found = merge([report(made.service()), report(empty, made_at="2026-11-24")], MADE_AT)
        assert found.services[0].matrix is not None
        assert found.services[0].problem == ""

    def test_what_each_has_measured_and_compared_is_kept_once(self) -> None:
        emulated = replace(made.service(), measured=(measured(EMULATED, 0.1),), goldens=(golden(),))
        native = replace(
            made.service(),
            measured=(measured(ARM, 0.02), measured(EMULATED, 0.1)),
            goldens=(golden(),),
        )
        (found,) = merge([report(emulated), report(native)], MADE_AT).services
        assert [one.where for one in found.measured] == [EMULATED, ARM]
        assert len(found.goldens) == 1

    @pytest.mark.parametrize(
        ("shards", "verdict"),
        [
            ([("a",), ("b", "c")], MIGRATE),
            ([("a", "b"), ("b", "c")], MIGRATE),
            ([("a",), ("b",)], READY),
            ([("a",)], READY),
        ],
    )
    def test_shards_that_are_all_tests_together_are_the_whole(
        self, shards: list[tuple[str, ...]], verdict: str
    ) -> None:
        reports = [shard(f"2026-11-2{n}T10:00:00+00:00", *ids) for n, ids in enumerate(shards)]
        found = merge(reports, MADE_AT)
        assert found.verdicts[0].verdict == verdict
        if verdict == MIGRATE:
            (run,) = found.services[0].runs
            assert {test.nodeid for test in run.tests} == {"a", "b", "c"}
            assert (run.where.when, run.part) == ("2026-11-20T10:00:00+00:00", "")
            assert merge([found, *reports], MADE_AT).verdicts[0].verdict == MIGRATE

    def test_shards_that_have_loaded_other_libraries_are_the_whole(self) -> None:
        library = Mapped("/opt/a.so", "elsewhere", "/opt/a.so", "a")
        first, second = (
            shard(f"2026-11-2{n}T10:00:00+00:00", *ids) for n, ids in enumerate(("a", "bc"))
        )
        (service,) = second.services
        second = report(replace(service, runs=(replace(service.runs[0], mapped=(library,)),)))
        (run,) = merge([first, second], MADE_AT).services[0].runs
        assert (run.part, run.mapped) == ("", (library,))

    def test_shards_of_other_places_or_suites_are_no_whole(self) -> None:
        first = shard("2026-11-22T10:00:00+00:00", "a", "b")
        emulated = shard("2026-11-22T11:00:00+00:00", "c", where=made.EMULATED)
        assert merge([first, emulated], MADE_AT).verdicts[0].verdict == READY
        grown = shard("2026-11-22T11:00:00+00:00", "c", every="abcd")
        assert merge([first, grown], MADE_AT).verdicts[0].verdict == READY
        named = shard("2026-11-22T11:00:00+00:00", "c", known=False)
        assert merge([first, named], MADE_AT).verdicts[0].verdict == READY

    def test_what_fails_in_one_shard_has_failed(self) -> None:
        first = shard("2026-11-22T10:00:00+00:00", "a", "b")
        other = shard("2026-11-22T11:00:00+00:00", "b", "c", outcome="failed")
        found = merge([other, first], MADE_AT)
        assert found.verdicts[0].verdict == UNDECIDED
        assert {test.nodeid: test.outcome for test in found.services[0].runs[0].tests} == {
            "a": "passed",
            "b": "failed",
            "c": "failed",
        }

    def test_several_targets_are_not_one_report(self) -> None:
        with pytest.raises(ReportError, match="different targets"):
            merge([report(made.service()), report(made.service(), target="other")], MADE_AT)

    def test_services_on_different_targets_are_one_report_that_names_them(self) -> None:
        worker = replace(made.service(), name="worker")
        found = merge([report(made.service()), report(worker, target="other")], MADE_AT)
        assert [(s.name, s.target) for s in found.services] == [
            ("api", made.TARGET),
            ("worker", "other"),
        ]
        assert found.target == f"{made.TARGET}, other"
        assert [line.partition(":")[0] for line in found.lines] == [
            f"api on {made.TARGET}",
            "worker on other",
        ]
        assert f"| api | {made.TARGET} | " in report_markdown(found)
        assert "| worker | other | " in report_markdown(found)
        assert html_page(found).count(">other<") == 2
        assert {row[13] for row in services(found).rows} == {made.TARGET, "other"}


class TestMarkdown:
    def test_what_matters_stands_first(self) -> None:
        found = changes(report(made.service()), ordinary())
        text = report_markdown(ordinary(), found)
        parts = [
            "1 of 3 services",
            "### Changed",
            "| service | verdict",
            "What to change",
            "Not ev",
        ]
        assert [text.index(part) for part in parts] == sorted(text.index(part) for part in parts)

    @pytest.mark.parametrize("limit", [1000, 5000, 64 * 1024])
    def test_it_keeps_within_its_limit(self, limit: int) -> None:
        rows = [replace(made.BLOCKER, name=f"package-{n}") for n in range(2000)]
        text = report_markdown(report(made.service(*rows)), limit=limit)
        assert len(text.encode()) <= limit
        assert "does not fit" in text

    def test_a_step_summary_has_room_for_what_a_comment_has_not(self) -> None:
        rows = [replace(made.BLOCKER, name=f"package-{n}") for n in range(700)]
        text = report_markdown(report(made.service(*rows)), limit=SUMMARY_BYTES)
        assert COMMENT_BYTES < len(text.encode()) < SUMMARY_BYTES
        assert "package-699" in text
        rows = [replace(row, detail="x" * 1600) for row in rows]
        text = report_markdown(report(made.service(*rows)), limit=SUMMARY_BYTES)
        assert len(text.encode()) <= SUMMARY_BYTES == 2**20
        assert "does not fit" in text

    def test_changed_rows_stand_within_the_limit_before_all_others(self) -> None:
        rows = [replace(made.BLOCKER, name=f"package-{n}") for n in range(700)]
        new = report(made.service(*rows, replace(made.BLOCKER, name="aaa-new")))
        text = report_markdown(new, changes(report(made.service(*rows)), new))
        assert text.index("aaa-new") < text.index("package-0 ")
        assert len(text.encode()) <= COMMENT_BYTES

    def test_what_tests_showed_besides_passing_is_told(self) -> None:
        text = report_markdown(shown())
        for part in (
            "Besides: back end: 0 of 1",
            "- integer/cast: tests/test\\_scale.py::test\\_preview: preview (aarch64 EMULATED",
            "- not built: hnswlib 0.8.0 (emulated)",
            "phash (over budget) | x86\\_64 native | 21.4 ms |",
        ):
            assert part in text

    def test_no_name_is_obeyed(self) -> None:
        text = report_markdown(hostile())
        assert "\x1b" not in text
        assert not re.search(r"(?<!\\)<(?!br>|/?details>|/?summary>)", text)
        assert "](javascript" not in text.replace("\\](", "")
        assert EVIL not in text
