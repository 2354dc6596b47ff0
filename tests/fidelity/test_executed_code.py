"""Which places that assume x86 a session executes, in a report; measured from Python 3.12 on."""

from __future__ import annotations

import json
import sys
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from fidelity.harness import Case

APP = """
import platform

if platform.machine() == "x86_64":
    NAME = "amd64"
else:
    NAME = "arm64"

def fast():
    for _ in range(3):
        if platform.machine() == "x86_64":
            return "sse"
    return "plain"

def never():
    if platform.machine() == "x86_64":
        return 1
    return 2
"""
NATIVE = """
import ctypes

def load():
    return ctypes.CDLL(
        "libfast-x86_64.so"
    )
"""
PROJECT = {
    "pyproject.toml": """
        [tool.pytest-arm64.service.api]
        requirements = "api/requirements.txt"
        tests = "api/tests"

        [tool.pytest-arm64.service.other]
        requirements = "other/requirements.txt"
        tests = "other/tests"
        """,
    "api/requirements.txt": "quick==2.0\n",
    "api/app.py": APP,
    "api/native.py": NATIVE,
    "api/tests/conftest.py": "import sys\nsys.path.insert(0, 'api')\n",
    "api/tests/test_api.py": """
        import app, native
        def test_fast(): assert app.fast()
        def test_again(): assert app.fast()
        """,
    "other/requirements.txt": "slow==1.0\n",
    "other/tests/test_other.py": "def test_it(): pass\n",
    ".git/HEAD": "",
}
MEASURED = sys.version_info >= (3, 12)
CONDITIONS = {"api/app.py:3": True, "api/app.py:10": True, "api/app.py:15": False}


def report(case: Case, *arguments: str) -> tuple[str, Any]:
    case.write()
    process = case.start([*arguments, "-p", "reported_place", "--arm64-report", "out"], "--arm64")
    out, _ = process.communicate(timeout=180)
    data = json.loads((case.project / "out/report.json").read_text("utf-8"))
    schema = resources.files("pytest_arm64.resources") / "report-1.schema.json"
    jsonschema.validate(data, json.loads(schema.read_text("utf-8")))
    return out, next(service for service in data["services"] if service["name"] == "api")


def executed(service: Any) -> dict[str, bool | None]:
    return {f"{p['path']}:{p['line']}": p["executed"] for p in service["code"]}


def expected(lines: dict[str, bool]) -> dict[str, bool | None]:
    return {place: seen if MEASURED else None for place, seen in lines.items()}


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["alone", "workers"])
def test_a_report_says_which_places_were_executed(tmp_path: Path, workers: tuple[str]) -> None:
    out, api = report(Case(tmp_path / "case", PROJECT), *workers)
    assert executed(api) == expected({**CONDITIONS, "api/native.py:4": False}), out
    code = api["verdict"]["code"]
    assert code.startswith("3 branches for x86, 2 of them without a way for ARM64, 1 place that")
    if MEASURED:
        assert code.endswith("2 never executed by the tests on ARM64")
    else:
        assert f"4 not measured (Python 3.{sys.version_info[1]} has no sys.monitoring)" in code


def test_a_place_in_a_call_of_several_lines_is_executed_with_the_call(tmp_path: Path) -> None:
    more = "def test_load():\n            try: native.load()\n            except OSError: pass\n"
    tests = PROJECT["api/tests/test_api.py"] + more
    _, api = report(Case(tmp_path / "case", {**PROJECT, "api/tests/test_api.py": tests}))
    assert executed(api)["api/native.py:4"] is (True if MEASURED else None)


def test_after_a_death_nothing_is_said_to_be_never_executed(tmp_path: Path) -> None:
    tests = PROJECT["api/tests/test_api.py"] + "def test_dies(): import os; os.abort()\n"
    _, api = report(Case(tmp_path / "case", {**PROJECT, "api/tests/test_api.py": tests}))
    assert set(executed(api).values()) == {None}
    assert "not measured (a process died and did not say)" in api["verdict"]["code"]


def test_tests_that_hold_every_tool_of_the_interpreter_are_not_disturbed(tmp_path: Path) -> None:
    taken = """
        import sys
        if sys.version_info >= (3, 12):
            sys.monitoring.use_tool_id(sys.monitoring.COVERAGE_ID, "theirs")
            sys.monitoring.restart_events()
        import app
        def test_fast(): assert app.fast()
        """
    out, api = report(Case(tmp_path / "case", {**PROJECT, "api/tests/test_api.py": taken}))
    assert {p: executed(api)[p] for p in CONDITIONS} == expected(CONDITIONS), out


def test_a_project_without_such_code_has_nothing_to_say(tmp_path: Path) -> None:
    plain = {**PROJECT, "api/app.py": "def fast(): return 1\n", "api/native.py": ""}
    _, api = report(Case(tmp_path / "case", plain))
    assert (api["code"], api["code_problem"], api["verdict"]["code"]) == ([], "", "")
