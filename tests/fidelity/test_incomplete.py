"""What kept tests from being run: verdict and exit codes, each row of the table in the docs."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from fidelity.harness import Case

READY, UNDECIDED = "ready, pending a native run", "undecided"
GREEN = "def test_a(): pass\ndef test_b(): pass\n"
SERVICE = '[tool.pytest-arm64.service.api]\nrequirements = "requirements.txt"\ntests = "tests"\n'
DOCS = Path(__file__).parents[2] / "docs" / "report.md"


@dataclass(frozen=True)
class Row:
    """One thing that happens, and all that follows."""

    what: str
    code: int
    """Of ``pytest --arm64``, which is pytest's own where pytest itself can go on."""
    gated: int
    """The same with a gate."""
    kind: str = ""
    """Of the incident; empty where all tests have run."""
    path: str = ""
    files: Mapping[str, str] = field(default_factory=lambda: {"tests/test_it.py": GREEN})
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    verdict: str = UNDECIDED
    native: bool = True
    """Whether pytest without ``--arm64`` ends with the same code."""

    @property
    def check(self) -> int:
        return int(self.verdict == UNDECIDED)


def suite(text: str, **others: str) -> Mapping[str, str]:
    return {"tests/test_it.py": text, **others}


KILL = "import os, signal\nos.kill(os.getpid(), signal.SIGILL)\n"
BROKEN = {"tests/test_it.py": GREEN, "tests/test_other.py": "import nosuch\n"}
IT = "tests/test_it.py"
ROWS = (
    Row("all tests pass", 0, 0, verdict=READY),
    Row("a test fails", 1, 1, files=suite("def test_a(): assert 0\n")),
    Row(
        "a file cannot be imported",
        *(2, 2, "collection-error", "tests/test_other.py"),
        files=BROKEN,
    ),
    Row(
        "a file cannot be imported, with `--continue-on-collection-errors`",
        *(1, 1, "collection-error", "tests/test_other.py"),
        files=BROKEN,
        arguments=("--continue-on-collection-errors",),
    ),
    Row(
        "`conftest.py` cannot be imported",
        *(4, 4, "not-started"),
        files=suite(GREEN, **{"conftest.py": "import nosuch\n"}),
    ),
    Row(
        "`conftest.py` kills the process (SIGILL)",
        *(1, 1, "death"),
        files=suite(GREEN, **{"tests/conftest.py": KILL}),
        native=False,
    ),
    Row(
        "a test file kills the process while it is imported",
        *(1, 1, "death"),
        files=suite(KILL),
        native=False,
    ),
    Row(
        "`pytest.exit(…, returncode=0)` in a test",
        *(0, 1, "stopped"),
        files=suite("import pytest\ndef test_a(): pass\ndef test_b(): pytest.exit('no', 0)\n"),
    ),
    Row(
        "`pytest.exit(…)` in a test",
        *(2, 2, "stopped"),
        files=suite("import pytest\ndef test_a(): pass\ndef test_b(): pytest.exit('no')\n"),
    ),
    Row(
        "a fixture sets `session.shouldstop`",
        *(2, 2, "stopped"),
        files=suite(
            "def test_a(request): request.session.shouldstop = 'enough'\ndef test_b(): pass\n"
        ),
    ),
    Row(
        "`-x` after a failure",
        *(1, 1, "stopped"),
        files=suite("def test_a(): assert 0\ndef test_b(): pass\n"),
        arguments=("-x",),
    ),
    Row(
        "a hook of the project raises an error",
        *(3, 3, "stopped"),
        files=suite(
            GREEN, **{"conftest.py": "def pytest_runtest_logstart(): raise KeyError('x')\n"}
        ),
    ),
    Row("no test is collected", 5, 1, "no-tests", files=suite("x = 1\n")),
    # What `-k` leaves out it leaves out of the gates as well.
    Row("all tests are deselected", 5, 5, "deselected", arguments=("-k", "nothing")),
    Row(
        "all tests are skipped",
        *(0, 1, "no-tests"),
        files=suite("import pytest\npytestmark = pytest.mark.skip\ndef test_a(): pass\n"),
    ),
    Row(
        "a hook reports an error as passed",
        *(0, 1, "rewritten", IT),
        files=suite(
            "def test_a(): pass\ndef test_b(): assert 0\n",
            **{
                "conftest.py": "import pytest\n@pytest.hookimpl(hookwrapper=True)\n"
                "def pytest_runtest_makereport():\n"
                "    (yield).get_result().outcome = 'passed'\n"
            },
        ),
    ),
    Row(
        "a hook reports a test as passed whose function was never called",
        *(0, 1, "rewritten", IT),
        files=suite(GREEN, **{"conftest.py": "def pytest_pyfunc_call(): return True\n"}),
    ),
    Row(
        "a test is skipped, or expected to fail, because of the machine",
        *(0, 1, "skipped-on-arm", IT),
        files=suite(
            "import platform, pytest\ndef test_a(): pass\n"
            "@pytest.mark.skipif(platform.machine() != 's390x', reason='no')\n"
            "def test_b(): assert 0\n"
        ),
    ),
    Row(
        "`conftest.py` ignores or deselects tests because of the machine",
        *(0, 1, "skipped-on-arm", "conftest.py"),
        files=suite(
            GREEN,
            **{
                "conftest.py": "import platform\nif platform.machine() != 's390x':\n"
                "    collect_ignore_glob = ['*_arm.py']\n",
                "tests/test_arm.py": "def test_c(): assert 0\n",
            },
        ),
    ),
    Row(
        "a test takes longer than `--arm64-timeout`",
        *(1, 1),
        files=suite("import time\ndef test_a(): time.sleep(60)\n"),
        arguments=("--arm64-timeout", "1"),
        native=False,
    ),
    Row(
        "Ctrl-C",
        *(2, 2, "stopped"),
        files=suite(
            "import os, signal\ndef test_a(): os.kill(os.getpid(), signal.SIGINT)\n"
            "def test_b(): pass\n"
        ),
    ),
    Row(
        "the session refuses an option",
        *(4, 4, "not-started"),
        arguments=("--of-no-plugin",),
    ),
    Row(
        "the environment cannot be built",
        *(4, 4, "not-started"),
        environment={"REFUSED": "1"},
        native=False,
    ),
)


def table() -> str:
    """The rows as the documentation has them."""
    lines = [
        "| what happened | incident | verdict | exit code | with a gate | `report --check` |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in ROWS:
        incident = f"`{row.kind}`" if row.kind else ""
        cells = (row.what, incident, row.verdict, row.code, row.gated, row.check)
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines) + "\n"


def run(case: Case, *arguments: str, ours: str = "--arm64") -> tuple[int, str]:
    process = case.start(arguments, *([ours] if ours else []))
    out, _ = process.communicate(timeout=120)
    return process.returncode, out


def report_of(case: Case) -> Any:
    data = json.loads((case.project / "out" / "report.json").read_text("utf-8"))
    schema = resources.files("pytest_arm64.resources") / "report-1.schema.json"
    jsonschema.validate(data, json.loads(schema.read_text("utf-8")))
    return data


def checked(case: Case) -> tuple[int, str]:
    command = [sys.executable, "-m", "pytest_arm64", "report", "out", "--check"]
    done = subprocess.run(
        command, cwd=case.project, capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.what)
def test_what_happened_decides_verdict_and_exit_codes(row: Row, tmp_path: Path) -> None:
    files = {"pyproject.toml": SERVICE, "requirements.txt": "quick==2.0\n", ".git/HEAD": ""}
    case = Case(tmp_path / "case", {**files, **row.files}, row.environment)
    if row.native:
        case.write()
        assert run(case, *row.arguments, ours="")[0] == row.code
    case.write()
    # What an earlier run has left does not speak for this one.
    (case.project / "out").mkdir()
    (case.project / "out" / "report.json").write_text(json.dumps(stale()), "utf-8")
    ours = (*row.arguments, "-p", "whole_place", "--arm64-report", "out")
    code, out = run(case, *ours)
    assert code == row.code, out
    data = report_of(case)
    service, *_ = data["services"]
    incidents = [i for tested in service["runs"] for i in tested["incidents"]]
    assert service["verdict"]["verdict"] == row.verdict, out
    assert [(i["kind"], i["path"]) for i in incidents] == (
        [(row.kind, row.path)] if row.kind else []
    )
    if row.kind:
        kinds = {reason["kind"] for reason in service["verdict"]["because"]}
        assert "incomplete" in kinds
    status, told = checked(case)
    assert (status, bool(told)) == (row.check, bool(row.check)), told
    if row.kind in ("collection-error", "death", "stopped", "no-tests", "deselected"):
        assert service["installs"], "what was installed is evidence all the same"
        assert {f["kind"] for f in service["findings"]} >= {"abi"}
    code, out = run(case, *ours, "--arm64-gate", "all")
    assert code == row.gated, out


def stale() -> Any:
    from pytest_arm64.report.document import Report
    from unit.decide import made

    now = "2026-11-22T10:00:00+00:00"
    return Report(made.TARGET, now, (made.service(),)).to_json()


def test_the_documentation_has_the_table() -> None:
    assert table() in DOCS.read_text("utf-8")


def test_while_a_run_lasts_no_earlier_report_speaks_for_it(tmp_path: Path) -> None:
    files = {
        "pyproject.toml": SERVICE,
        "requirements.txt": "quick==2.0\n",
        IT: "import os, time\ndef test_a():\n    while not os.path.exists('go'): time.sleep(0.1)\n",
        ".git/HEAD": "",
    }
    case = Case(tmp_path / "case", files)
    case.write()
    (case.project / "out").mkdir()
    (case.project / "out" / "report.json").write_text(json.dumps(stale()), "utf-8")
    process = case.start(("-p", "whole_place", "--arm64-report", "out"), "--arm64")
    try:
        end = time.monotonic() + 60
        while not report_of(case)["incomplete"] and time.monotonic() < end:
            time.sleep(0.1)
        status, told = checked(case)
    finally:
        (case.project / "go").touch()
        process.communicate(timeout=120)
    assert status == 1
    assert "incomplete run: the run began and has not come to its end" in told
    assert report_of(case)["incomplete"] == ""
