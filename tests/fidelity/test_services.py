"""One session over several services: each in its own place, one list of results, one report."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from fidelity.harness import Case

PROJECT = {
    "pyproject.toml": """
        [tool.pytest.ini_options]
        [tool.pytest-arm64.service.api]
        requirements = "api/requirements.txt"
        [tool.pytest-arm64.service.worker]
        requirements = "worker/requirements.txt"
        tests = "worker/tests"
        [tool.pytest-arm64.service.gpu]
        requirements = "gpu/requirements.txt"
        tests = "gpu/tests"
        boundary = { reason = "CUDA", migratable-when = "never", packages = ["gpu-lib"] }
        [tool.pytest-arm64.service.idle]
        requirements = "idle/requirements.txt"
        """,
    "api/requirements.txt": "api-lib\n",
    "api/pytest.ini": "[pytest]\npythonpath = .\n",
    "api/app.py": "",
    # The same names in each service: no session of all could import them.
    "api/tests/conftest.py": "import app\n",
    "api/tests/helper.py": "SERVICE = 'api'\n",
    "api/tests/test_it.py": """
        import os
        import helper
        def test_place(): assert os.environ["SERVICE"] == helper.SERVICE
        def test_folder(): assert os.path.basename(os.getcwd()) == "api"
        def test_machine(): assert os.environ["MACHINE"] == "aarch64"
        def test_matrix(arm64_matrix): assert list(arm64_matrix) == ["api-lib"]
        """,
    "worker/requirements.txt": "worker-lib\n",
    "worker/tests/helper.py": "SERVICE = 'worker'\n",
    "worker/tests/test_it.py": """
        import os
        import helper
        def test_place(): assert os.environ["SERVICE"] == helper.SERVICE
        def test_folder(): assert os.path.isdir("worker")
        def test_fails_if_asked(): assert "FAIL" not in os.environ
        """,
    "gpu/requirements.txt": "gpu-lib\n",
    "gpu/tests/test_gpu.py": """
        import os
        def test_machine(): assert os.environ["MACHINE"] == "x86_64"
        """,
    "idle/requirements.txt": "idle-lib\n",
    "test_root.py": """
        import os
        def test_of_nobody(): assert os.environ["SERVICE"] == "project"
        """,
    ".git/HEAD": "",
}
API = [f"api/tests/test_it.py::test_{name}" for name in ("place", "folder", "machine", "matrix")]
WORKER = [f"worker/tests/test_it.py::test_{n}" for n in ("place", "folder", "fails_if_asked")]
GPU = ["gpu/tests/test_gpu.py::test_machine"]
ROOT = ["test_root.py::test_of_nobody"]


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path / "case", dict(PROJECT))


def run(case: Case, *arguments: str) -> tuple[int, str]:
    case.write()
    return again(case, *arguments)


def again(case: Case, *arguments: str) -> tuple[int, str]:
    """Run what lies there already."""
    process = case.start([*arguments, "-p", "services_place"], "--arm64")
    out, _ = process.communicate(timeout=120)
    return process.returncode, out


def results(out: str) -> list[str]:
    """Node ids in the order of their results, of a run with ``-v``."""
    lines = [line.split() for line in out.splitlines() if line.rstrip().endswith("%]")]
    return [words[0] for words in lines]


def test_each_service_runs_in_its_own_place_and_the_rest_in_the_repositorys(case: Case) -> None:
    code, out = run(case, "-v")
    assert code == 0, out
    assert results(out) == [*API, *WORKER, *GPU, *ROOT]
    assert out.rstrip().splitlines()[-1].strip("= ").startswith("9 passed")
    for number, name in enumerate(("api", "worker", "gpu", "project"), start=1):
        assert f"arm64: {name} ({number} of 4)" in out
    junit = ElementTree.parse(case.folder / "junit.xml").getroot()
    assert len({(c.get("classname"), c.get("name")) for c in junit.iter("testcase")}) == 9


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--arm64-service", "worker"), WORKER),
        (("--arm64-service", "gpu", "--arm64-service", "api"), [*API, *GPU]),
        (("worker/tests", "test_root.py"), [*WORKER, *ROOT]),
        (("api/tests/test_it.py::test_machine",), API[2:3]),
        (("-k", "machine"), [API[2], *GPU]),
    ],
)
def test_what_is_asked_for_decides_which_services_run(
    case: Case, arguments: tuple[str, ...], expected: list[str]
) -> None:
    code, out = run(case, "-v", "-p", "no:cacheprovider", *arguments)
    assert (code, results(out)) == (0, expected), out


def test_all_services_are_collected_where_nothing_is_to_run(case: Case) -> None:
    code, out = run(case, "--collect-only", "-q")
    assert code == 0, out
    assert [line for line in out.splitlines() if "::" in line] == [*API, *WORKER, *GPU, *ROOT]


def test_a_service_that_does_not_exist_or_has_no_tests_is_told(case: Case) -> None:
    code, out = run(case, "--arm64-service", "wroker")
    assert code == 4
    assert "there is no such service (did you mean 'worker'?)" in out
    code, out = run(case, "--arm64-service", "idle")
    assert code == 4
    assert "--arm64-service idle: the arguments select none of its tests" in out


def test_a_failure_stops_the_services_after_it_where_that_is_asked(case: Case) -> None:
    case.environment = {"FAIL": "1"}
    code, out = run(case, "-v", "-x")
    assert (code, results(out)) == (1, [*API, *WORKER]), out
    assert "not run (session stopped early): gpu, project" in out
    code, out = run(case, "-v")
    assert (code, results(out)) == (1, [*API, *WORKER, *GPU, *ROOT]), out


def test_node_ids_are_relative_to_one_root_whatever_lies_in_a_services_folder(case: Case) -> None:
    manifest = PROJECT["pyproject.toml"].replace("[tool.pytest.ini_options]", "")
    others = {"worker/pyproject.toml": "[tool.other]\n", "gpu/setup.py": ""}
    case.files = {**PROJECT, **others, "pyproject.toml": manifest}
    code, out = run(case, "-v", "--arm64-service", "worker", "--arm64-service", "gpu")
    assert (code, results(out)) == (0, [*WORKER, *GPU]), out


def test_a_service_that_cannot_be_installed_leaves_the_run_incomplete(case: Case) -> None:
    case.environment = {"REFUSED": "worker"}
    code, out = run(case, "-v", "--arm64-report", "out")
    assert (code, results(out)) == (1, [*API, *GPU, *ROOT]), out
    assert "arm64: worker: undecided (emulated, on a stand-in)" in out
    assert "install: nothing of worker can be installed" in (
        case.project / "out" / "report.json"
    ).read_text("utf-8")
    assert "incomplete run" in out
    assert "worker: nothing of worker can be installed" in out
    told = out.index("arm64: worker (2 of 4): NOT RUN: nothing of worker can be installed")
    assert out.index("arm64: api (1 of 4)") < told < out.index("arm64: gpu (3 of 4)")


def test_a_build_that_fails_is_in_the_report_of_a_run_that_could_not_begin(case: Case) -> None:
    case.files = {**PROJECT, "idle/test_it.py": "def test_it(): pass\n"}
    case.environment = {"REFUSED": "idle", "UNBUILT": "1"}
    code, out = run(case, "--arm64-service", "idle", "--arm64-report", "out")
    assert code == 4, out
    assert "idle-lib 1.0 could not be built (compiler)" in out
    assert "arm64: report: " in out
    data = json.loads((case.project / "out" / "report.json").read_text("utf-8"))
    idle = next(service for service in data["services"] if service["name"] == "idle")
    (build,) = idle["builds"]
    assert (build["package"], build["succeeded"], build["cause"]) == ("idle-lib", False, "compiler")
    builds = idle["verdict"]["answers"][1]
    assert (builds["answer"], builds["text"]) == ("no", "idle-lib did not build (compiler)")


def test_each_service_is_compared_with_its_own_x86_side(case: Case) -> None:
    code, out = run(case, "-v", "--arm64-compare")
    # What stays on x86 has no other side; the test of the machine is the one that differs.
    assert (code, results(out)) == (1, [*API, *WORKER, *GPU, *ROOT]), out
    assert "compare: 8 tests run, on linux/amd64 too: 1 differ" in out
    assert f"FAILED {API[2]}" in out  # older pytests leave no room for the reason
    assert "arm64: compared with linux/amd64" in out


def test_one_report_has_all_services(case: Case) -> None:
    code, out = run(case, "--arm64-report", "out")
    assert code == 0, out
    data = json.loads((case.project / "out" / "report.json").read_text("utf-8"))
    services: dict[str, Any] = {service["name"]: service for service in data["services"]}
    assert list(services) == ["api", "worker", "gpu", "idle"]
    counts = {
        name: Counter(t["outcome"] for run in service["runs"] for t in run["tests"])["passed"]
        for name, service in services.items()
    }
    assert counts == {"api": 4, "worker": 3, "gpu": 1, "idle": 0}
    machines = {n: [run["where"]["machine"] for run in s["runs"]] for n, s in services.items()}
    assert machines == {"api": ["aarch64"], "worker": ["aarch64"], "gpu": ["x86_64"], "idle": []}
    labels = {name: service["verdict"]["label"] for name, service in services.items()}
    assert labels == {
        "api": "ready, pending a native run (emulated)",
        "worker": "ready, pending a native run (emulated)",
        "gpu": "stay-on-x86 (predicted)",
        "idle": "undecided (predicted)",
    }
    assert services["api"]["installs"][0]["packages"][0]["name"] == "api-lib"
    assert data["notes"] == ["1 tests belong to no service that is configured"]


def test_gates_of_each_service_come_before_its_tests_and_verdicts_at_the_end(case: Case) -> None:
    code, out = run(case, "-v", "--arm64-gate", "all", "-k", "machine or lib or decision")
    assert code == 1, out
    assert results(out) == [
        "arm64::api::api-lib",
        "arm64::idle::idle-lib",
        API[2],
        "arm64::gpu::gpu-lib",
        *GPU,
        "arm64::api::decision:verdict",
        "arm64::worker::decision:verdict",
        "arm64::gpu::decision:boundary",
        "arm64::idle::decision:verdict",
    ]
    failed = [line.split()[1] for line in out.splitlines() if line.startswith("FAILED ")]
    assert failed == ["arm64::idle::idle-lib"]
    assert "SKIPPED" in next(
        line for line in out.splitlines() if line.startswith("arm64::idle::decision:verdict")
    )


def test_tests_that_a_baseline_rests_on_and_that_prove_nothing_any_more_fail(case: Case) -> None:
    skipping = """
        import os, pytest
        @pytest.fixture(autouse=True)
        def _skipping():
            if "SKIP" in os.environ:
                pytest.skip("no credentials")
        """
    case.files = {**PROJECT, "worker/tests/conftest.py": skipping}
    case.write()
    code, out = again(case, "--arm64-report", "out")
    assert code == 0, out
    accepted = subprocess.run(
        [sys.executable, "-m", "pytest_arm64", "report", "out", "--write-baseline"],
        cwd=case.project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert accepted.returncode == 0, accepted.stderr
    # A part that was asked for loses nothing, whatever it leaves out.
    code, out = again(case, "--arm64-gate", "new", "worker/tests")
    assert code == 0, out
    case.environment = {"SKIP": "1"}
    shutil.rmtree(case.project / "api/tests")
    code, out = again(case, "--arm64-gate", "new", "-rf")
    assert code == 1, out
    failed = [line.split()[1] for line in out.splitlines() if line.startswith("FAILED ")]
    assert failed == ["arm64::api::decision:verdict", "arm64::worker::decision:verdict"]
    assert "no test of it ran" in out
    assert "incomplete run: no test passed: 3 skipped" in out
    was = "(predicted); ready, pending a native run (emulated) was accepted"
    assert out.count(f"ready, pending a native run {was}") == 1
