"""One session on several targets: each service, or each pair of both, has its own evidence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from fidelity.harness import Case

TABLE = """
    [tool.pytest.ini_options]
    [tool.pytest-arm64]
    target = "al2023-python3.13"
    [tool.pytest-arm64.service.api]
    requirements = "api/requirements.txt"
    target = "lambda-python3.12"
    [tool.pytest-arm64.service.worker]
    requirements = "worker/requirements.txt"
    """
TEST = "import os\ndef test_target(): assert os.environ['TARGET'] == 'NAME'\n"
LAMBDA, AL2023 = "lambda-python3.12", "al2023-python3.13"


def files(api: str = LAMBDA, worker: str = AL2023) -> dict[str, str]:
    return {
        "pyproject.toml": TABLE,
        "api/requirements.txt": "lib\n",
        "api/tests/test_api.py": TEST.replace("NAME", api),
        "worker/requirements.txt": "lib\n",
        "worker/tests/test_worker.py": TEST.replace("NAME", worker),
        ".git/HEAD": "",
    }


def run(folder: Path, files: dict[str, str], *arguments: str) -> tuple[Case, int, str]:
    case = Case(folder / "case", files)
    case.write()
    process = case.start(["-p", "targets_place", "--arm64-report=out", *arguments], "--arm64")
    out, _ = process.communicate(timeout=120)
    return case, process.returncode, out


def report_of(case: Case) -> Any:
    return json.loads((case.project / "out/report.json").read_text("utf-8"))


def targets_of_tests(case: Case) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for test in ElementTree.parse(case.folder / "junit.xml").iter("testcase"):
        values = {p.get("name"): p.get("value") for p in test.iter("property")}
        found[f"{test.get('classname')}.{test.get('name')}"] = values.get("arm64.target")
    return found


def test_each_service_runs_and_is_judged_on_its_own_target(tmp_path: Path) -> None:
    case, code, out = run(tmp_path, files())
    assert code == 1, out
    assert f"arm64: target {LAMBDA}" in out
    assert f"arm64: target {AL2023}" in out
    assert f"api on {LAMBDA}: ready, pending a native run" in out
    assert f"lib 1.0 is blocker on {AL2023}" in out
    report = report_of(case)
    assert report["target"] == f"{LAMBDA}, {AL2023}"
    services = {service["name"]: service for service in report["services"]}
    assert {name: s["target"] for name, s in services.items()} == {"api": LAMBDA, "worker": AL2023}
    for service in services.values():
        assert {run["where"]["target"] for run in service["runs"]} == {service["target"]}
        assert [test["outcome"] for run in service["runs"] for test in run["tests"]] == ["passed"]
    tests = targets_of_tests(case)
    assert tests["api.tests.test_api.test_target"] == LAMBDA
    assert tests["worker.tests.test_worker.test_target"] == AL2023
    assert set(tests.values()) == {LAMBDA, AL2023}  # gates included


def test_the_target_of_the_command_line_is_that_of_all_services(tmp_path: Path) -> None:
    case, code, out = run(tmp_path, files(LAMBDA, LAMBDA), f"--arm64-target={LAMBDA}")
    assert code == 0, out
    report = report_of(case)
    assert report["target"] == LAMBDA
    assert {service["target"] for service in report["services"]} == {LAMBDA}
    # One target is no news in each test.
    assert targets_of_tests(case)["api.tests.test_api.test_target"] is None
