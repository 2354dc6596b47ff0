"""``--arm64-report``: what a mirrored session leaves as evidence, and the boundary's marker."""

from __future__ import annotations

import base64
import io
import json
import os
import subprocess
import sys
from collections import Counter
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from PIL import Image

from fidelity.harness import Case
from pytest_arm64.run.goldens import recorded, settle

TESTS = """
import os
import pytest

def test_passes(): pass

@pytest.mark.skip(reason="not today")
def test_skipped(): pass

@pytest.mark.xfail
def test_expected(): assert False

@pytest.mark.x86_boundary("CUDA", migratable_when="it runs without")
def test_of_the_gpu(): assert os.environ["MACHINE"] == "x86_64"

def test_fails_if_asked(): assert "FAIL" not in os.environ

def test_dies_if_asked():
    if "DIE" in os.environ:
        os.abort()
"""
PROJECT = {
    "pyproject.toml": """
        [tool.pytest-arm64.service.api]
        requirements = "api/requirements.txt"
        tests = "api/tests"
        monthly-cost = 100

        [tool.pytest-arm64.service.other]
        requirements = "other/requirements.txt"
        tests = "other/tests"
        """,
    "api/requirements.txt": "quick==2.0\n",
    "api/tests/test_api.py": TESTS,
    "other/requirements.txt": "slow==1.0\n",
    "other/tests/test_other.py": "def test_it(): pass\n",
    "test_root.py": "def test_of_nobody(): pass\n",
    ".git/HEAD": "",
}


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path / "case", PROJECT)


def run(case: Case, *arguments: str) -> tuple[int, str, Any]:
    case.write()
    return again(case, *arguments)


def again(case: Case, *arguments: str) -> tuple[int, str, Any]:
    """Run what lies there already."""
    process = case.start([*arguments, "-p", "reported_place", "--arm64-report", "out"], "--arm64")
    out, _ = process.communicate(timeout=60)
    path = case.project / "out" / "report.json"
    data = json.loads(path.read_text("utf-8")) if path.exists() else None
    if data is not None:
        schema = resources.files("pytest_arm64.resources") / "report-1.schema.json"
        jsonschema.validate(data, json.loads(schema.read_text("utf-8")))
    return process.returncode, out, data


def service(data: Any, name: str) -> Any:
    return next(service for service in data["services"] if service["name"] == name)


def outcomes(data: Any, name: str) -> Counter[str]:
    run, *_ = service(data, name)["runs"]
    return Counter(test["outcome"] for test in run["tests"])


def test_a_session_leaves_evidence_on_each_service(case: Case) -> None:
    code, out, data = run(case)
    assert code == 0, out
    assert "arm64: 1 of 2 services compatible with ARM64 (emulated)" in out
    assert "arm64: api: ready, pending a native run (emulated)" in out
    api = service(data, "api")
    assert outcomes(data, "api") == {"passed": 3, "skipped": 1, "xfailed": 1}
    assert api["verdict"]["reasons"] == ["the tests ran emulated, not on an ARM machine"]
    assert api["installs"][0]["packages"] == [{"name": "quick", "version": "2.0", "state": "wheel"}]
    assert {finding["kind"] for finding in api["findings"]} == {"abi"}
    assert not any(finding["grave"] for finding in api["findings"])
    assert any("/libc" in one["path"] for one in api["runs"][0]["mapped"])
    bounded = api["runs"][1]
    assert (bounded["part"], bounded["where"]["machine"]) == (
        "what is marked x86_boundary",
        "x86_64",
    )
    assert [(t["nodeid"].rpartition("::")[2], t["outcome"]) for t in bounded["tests"]] == [
        ("test_of_the_gpu", "passed")
    ]
    other = service(data, "other")
    assert other["verdict"]["verdict"] == "stay-on-x86"
    assert other["runs"][0]["misfit"].endswith("did not have what it deploys: slow 1.0")
    assert other["installs"] == []
    assert data["notes"] == ["1 tests belong to no service that is configured"]


def test_workers_tell_what_they_had_loaded(case: Case) -> None:
    _, out, data = run(case, "-n2")
    assert any("/libc" in one["path"] for one in service(data, "api")["runs"][0]["mapped"]), out


def test_a_failure_in_a_package_names_its_file_and_function(tmp_path: Path) -> None:
    files = {
        "side/site-packages/zed.py": """
            import os
            def end(): os.abort()
            def fail(): raise OSError
            """,
        "api/tests/test_api.py": """
            import sys
            sys.path.append("side/site-packages")
            import zed
            def test_dies(): zed.end()
            def test_fails(): zed.fail()
            def test_is_wrong(): assert zed is None
            """,
    }
    _, out, data = run(Case(tmp_path / "case", {**PROJECT, **files}))
    tests = {t["nodeid"].rpartition("_")[2]: t for t in service(data, "api")["runs"][0]["tests"]}
    assert (tests["dies"]["library"], tests["dies"]["functions"]) == ("zed.py", ["end"]), out
    assert tests["fails"]["library"] == "zed.py"
    assert (tests["wrong"]["library"], tests["wrong"]["functions"]) == ("", [])
    assert "test_dies (in zed.py)" in " ".join(service(data, "api")["verdict"]["reasons"])


def test_the_reports_own_folder_names_no_tests(tmp_path: Path) -> None:
    _, out, data = run(Case(tmp_path / "case", {**PROJECT, "out/kept.txt": ""}))
    assert service(data, "api")["runs"][0]["part"] == "", out


@pytest.mark.parametrize(
    ("variable", "reason"),
    [
        ("FAIL", "1 test failed (emulated): api/tests/test_api.py::test_fails_if_asked"),
        ("DIE", "1 test killed their process (emulated): api/tests/test_api.py::test_dies_if"),
    ],
)
def test_what_fails_or_dies_is_evidence_against(case: Case, variable: str, reason: str) -> None:
    case.environment = {variable: "1"}
    code, out, data = run(case, "api/tests")
    assert code == 1, out
    verdict = service(data, "api")["verdict"]
    assert verdict["verdict"] == "undecided"
    assert verdict["reasons"][0].startswith(reason)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("-k", "passes"), "-k"),
        (("api/tests/test_api.py::test_passes",), "api/tests/test_api.py::test_passes"),
        (("--deselect", "api/tests/test_api.py::test_passes"), "--deselect"),
        (("api/tests/test_api.py",), "test_api.py"),
        (("--ignore=other", "--ignore-glob=*slow*"), "--ignore=other --ignore-glob=*slow*"),
    ],
)
def test_a_part_of_the_tests_is_no_evidence_for_all(
    case: Case, arguments: tuple[str, ...], part: str
) -> None:
    code, out, data = run(case, *arguments)
    assert code == 0, out
    api = service(data, "api")
    assert part in api["runs"][0]["part"]
    assert api["verdict"]["label"] == "ready, pending a native run (predicted)"


def test_the_report_is_rendered_and_compared(case: Case) -> None:
    run(case)
    shown = report_command(case, "out", "--check")
    assert shown.returncode == 1
    assert "pytest-arm64: other: stay-on-x86 (predicted)" in shown.stderr
    page = (case.project / "out" / "report.html").read_text("utf-8")
    assert "1 of 2 services compatible with ARM64 (emulated)" in page
    same = report_command(case, "diff", "out", "out")
    assert (same.returncode, same.stdout.splitlines()[-1]) == (0, "  no change")
    joined = report_command(case, "merge", "out", "out", "--output", "both")
    assert joined.returncode == 0, joined.stderr
    assert (case.project / "both" / "report.html").exists()


def test_shards_of_a_suite_are_the_whole_when_they_are_merged(case: Case) -> None:
    case.write()
    labels = []
    for name, selected in (("a", "passes or skipped"), ("b", "not (passes or skipped)")):
        arguments = ["-k", selected, "-p", "reported_place", "--arm64-report", name]
        process = case.start(arguments, "--arm64")
        out, _ = process.communicate(timeout=60)
        assert process.returncode == 0, out
        data = json.loads((case.project / name / "report.json").read_text("utf-8"))
        part, *_ = service(data, "api")["runs"]
        labels.append(service(data, "api")["verdict"]["label"])
        assert len(part["tests"]) + len(part["left_out"]) == 5
    assert labels == 2 * ["ready, pending a native run (predicted)"]
    joined = report_command(case, "merge", "a", "b", "--output", "whole")
    assert joined.returncode == 0, joined.stderr
    data = json.loads((case.project / "whole" / "report.json").read_text("utf-8"))
    whole = next(run for run in service(data, "api")["runs"] if not run["part"])
    assert len(whole["tests"]) == 5
    assert service(data, "api")["verdict"]["label"] == "ready, pending a native run (emulated)"


def report_command(case: Case, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest_arm64", "report", *arguments],
        cwd=case.project,
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_the_run_there_is_no_report_and_it_is_said(case: Case) -> None:
    case.write()
    process = case.start(["--arm64-report", "out"])
    out, _ = process.communicate(timeout=40)
    assert process.returncode == 4
    assert "--arm64-report has no effect without --arm64" in out
    code, out, data = run(case, "--collect-only")
    assert (code, data) == (0, None), out


def test_a_boundary_without_a_reason_fails_and_plain_pytest_runs_what_is_behind(
    tmp_path: Path,
) -> None:
    text = (
        "import pytest\n@pytest.mark.x86_boundary(reason='r')\ndef test_a(): pass\n"
        "@pytest.mark.x86_boundary('r', 'm')\ndef test_b(): pass\n"
    )
    case = Case(tmp_path / "case", {"test_it.py": text, "pytest.ini": "[pytest]\n"})
    code, out, _ = run(case, "--strict-markers")
    assert code == 1
    assert "x86_boundary needs a reason and migratable_when" in out
    plain = case.native(["--strict-markers", "-k", "test_b"])
    assert "1 passed" in plain.text


SHOWING = """
import os
import numpy

def work():
    return sum(range(10_000))

def test_measured(arm64_measure):
    assert arm64_measure(work, rounds=5).latency.count == 5

def test_image(arm64_golden):
    shade = int(os.environ.get("SHADE", "1"))
    arm64_golden.check(numpy.full((4, 4), shade, "u1"), name="preview")
    arm64_golden.check("same")
"""


def test_what_tests_show_besides_passing_is_in_the_report(tmp_path: Path) -> None:
    case = Case(tmp_path / "case", {**PROJECT, "api/tests/test_api.py": SHOWING})
    case.write()
    recording = {"PYTEST_ARM64_ROLE": "reference", "PYTEST_ARM64_OUT": str(tmp_path / "recorded")}
    recorder = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "api/tests"],
        cwd=case.project,
        env={**os.environ, **recording},
        check=False,
    )
    assert recorder.returncode == 0
    settle(recorded(tmp_path / "recorded"), case.project, "commit")

    case.environment = {"SHADE": "9"}
    code, out, data = again(case, "api/tests", "--arm64-profile")
    assert code == 1, out
    api = service(data, "api")
    (value,) = api["goldens"]
    assert (value["name"], value["label"], value["ok"]) == ("preview", "integer/cast", False)
    assert value["where"]["machine"] == "aarch64"
    assert "differing: 16 of 16" in value["text"]
    sizes = [Image.open(io.BytesIO(base64.b64decode(p["png"]))).size for p in value["pictures"]]
    assert [picture["kind"] for picture in value["pictures"]] == ["golden", "here", "difference"]
    assert sizes == [(4, 4)] * 3
    (measured,) = api["measured"]
    assert measured["test"] == "api/tests/test_api.py::test_measured"
    assert [len(record["wall"]) for record in measured["records"]] == [5]
    (profile,) = api["profiles"]
    assert "work" in {function["name"] for function in profile["functions"]}
    assert service(data, "other")["profiles"] == []
    shown = report_command(case, "out")
    assert shown.returncode == 0, shown.stderr
    page = (case.project / "out" / "report.html").read_text("utf-8")
    assert page.count("data:image/png;base64,") == 3
