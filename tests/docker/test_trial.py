"""``--arm64-try`` in real containers: a pin that is moved, and a change that breaks a golden."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

from docker_cases import RunPytest
from pytest_arm64.engine.endpoint import Engine
from pytest_arm64.report.document import read_report

SUITE = """
import halves

def test_version():
    assert halves.half(3) * 2 == 3

def test_value(arm64_golden):
    arm64_golden.check(halves.half(3))
"""


def wheel(folder: Path, version: str, tag: str, code: str) -> None:
    info = f"arm64_trial_case-{version}.dist-info"
    members = {
        "halves.py": code,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: arm64-trial-case\nVersion: {version}\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    record = "".join(f"{name},,\n" for name in (*members, f"{info}/RECORD"))
    with zipfile.ZipFile(folder / f"arm64_trial_case-{version}-{tag}.whl", "w") as archive:
        for name, text in {**members, f"{info}/RECORD": record}.items():
            archive.writestr(name, text)


def served(folder: Path) -> str:
    """Requirements of a project whose release 1.0 is for x86 alone; 3.0 computes otherwise."""
    links = folder / "links"
    links.mkdir(parents=True)
    x86 = "py3-none-manylinux_2_17_x86_64"
    wheel(links, "1.0", x86, "def half(x): return x / 2\n")
    wheel(links, "2.0", "py3-none-any", "def half(x): return x / 2\n")
    wheel(links, "3.0", "py3-none-any", "def half(x): return x / 2 * 1.01\n")
    return "--find-links links\narm64-trial-case==1.0\n"


def test_moving_a_pin_turns_the_verdict_and_touches_no_file(
    run_pytest: RunPytest, project: Callable[..., Path], tmp_path: Path, engine: Engine
) -> None:
    folder = project(served(tmp_path / "project"), test_acme=SUITE)
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    arguments = ("--arm64-try", "arm64-trial-case==2.0", "--arm64-report=../out")
    result = run_pytest(folder, "--arm64", *arguments)
    assert result.code == 0, result.out
    for side in ("x86", "ARM64"):
        assert f"{side} with the change: 2 tests and 1 golden equal" in result.out
    report = read_report(tmp_path / "out")
    (verdict,) = report.verdicts
    assert verdict.verdict == "replace"
    assert verdict.grade != "predicted"
    assert verdict.answers[2].text == "tried arm64-trial-case==2.0: 2 tests and 1 golden equal"
    left = {p: p.read_bytes() for p in before}
    assert left == before
    assert not (folder / "arm64_golden").exists()


def test_a_change_that_breaks_a_golden_is_reported_and_fails_the_run(
    run_pytest: RunPytest, project: Callable[..., Path], tmp_path: Path, engine: Engine
) -> None:
    folder = project(served(tmp_path / "project"), test_acme=SUITE)
    arguments = ("--arm64-try", "arm64-trial-case==3.0", "--arm64-report=../out")
    result = run_pytest(folder, "--arm64", *arguments)
    assert result.code == 1, result.out
    for side in ("x86", "ARM64"):
        assert f"{side} with the change: breaks 2, 0 tests equal" in result.out
    assert "breaks golden '0' of test_acme.py::test_value: equal → beyond policy" in result.out
    data = json.loads((tmp_path / "out/report.json").read_text())
    (service,) = data["services"]
    assert service["verdict"]["verdict"] == "undecided"
    assert {effect["value"] for effect in service["trials"][0]["sides"][1]["effects"]} == {"", "0"}


def test_a_change_that_cannot_be_resolved_builds_nothing(
    run_pytest: RunPytest, project: Callable[..., Path], tmp_path: Path
) -> None:
    folder = project(served(tmp_path / "project"), test_acme=SUITE)
    result = run_pytest(folder, "--arm64", "--arm64-try", "arm64-trial-case==4.0")
    assert result.code == 4, result.out
    assert "cannot be resolved with it" in result.out
    assert "arm64-trial-case" in result.out
    assert "create" not in result.out
