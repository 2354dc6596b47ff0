"""Gates among the results of a run: reports of their own, selected as tests are."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from fidelity.harness import Case

DECISION = "arm64::api::decision:verdict"
TESTS = "def test_one(): pass\ndef test_slow_thing(): pass\n"


@pytest.fixture
def gated(tmp_path: Path) -> Case:
    return Case(tmp_path / "case", {"test_it.py": TESTS, "requirements.txt": "quick\nslow\n"})


def run(case: Case, *arguments: str) -> tuple[int, str]:
    case.write()
    process = case.start([*arguments, "-p", "gated_place"], "--arm64")
    out, _ = process.communicate(timeout=40)
    return process.returncode, out


def counted(out: str) -> str:
    return out.strip().splitlines()[-1].strip("= ").rpartition(" in ")[0]


@pytest.mark.parametrize(
    ("arguments", "code", "counts"),
    [
        ((), 1, "1 failed, 3 passed, 1 skipped"),
        (("--arm64-gate", "report"), 0, "2 passed"),
        (("-k", "slow"), 1, "1 failed, 1 passed"),
        (("-k", "quick or one"), 0, "2 passed"),
        (("-m", "not arm64"), 0, "2 passed"),
        (("--deselect", "arm64::api::slow"), 1, "1 failed, 3 passed"),
        (("--deselect", "arm64::api::slow", "--deselect", DECISION), 0, "3 passed"),
        (("test_it.py::test_one",), 0, "1 passed"),
        (("test_it.py",), 1, "1 failed, 3 passed, 1 skipped"),
        (("arm64::api::slow",), 1, "1 failed"),
        (("arm64::api",), 1, "1 failed, 1 passed"),
        (("arm64::api::quick", "test_it.py::test_one"), 0, "2 passed"),
        (("arm64::api::quick", "--arm64-gate", "report"), 0, "1 passed"),
    ],
)
def test_gates_are_selected_as_tests_are(
    gated: Case, arguments: tuple[str, ...], code: int, counts: str
) -> None:
    found, out = run(gated, "-p", "no:cacheprovider", *arguments)
    assert (found, counted(out).partition(", 1 deselected")[0]) == (code, counts), out


@pytest.mark.parametrize(
    ("arguments", "code", "counts"),
    [
        ((), 1, "2 failed, 3 passed, 1 skipped"),
        (("arm64::api::advisory:quick:A-1",), 1, "1 failed"),
        (("--deselect", "arm64::api::advisory:quick:A-1", "-k", "quick or one"), 0, "2 passed"),
        (("--arm64-gate", "report"), 0, "2 passed"),
    ],
)
def test_a_grave_known_defect_is_a_gate(
    gated: Case,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    code: int,
    counts: str,
) -> None:
    monkeypatch.setenv("GATED_PLACE_DEFECT", "1")
    found, out = run(gated, "-p", "no:cacheprovider", *arguments)
    assert (found, counted(out).partition(", 1 deselected")[0]) == (code, counts), out
    assert "quick 2.0 has a known defect, A-1: quick ends" in out or code == 0
    if "report" in arguments:
        assert "audit: quick 2.0 has a known defect, A-1: quick ends" in out


def test_gates_run_before_the_tests_and_the_verdict_after_them(gated: Case) -> None:
    _, out = run(gated, "-v")
    lines = [line.split(" ")[:2] for line in out.splitlines() if line.rstrip().endswith("%]")]
    assert [name for name, _ in lines] == [
        "arm64::api::slow",
        "arm64::api::quick",
        "test_it.py::test_one",
        "test_it.py::test_slow_thing",
        DECISION,
    ]
    assert "[100%]" in out
    code, out = run(gated, "-x")
    assert (code, counted(out)) == (1, "1 failed")
    assert "not complete" not in out


def test_a_gate_in_a_junit_file_names_the_requirement(gated: Case) -> None:
    run(gated)
    cases = ElementTree.parse(gated.folder / "junit.xml").getroot().iter("testcase")
    found = {case.get("name"): case for case in cases}
    assert set(found) == {"slow", "quick", "test_one", "test_slow_thing", "decision:verdict"}
    failure = found["slow"].find("failure")
    assert failure is not None
    assert "slow 1.0 is source on target" in str(failure.get("message"))
    skipped = found["decision:verdict"].find("skipped")
    assert skipped is not None
    assert skipped.get("message") == "undecided (predicted), see arm64::api::slow"
    assert properties(found["slow"]) == {
        "arm64.service": "api",
        "arm64.target": "target",
        "arm64.state": "source",
        "arm64.cause": "not-published",
    }
    assert properties(found["decision:verdict"]) == {
        "arm64.service": "api",
        "arm64.target": "target",
        "arm64.state": "undecided",
        "arm64.cause": "no usable ARM64 wheel: slow 1.0",
        "arm64.verdict": "undecided (predicted)",
    }


def properties(case: ElementTree.Element) -> dict[str | None, str | None]:
    return {p.get("name"): p.get("value") for p in case.iter("property")}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["arm64::api::slwo"], "no gate arm64::api::slwo (did you mean arm64::api::slow?)"),
        (["arm64::ap"], "no gate arm64::ap"),
        (["arm64::api::slow::more"], "no gate arm64::api::slow::more"),
        (["test_it.py::test_one", "arm64::api::quik"], "(did you mean arm64::api::quick?)"),
        ([DECISION], "decided after the tests"),
    ],
)
def test_a_gate_that_does_not_exist_is_refused(gated: Case, words: list[str], said: str) -> None:
    code, out = run(gated, *words)
    assert (code, said in out) == (4, True), out
    if words != [DECISION]:
        assert "    arm64::api::slow\n    arm64::api::quick\n" in out


@pytest.mark.parametrize("words", [["arm64::api::quick"], ["arm64::api::quik"], []])
def test_the_place_is_closed_before_the_interpreter_ends(gated: Case, words: list[str]) -> None:
    log = gated.folder / "temporary/log"
    gated.environment = {"GATED_PLACE_LOG": str(log)}
    run(gated, *words)
    assert log.read_text("utf-8").split() == ["closed", "ended"]


def test_what_is_reported_only_stands_below_the_results(gated: Case) -> None:
    code, out = run(gated, "--arm64-gate", "report")
    assert code == 0
    assert "arm64: audit: slow 1.0 is source on target" in out
    assert "arm64: audit of api for target: 3 packages" in out
    assert "\x1b" not in out


def test_nothing_is_run_where_things_are_only_collected(gated: Case) -> None:
    code, out = run(gated, "--collect-only", "-q")
    assert code == 0
    assert "arm64::" not in out


def test_tests_ask_for_the_matrix(gated: Case) -> None:
    text = (
        "def test_it(arm64_matrix):\n"
        "    assert arm64_matrix['slow'].state == 'source'\n"
        "    assert (len(arm64_matrix), list(arm64_matrix)) == (3, ['plain', 'quick', 'slow'])\n"
        "    assert 'other' not in arm64_matrix\n"
        "    assert arm64_matrix.target == 'target' and not arm64_matrix.ready\n"
    )
    gated.files = {"test_it.py": text}
    code, out = run(gated, "--arm64-gate", "report", "-p", "no:cacheprovider")
    assert (code, counted(out)) == (0, "1 passed"), out


def test_a_plain_run_has_the_matrix_of_kept_pages_or_says_why_not(gated: Case) -> None:
    gated.files = {"test_it.py": "def test_it(arm64_matrix): pass\n"}
    gated.write()
    process = gated.start(["-rs"])
    out, _ = process.communicate(timeout=40)
    assert process.returncode == 0, out
    assert "no wheel matrix: no file lists what is deployed" in out
