"""A function of a Lambda target is called in its cell: by AWS's client and by ours, and on x86."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from docker_cases import RunPytest

APP = """
import os, pathlib, sys, time
import markupsafe

calls = 0

def handler(event, context):
    global calls
    calls += 1
    kept = pathlib.Path("/tmp/kept")
    before = kept.exists()
    kept.touch()
    return {
        "calls": calls,
        "kept": before,
        "text": markupsafe.escape("<b>"),
        "machine": os.uname().machine,
        "cwd": os.getcwd(),
        "path": sys.path,
        "memory": context.memory_limit_in_mb,
        "left": context.get_remaining_time_in_millis(),
    }

def late(event, context):
    time.sleep(1000)

def long(event, context):
    return "x" * event

def writes(event, context):
    pathlib.Path("beside").touch()

def needs_a_test_package(event, context):
    import pytest
"""
SUITE = """
import os, platform

def test_cold_and_warm(arm64_lambda, arm64_target):
    first, second = arm64_lambda.invoke({}), arm64_lambda.invoke({})
    print(first.client, first.init_ms, first.duration_ms, second.duration_ms)
    assert (first.cold, second.cold) == (True, False)
    assert first.init_ms and not second.init_ms
    assert [r.payload["calls"] for r in (first, second)] == [1, 2]
    assert (first.payload["kept"], second.payload["kept"]) == (False, True)
    assert first.payload["text"] == "&lt;b&gt;"
    assert first.payload["machine"] == platform.machine()
    assert first.payload["memory"] == "512"
    here = os.path.dirname(os.path.abspath(__file__))
    assert first.payload["cwd"] == first.payload["path"][0] == here
    assert "/opt/pytest-arm64/env/lib" in first.payload["path"][1]
    assert not [p for p in first.payload["path"] if p.startswith("/opt/pytest-arm64/tests")]
    assert first.emulated == arm64_target["emulated"]
    times = 10 if first.emulated else 1
    assert 3_000 * (times - 1) < first.payload["left"] <= 3_000 * times
    assert first.client.startswith("%(client)s")

def test_errors(arm64_lambda):
    def error(handler, event, **more):
        return arm64_lambda.function(handler, **more).invoke(event).error
    late = error("app.late", 0, timeout=0.2)
    assert late["errorMessage"].endswith("Error: Task timed out after 0.20 seconds")
    assert error("app.long", 7_000_000, timeout=60)["errorType"] == "Function.ResponseSizeTooLarge"
    assert error("nothing.here", 0)["errorType"] == "Runtime.ImportModuleError"
    missing = error("app.needs_a_test_package", 0)
    assert (missing["errorType"], missing["errorMessage"]) == (
        "ModuleNotFoundError", "No module named 'pytest'")
    # The x86 side has a copy of the project, which belongs to another user.
    assert error("app.writes", 0)["errorType"] in ("OSError", "PermissionError")
"""
TABLE = """
[tool.pytest-arm64]
target = "lambda-python3.12"
memory = "512MB"
handler = "app.handler"
"""


@pytest.mark.parametrize(
    ("client", "more"),
    [("awslambdaric", ()), ("pytest-arm64", ("--arm64-compare",))],
    ids=["AWS's client", "ours, and on x86"],
)
def test_a_function_is_called_in_its_cell(
    run_pytest: RunPytest, project: Callable[..., Path], client: str, more: tuple[str, ...]
) -> None:
    folder = project(test_it=SUITE % {"client": client})
    (folder / "app.py").write_text(APP, "utf-8")
    (folder / "requirements.txt").write_text("markupsafe==3.0.2\n", "utf-8")
    others = "awslambdaric==4.2.2\n" if client == "awslambdaric" else ""
    (folder / "requirements-test.txt").write_text(f"pytest\n{others}", "utf-8")
    (folder / "pyproject.toml").write_text(TABLE, "utf-8")
    result = run_pytest(folder, "--arm64", "-rP", *more)
    assert result.code == 0, result.out
    assert "2 passed" in result.out
    if more:
        assert "arm64 compare: 2 tests run, on linux/amd64 too" in result.out
