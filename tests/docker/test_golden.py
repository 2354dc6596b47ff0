"""The comparison with x86 in real containers, by the conformance cases that need no library."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from docker_cases import RunPytest
from pytest_arm64.engine.endpoint import Engine

SAME = "identical"
INTEGER, OUTCOME, FLOAT = "integer/cast", "exception or signal changed", "beyond policy"
EXPECTED = {
    "copysign of a new NaN": FLOAT,
    "os.O_DIRECT": INTEGER,
    "byte order and sizes": SAME,
    "hashes and checksums": SAME,
    "sum of char[]": INTEGER,
    "plain char": INTEGER,
    "wchar_t": INTEGER,
    "long double": INTEGER,
    "division by zero": OUTCOME,
    "aligned SIMD load of an unaligned address": OUTCOME,
    "a*b+c": FLOAT,
    "0/0": FLOAT,
    "(int)3e9f": INTEGER,
    "(int)NAN": INTEGER,
    "(unsigned char)-2.0f": INTEGER,
    "shift by the width": SAME,
    "shuffle": SAME,
    "unaligned integer": SAME,
    "sum of tenths": SAME,
}


def test_known_differences_come_out_as_known(
    run_pytest: RunPytest, project: Callable[..., Path], tmp_path: Path, engine: Engine
) -> None:
    if engine.machine != "x86_64":
        pytest.skip("the x86 side would be emulated, whose values say nothing about x86")
    junit = tmp_path / "junit.xml"
    result = run_pytest(
        project(),
        *("--arm64", "--arm64-compare", "--pyargs", "pytest_arm64.conformance"),
        *("-k", "stdlib or native", f"--junitxml={junit}"),
    )
    assert result.code == 0, result.out
    told = {}
    for found in ElementTree.parse(junit).iter("property"):
        if found.get("name") == "arm64_conformance":
            case = json.loads(found.get("value", ""))
            told[case["case"]] = case["verdict"]
    assert {name: told.get(name) for name in EXPECTED} == EXPECTED
    assert "0 differ" in result.out
