"""Released wheels that are wrong on ARM64 alone: what a run with default settings shows of each."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from docker_cases import RunPytest
from pytest_arm64.cli import main
from pytest_arm64.config._toml import loads

WHEELS: Sequence[Mapping[str, str]] = loads(
    Path(__file__).parents[1].joinpath("data", "released-wheels.toml").read_text("utf-8")
)["wheels"]
TARGET = "al2023-python3.11"
GROUPS = sorted({wheel["group"] for wheel in WHEELS if "group" in wheel})


def pinned(wheels: Sequence[Mapping[str, str]]) -> str:
    return "".join(f"{wheel['name']}=={wheel['version']}\n" for wheel in wheels)


def not_seen(wheels: Sequence[Mapping[str, str]], junit: Path, report: Path) -> list[str]:
    """Names of those of *wheels* of which the run did not show what it should."""
    failures = dict(failed(junit))
    (service,) = json.loads(report.read_text())["services"]
    kinds = {(finding["package"], finding["cause"]) for finding in service["findings"]}
    names = []
    for wheel in wheels:
        name, says = wheel["name"], wheel["says"]
        release = f"{name.replace('-', '_')}-{wheel['version']}"
        if wheel["seen"] == "compiled-file":
            seen = (release, says) in kinds
        else:
            by = wheel["core"] if wheel["seen"] == "core" else f"test_{name.replace('-', '_')}"
            seen = says in failures.get(by, "")
        if not seen:
            names.append(name)
    return names


def failed(junit: Path) -> Iterator[tuple[str, str]]:
    """Module of each test that failed, or core of each gate, and the text of the failure."""
    for case in ElementTree.parse(junit).iter("testcase"):
        for failure in case.findall("failure"):
            gate = case.get("classname", "").startswith("arm64.")
            yield (case.get("name" if gate else "classname", ""), failure.text or "")


@pytest.mark.long
@pytest.mark.parametrize("group", GROUPS)
def test_each_is_found(run_pytest: RunPytest, project: Callable[..., Path], group: str) -> None:
    wheels = [wheel for wheel in WHEELS if wheel.get("group") == group]
    tests = {f"test_{w['name'].replace('-', '_')}": w["test"] for w in wheels}
    folder = project(pinned(wheels), **tests)
    junit, report = folder / "junit.xml", folder / "report"
    result = run_pytest(
        folder,
        *("--arm64", "--arm64-target", TARGET, f"--junitxml={junit}"),
        *("--arm64-report", str(report)),
    )
    assert result.code == 1, result.out
    assert not_seen(wheels, junit, report / "report.json") == [], result.out


@pytest.mark.long
def test_each_that_nothing_has_to_be_installed_for_is_found_by_the_audit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wheels = [wheel for wheel in WHEELS if wheel["seen"] == "audit"]
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(pinned(wheels))
    main(["audit", str(requirements), "--target", TARGET, "--format", "json"])
    rows: Sequence[Mapping[str, Any]] = json.loads(capsys.readouterr().out)["packages"]
    causes = {row["name"]: row["cause"] for row in rows}
    assert {w["name"]: causes.get(w["name"]) for w in wheels} == {
        w["name"]: w["says"] for w in wheels
    }
