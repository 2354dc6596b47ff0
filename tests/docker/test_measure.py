"""Measurements on both architectures: the same allocations, and no verdict on emulated time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from docker_cases import RunPytest

pytestmark = pytest.mark.alone

SUITE = """
import pytest

def preprocess(count):
    table = [(n * 2654435761 % 256 - 127.5) / 127.5 for n in range(count)]
    return len(bytes(3 * count)) + len(table)

@pytest.mark.arm64_budget(latency="1ns", memory="1MB")
def test_preprocess(arm64_measure):
    assert arm64_measure(preprocess, 4000, rounds=3, warmup=1).result == 16000

@pytest.mark.arm64_budget(memory="1MB")
def test_benchmarked(benchmark):
    benchmark.pedantic(preprocess, (100,), rounds=3)
"""


def test_allocations_are_those_of_x86_and_emulated_time_is_no_evidence(
    run_pytest: RunPytest, tmp_path: Path
) -> None:
    (tmp_path / "requirements.txt").write_text("")
    (tmp_path / "requirements-test.txt").write_text("pytest\nmemray\npytest-benchmark\n")
    (tmp_path / "test_it.py").write_text(SUITE)
    options = ("--arm64", "--arm64-compare", "--arm64-profile", "--arm64-report", "out")
    result = run_pytest(tmp_path, *options)
    measured = json.loads((tmp_path / "out/measurements.json").read_text("utf-8"))["measured"]
    found = {
        one["where"]["machine"]: one for one in measured if one["test"].endswith("test_preprocess")
    }
    assert sorted(found) == ["aarch64", "x86_64"], result.out
    x86, arm = (found[name]["records"][0]["memory"] for name in ("x86_64", "aarch64"))
    assert x86["tool"] == arm["tool"] == "memray"
    assert abs(arm["allocations"] - x86["allocations"]) <= 0.01 * x86["allocations"]
    assert abs(arm["peak"] - x86["peak"]) <= 0.01 * x86["peak"]
    assert "test_it.py::test_benchmarked: test_benchmarked (pytest-benchmark)" in result.out
    assert "budgets of memory not evaluated: pytest-benchmark measures no memory" in result.out
    emulated = found["aarch64"]["where"]["emulated"]
    assert result.code == (0 if emulated else 1), result.out  # a nanosecond is too much to ask
    assert ("emulated time proves nothing" in result.out) == emulated
    profiles = json.loads((tmp_path / "out/profile.json").read_text("utf-8"))["profiles"]
    (counted,) = [one for one in profiles if one["where"]["machine"] == "aarch64"]
    calls = {name: count for _, _, name, _, count in counted["functions"]}
    assert (calls["preprocess"] or 0) >= (5 if emulated else 0)
    # The report has both cells, side by side.
    (service,) = json.loads((tmp_path / "out/report.json").read_text("utf-8"))["services"]
    assert {one["where"]["machine"] for one in service["measured"]} == {"aarch64", "x86_64"}
    # So short a time need not be met by a sample on x86.
    profiled = {one["where"]["machine"] for one in profiles}
    assert {one["where"]["machine"] for one in service["profiles"]} == profiled
