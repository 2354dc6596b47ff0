"""What ends the session of one service leaves the sessions of the others to run."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fidelity.harness import Case

PROJECT = {
    "pyproject.toml": """
        [tool.pytest.ini_options]
        [tool.pytest-arm64.service.api]
        requirements = "api/requirements.txt"
        tests = "api/tests"
        [tool.pytest-arm64.service.worker]
        requirements = "worker/requirements.txt"
        tests = "worker/tests"
        """,
    "api/requirements.txt": "api-lib\n",
    "api/pytest.ini": "[pytest]\n",
    "api/tests/test_api.py": "def test_a(): pass\ndef test_b(): pass\n",
    "worker/requirements.txt": "worker-lib\n",
    "worker/tests/test_worker.py": "def test_c(): pass\ndef test_d(): pass\n",
    ".git/HEAD": "",
}
READY = "ready, pending a native run"
KILL = "import os, signal\nos.kill(os.getpid(), signal.SIGILL)\n"
BROKEN_HOOK = "raise KeyError('from the hook')"


@dataclass(frozen=True)
class Row:
    """What ends a session, and what that leaves."""

    what: str
    code: int
    files: dict[str, str]
    kind: str
    said: str = ""
    arguments: tuple[str, ...] = ()
    tests: tuple[str, ...] = field(default=())
    """The tests of the ended service that have passed."""


def in_tests(text: str) -> dict[str, str]:
    return {"SERVICE/tests/test_SERVICE.py": text}


def in_conftest(text: str) -> dict[str, str]:
    return {"SERVICE/tests/conftest.py": text}


ROWS = (
    Row(
        "a file cannot be imported",
        *(2, {"SERVICE/tests/test_other.py": "import nosuch\n"}, "collection-error"),
        said="the session was interrupted: 1 error during collection",
    ),
    Row(
        "conftest cannot be imported",
        *(1, in_conftest("import nosuch\n"), "not-started", "NOT RUN"),
    ),
    Row("conftest kills the process", 1, in_conftest(KILL), "death", "SIGILL"),
    Row("a test file kills the process", 1, in_tests(KILL), "death", "SIGILL"),
    Row(
        "a hook of the collection calls pytest.exit",
        3,
        in_conftest(
            "import pytest\n"
            "def pytest_collection_modifyitems(): pytest.exit('no database', returncode=3)\n"
        ),
        "stopped",
        said="the session stopped itself: no database",
    ),
    Row(
        "a test calls pytest.exit",
        0,
        in_tests("import pytest\ndef test_a(): pass\ndef test_b(): pytest.exit('no more', 0)\n"),
        "stopped",
        said="the session stopped itself: no more",
        tests=("test_a",),
    ),
    Row(
        "a fixture sets session.shouldstop",
        2,
        in_tests("def test_a(request): request.session.shouldstop = 'enough'\ndef test_b(): 0\n"),
        "stopped",
        said="the session was interrupted: enough",
        tests=("test_a",),
    ),
    Row(
        "a fixture sets session.shouldfail",
        1,
        in_tests("def test_a(request): request.session.shouldfail = 'bad'\ndef test_b(): 0\n"),
        "stopped",
        said="the session stopped early: bad",
        tests=("test_a",),
    ),
    Row(
        "a hook of the tests raises an error",
        *(3, in_conftest(f"def pytest_runtest_logstart(): {BROKEN_HOOK}\n"), "stopped"),
        said="INTERNALERROR> KeyError: 'from the hook'",
    ),
    Row(
        "a hook of the collection raises an error",
        *(3, in_conftest(f"def pytest_collection_modifyitems(): {BROKEN_HOOK}\n"), "stopped"),
        said="INTERNALERROR> KeyError: 'from the hook'",
    ),
    Row(
        "the start of the session raises an error",
        *(1, in_conftest(f"def pytest_sessionstart(): {BROKEN_HOOK}\n"), "not-started"),
        said="NOT RUN: the session ended with an internal error: 'from the hook'",
    ),
    Row(
        "its configuration has an option that no plugin knows",
        *(1, {"SERVICE/pytest.ini": "[pytest]\naddopts = --of-no-plugin\n"}, "not-started"),
        said="NOT RUN",
    ),
)


def run(case: Case, *arguments: str) -> tuple[int, str]:
    case.write()
    process = case.start([*arguments, "-p", "services_place"], "--arm64")
    out, _ = process.communicate(timeout=120)
    return process.returncode, out


@pytest.mark.parametrize("ended", ["api", "worker"])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.what)
def test_what_ends_one_service_leaves_the_other(row: Row, ended: str, tmp_path: Path) -> None:
    files = {name.replace("SERVICE", ended): text for name, text in row.files.items()}
    case = Case(tmp_path / "case", {**PROJECT, **files})
    code, out = run(case, "-v", "--arm64-report", "out", *row.arguments)
    assert row.said in out, out
    services = {
        service["name"]: service
        for service in json.loads((case.project / "out/report.json").read_text("utf-8"))["services"]
    }
    passed = {
        name: [
            test["nodeid"].rpartition("::")[2]
            for tested in service["runs"]
            for test in tested["tests"]
            if test["outcome"] == "passed"
        ]
        for name, service in services.items()
    }
    other = {"api": "worker", "worker": "api"}[ended]
    own = {"api": ["test_a", "test_b"], "worker": ["test_c", "test_d"]}
    assert passed == {ended: list(row.tests), other: own[other]}, out
    verdicts = {name: service["verdict"]["verdict"] for name, service in services.items()}
    assert verdicts == {ended: "undecided", other: READY}, out
    kinds = [i["kind"] for tested in services[ended]["runs"] for i in tested["incidents"]]
    assert kinds == [row.kind]
    assert code == row.code, out


@pytest.mark.parametrize("option", ["-x", "--maxfail=1", "--stepwise"])
def test_what_is_to_stop_at_a_failure_stops_all_services(option: str, tmp_path: Path) -> None:
    files = {**PROJECT, "api/tests/test_api.py": "def test_a(): assert 0\ndef test_b(): pass\n"}
    case = Case(tmp_path / "case", files)
    code, out = run(case, "-v", option)
    assert code == (2 if option == "--stepwise" else 1), out
    assert "test_worker.py" not in out
    assert "not run (session stopped early): worker" in out
