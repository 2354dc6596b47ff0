"""``--arm64-try`` with all three sessions on this machine; the place knows what the change does."""

from __future__ import annotations

import json
from pathlib import Path

from fidelity.harness import Case, MakeCase, Result
from pytest_arm64.report.document import read_report

SUITE = """
    import os, pytest
    WHERE = os.environ["WHERE"]
    LOCKED, X86 = WHERE == "linux/amd64", WHERE.startswith("linux/amd64")
    def test_plain(): pass
"""
GOLDEN = """
    def test_same(arm64_golden): arm64_golden.check([1, 2.5, "a"])
"""
TRY = "--arm64-try=psutil==6.0.0"


def tried(case: Case, *arguments: str) -> Result:
    return case.mirrored([TRY, *arguments])


def test_a_change_that_changes_nothing_is_equal_everywhere(project: MakeCase) -> None:
    case = project(SUITE + GOLDEN)
    result = tried(case, "--arm64-report=out", "-v")
    assert result.code == 0, result.text
    assert "arm64: tried psutil==6.0.0 (project)" in result.text
    assert "x86 with the change: 2 tests and 1 golden equal" in result.text
    assert "ARM64 with the change: 2 tests and 1 golden equal" in result.text
    assert "arm64::project::decision:trial PASSED" in result.text
    (service,) = read_report(case.project / "out").services
    (trial,) = service.trials
    assert trial.sound
    assert not service.runs
    document = json.loads((case.project / "out/report.json").read_text())
    assert document["services"][0]["trials"][0]["result"] == "2 tests and 1 golden equal"


def test_what_breaks_differs_and_is_mended_is_said_of_each_side(project: MakeCase) -> None:
    code = f"""{SUITE}
    def test_breaks_on_x86(): assert LOCKED or not X86, "x86 alone"
    def test_breaks_on_arm(): assert X86
    def test_mended(): assert not LOCKED
    @pytest.mark.skipif(not X86, reason="x86 only")
    def test_skipped(): pass
    if X86:
        def test_not_there(): pass
    """
    result = tried(project(code))
    assert result.code == 1
    x86, _, arm = result.text.partition("ARM64 with the change:")
    assert "x86 with the change: breaks 1, fixes 1, 4 tests equal" in x86
    assert "breaks test_it.py::test_breaks_on_x86: passed → failed: AssertionError: x86" in x86
    assert "fixes test_it.py::test_mended: failed → passed" in x86
    assert "breaks test_it.py::test_breaks_on_arm: passed → failed" in arm
    assert "breaks test_it.py::test_not_there: passed → not collected" in arm
    assert "differs test_it.py::test_skipped: passed → skipped" in arm
    assert "FAILED arm64::project::decision:trial" in result.text


def test_a_golden_value_that_breaks_is_named_with_its_class(project: MakeCase) -> None:
    code = SUITE + "    def test_value(arm64_golden): arm64_golden.check(1 if LOCKED else 2)\n"
    result = tried(project(code))
    assert result.code == 1
    for side in ("x86", "ARM64"):
        assert f"{side} with the change: breaks 1, 1 test equal" in result.text
    line = "breaks golden '0' of test_it.py::test_value: equal → integer/cast: integer/cast"
    assert line in result.text


def test_what_breaks_on_x86_alone_fails_the_run(project: MakeCase) -> None:
    code = SUITE + "    def test_x86(): assert LOCKED or not X86\n"
    result = tried(project(code))
    assert result.code == 1
    assert "breaks 1 on x86: test_it.py::test_x86" in result.text
    assert "1 failed, 2 passed" in result.text


def test_a_test_that_differs_from_itself_is_no_effect(project: MakeCase) -> None:
    code = (
        SUITE
        + """
    def test_flaky():
        import pathlib
        counter = pathlib.Path(os.environ["PYTEST_ARM64_OUT"], "counter")
        runs = int(counter.read_text()) if counter.exists() else 0
        counter.write_text(str(runs + 1))
        assert LOCKED or not X86 or runs > 0
    """
    )
    result = tried(project(code))
    assert result.code == 0, result.text
    assert "flaky: test_it.py::test_flaky differs from itself: no effect" in result.text


def test_a_session_that_does_not_end_makes_the_trial_incomplete(project: MakeCase) -> None:
    code = (
        SUITE
        + """
    def test_ends_the_session():
        if X86 and not LOCKED: pytest.exit("gone")
    """
    )
    result = tried(project(code))
    assert result.code == 1
    assert "incomplete: the session inside ended" in result.text


def test_a_part_of_the_tests_is_tried_and_said_to_be_one(project: MakeCase) -> None:
    case = project(SUITE)
    assert tried(case, "test_it.py::test_plain", "--arm64-report=out").code == 0
    (service,) = read_report(Path(case.project, "out")).services
    assert service.trials[0].part
    assert not service.trials[0].whole


def test_options_that_cannot_be_obeyed_with_a_trial_are_refused(project: MakeCase) -> None:
    for option in ("--arm64-compare", "--arm64-record"):
        result = tried(project(SUITE), option)
        assert result.code == 4
        assert f"{option} and --arm64-try exclude each other" in result.text
    result = project(SUITE).mirrored(["--arm64-try=x y"])
    assert result.code == 4
    assert "--arm64-try 'x y' is not a change" in result.text
    result = project(SUITE).native([TRY])
    assert result.code == 4
    assert "--arm64-try has no effect without --arm64" in result.text
