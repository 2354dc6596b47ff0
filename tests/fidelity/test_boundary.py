"""Tests that are marked as staying on x86: run in a linux/amd64 cell, and in no other."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from fidelity.harness import Case

MARKED = """
import os, pytest

def test_here(): assert os.environ["MACHINE"] == "aarch64"

@pytest.mark.x86_boundary("CUDA", migratable_when="it runs without")
def test_gpu():
    assert os.environ["MACHINE"] == "x86_64"
    assert "FAIL" not in os.environ

@pytest.mark.x86_boundary("AVX", "it runs without")
@pytest.mark.parametrize("width", [8, 16])
def test_vectors(width): assert os.environ["MACHINE"] == "x86_64"
"""
PROJECT = {
    "pytest.ini": "[pytest]\n",
    "test_it.py": MARKED,
    # What has no marked test need not be importable on x86.
    "test_arm.py": "import os\nassert os.environ['MACHINE'] == 'aarch64'\ndef test_it(): pass\n",
}
ARM = ["test_arm.py::test_it", "test_it.py::test_here"]
X86 = ["test_it.py::test_gpu", "test_it.py::test_vectors[8]", "test_it.py::test_vectors[16]"]


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path / "case", dict(PROJECT))


def run(case: Case, *arguments: str) -> tuple[int, str]:
    case.write()
    process = case.start([*arguments, "-p", "bounded_place"], "--arm64")
    out, _ = process.communicate(timeout=60)
    return process.returncode, out


def outcomes(out: str) -> dict[str, str]:
    """By node id, of a run with ``-v``."""
    lines = [line.split() for line in out.splitlines() if line.rstrip().endswith("%]")]
    return {words[0]: words[1] for words in lines}


def counts(out: str) -> str:
    return out.rstrip().splitlines()[-1].strip("= ").rpartition(" in ")[0]


def test_marked_tests_run_on_x86_after_the_others(case: Case) -> None:
    code, out = run(case, "-v")
    assert code == 0, out
    assert list(outcomes(out)) == [*ARM, *X86]
    assert counts(out) == "5 passed"
    assert "arm64: project: x86 boundary (2 of 2)" in out
    junit = ElementTree.parse(case.folder / "junit.xml").getroot()
    assert len(list(junit.iter("testcase"))) == 5


@pytest.mark.parametrize(
    ("arguments", "ran"),
    [
        (("-k", "vectors"), X86[1:]),
        (("test_it.py::test_gpu",), X86[:1]),
        (("-m", "not x86_boundary"), ARM),
        (("test_arm.py",), ARM[:1]),
        (("--arm64-compare",), [*ARM[1:], *X86]),
    ],
)
def test_what_is_selected_is_selected_on_both_sides(
    case: Case, arguments: tuple[str, ...], ran: list[str]
) -> None:
    if "--arm64-compare" in arguments:
        case.files = {"pytest.ini": "", "test_it.py": MARKED.replace('== "aarch64"', "")}
    code, out = run(case, "-v", "-p", "no:cacheprovider", *arguments)
    assert (code, list(outcomes(out))) == (0, ran), out


def test_workers_leave_them_to_x86_as_well(case: Case) -> None:
    code, out = run(case, "-n2")
    assert (code, counts(out)) == (0, "5 passed"), out


def test_one_that_fails_there_fails_the_run_and_is_run_again_by_lf(case: Case) -> None:
    case.environment = {"FAIL": "1"}
    code, out = run(case, "-v")
    assert (code, counts(out)) == (1, "1 failed, 4 passed"), out
    assert outcomes(out)[X86[0]] == "FAILED"
    process = case.start(["-v", "--lf", "-p", "bounded_place"], "--arm64")
    again, _ = process.communicate(timeout=60)
    assert (process.returncode, outcomes(again)) == (1, {X86[0]: "FAILED"}), again


def test_a_stop_before_them_names_them_as_not_run(case: Case) -> None:
    case.files = {**PROJECT, "test_arm.py": "def test_it(): assert 0\n"}
    code, out = run(case, "-x")
    assert code == 1, out
    assert "not run (session stopped early): project: x86 boundary" in out


def test_without_a_place_for_x86_they_are_skipped_and_it_is_said(case: Case) -> None:
    case.environment = {"NO_X86": "1"}
    code, out = run(case, "-rs", "-v")
    assert (code, counts(out)) == (0, "2 passed, 3 skipped"), out
    told = "not run: there is no linux/amd64 cell: nothing here runs linux/amd64"
    assert f"x86 boundary: CUDA; migratable when it runs without; {told}" in " ".join(out.split())
    assert "arm64: project: x86 boundary: not run: 3 tests, for there is no linux" in out


def test_an_artifact_that_was_built_for_arm_has_no_place_on_x86(case: Case) -> None:
    table = "[tool.pytest.ini_options]\n[tool.pytest-arm64]\nartifact = 'dir:built'\n"
    case.files = {"pyproject.toml": table, "built/app.py": "", "test_it.py": MARKED}
    code, out = run(case)
    assert (code, counts(out)) == (0, "1 passed, 3 skipped"), out
    assert "cell: what is deployed is built already, for ARM64" in out


def test_all_are_collected_where_nothing_is_to_run(case: Case) -> None:
    case.files = {"pytest.ini": "", "test_it.py": MARKED}
    code, out = run(case, "--collect-only", "-q")
    assert code == 0, out
    assert [line for line in out.splitlines() if "::" in line] == [*ARM[1:], *X86]
