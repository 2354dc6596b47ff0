"""A container of a Lambda target has what a function has, and the same suite passes elsewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from docker_cases import RunPytest

SUITE = """
import multiprocessing, os, pathlib, tempfile, threading

HERE = pathlib.Path(__file__).parent

def test_queue():
    multiprocessing.Queue().close()

def test_write_beside_the_code():
    (HERE / "written").write_text("")
    (HERE / "written").unlink()

def test_write_to_the_home_folder():
    pathlib.Path("~/written").expanduser().write_text("")

def test_files():
    opened = []
    try:
        for _ in range(1025):
            opened.append(open(os.devnull))
    finally:
        for stream in opened:
            stream.close()

def test_temporary():
    with tempfile.TemporaryFile() as stream:
        for _ in range(17):
            stream.write(bytes(2**20))
        stream.flush()

def test_threads():
    over = threading.Event()
    started = []
    try:
        for _ in range(1030):
            started.append(threading.Thread(target=over.wait))
            started[-1].start()
    finally:
        over.set()
        for thread in started:
            if thread.ident:
                thread.join()

def test_processors():
    assert pathlib.Path("/sys/devices/system/cpu/possible").read_text()

def test_aborts():
    # As onnxruntime does it.
    try:
        open("/sys/devices/system/cpu/present").close()
    except OSError:
        os.write(2, b"failed to parse the list in /sys/devices/system/cpu/present\\n")
        os.abort()

def test_what_a_function_may_do(tmp_path, arm64_target):
    (tmp_path / "written").write_text("")
    receiver, sender = multiprocessing.Pipe()
    process = multiprocessing.Process(target=sender.send, args=("x",))
    process.start()
    assert receiver.recv() == "x"
    process.join()
    if arm64_target["limits"]:
        assert os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "3008"
        assert os.environ["LAMBDA_TASK_ROOT"] == str(HERE)
"""
MET = {
    "queue": "Lambda has no /dev/shm",
    "write_beside_the_code": "can write to /tmp and nowhere else",
    "write_to_the_home_folder": "can write to /tmp and nowhere else",
    "files": "can have 1,024 files open",
    "temporary": "no space is left in /tmp",
    "threads": "can have 1,024 processes and threads",
    "processors": "Lambda hides /sys/devices/system/cpu",
    "aborts": "Lambda hides /sys/devices/system/cpu",
}
TABLE = '[tool.pytest-arm64]\ntarget = "lambda-python3.12"\ntmp-size = "16MB"\nmemory = "3008MB"\n'


@pytest.mark.parametrize("more", [(), ("--arm64-copy",)], ids=["mounted", "copied"])
def test_a_function_meets_its_limits(
    run_pytest: RunPytest, project: Callable[..., Path], more: tuple[str, ...]
) -> None:
    folder = project(test_it=SUITE)
    (folder / "pyproject.toml").write_text(TABLE, "utf-8")
    report = folder.parent / "report"
    result = run_pytest(folder, "--arm64", f"--arm64-report={report}", *more)
    assert result.code == 1, result.out
    assert f"{len(MET)} failed, 1 passed" in result.out
    for name, hint in MET.items():
        failure = re.search(rf"(?s)_ test_{name} _.*?(?=\n___|\n===)", result.out)
        assert failure is not None, name
        assert hint in failure[0], failure[0]
    (line,) = result.lines("arm64: limited as a Lambda function")
    for words in ("no /dev/shm", "/tmp up to 16 MB", "1,024 open files", "1.7 processors"):
        assert words in line, line
    assert "PytestCacheWarning" not in result.out
    found = json.loads((report / "report.json").read_text("utf-8"))
    limits = [entry["limits"] for entry in _places(found)]
    assert limits
    assert all("no /dev/shm" in words for words in limits)


def _places(found: object) -> list[dict[str, list[str]]]:
    """Every description in a report of what something ran on."""
    if isinstance(found, dict):
        here = [found] if "image_id" in found and found.get("machine") == "aarch64" else []
        return here + [place for value in found.values() for place in _places(value)]
    return [place for value in found for place in _places(value)] if isinstance(found, list) else []


@pytest.mark.parametrize(
    "table",
    ['target = "al2023-python3.12"', 'target = "lambda-python3.12"\nlambda-limits = false'],
    ids=["another target", "switched off"],
)
def test_the_same_suite_passes_without_them(
    run_pytest: RunPytest, project: Callable[..., Path], table: str
) -> None:
    folder = project(test_it=SUITE)
    (folder / "pyproject.toml").write_text(f"[tool.pytest-arm64]\n{table}\n", "utf-8")
    result = run_pytest(folder, "--arm64")
    assert result.code == 0, result.out
    assert result.lines("arm64: limited") == []


def test_tests_that_write_beside_themselves_get_a_copy(
    run_pytest: RunPytest, project: Callable[..., Path]
) -> None:
    folder = project(test_it=SUITE)
    (folder / "pyproject.toml").write_text(TABLE + 'lambda-code = "copy"\n', "utf-8")
    result = run_pytest(folder, "--arm64", "-k", "write")
    assert "1 failed, 1 passed" in result.out, result.out
    assert "the copy of the project can be written" in result.out


def test_coverage_and_the_cache_of_pytest_come_to_the_project(
    run_pytest: RunPytest, project: Callable[..., Path]
) -> None:
    folder = project(test_it="def test_a(): assert 0\ndef test_b(): pass\n")
    (folder / "requirements-test.txt").write_text("pytest\npytest-cov\n", "utf-8")
    (folder / "pyproject.toml").write_text(TABLE, "utf-8")
    result = run_pytest(folder, "--arm64", "--cov=test_it", "--cov-report=term")
    assert "1 failed, 1 passed" in result.out, result.out
    assert re.search(r"test_it\.py\s+2\s+0\s+100%", result.out), result.out
    again = run_pytest(folder, "--arm64", "--lf")
    assert "1 failed" in again.out
    assert "passed" not in again.out.splitlines()[-1]
    assert (folder / ".pytest_cache/.gitignore").read_text("ascii") == "*\n"
