"""Garbage in place of real outputs fails by default, and a value against itself never does."""

from __future__ import annotations

from typing import Any

import pytest

from detection.causes import FINDINGS, Finding
from detection.corruptions import CORRUPTIONS, corrupted
from detection.outputs import OUTPUTS
from pytest_arm64.inside.golden.leaves import compare
from pytest_arm64.inside.golden.policy import Policy
from pytest_arm64.inside.golden.values import stored


def passes(golden: Any, here: Any) -> bool:
    return compare("value", stored(golden), stored(here), Policy()).ok


@pytest.mark.parametrize("finding", FINDINGS, ids=lambda finding: finding.name)
def test_each_finding_has_its_cause(finding: Finding) -> None:
    assert finding.right, f"{finding.said!r} is not {finding.causes}"


@pytest.mark.parametrize("corruption", CORRUPTIONS)
def test_garbage_fails(corruption: str) -> None:
    tried, passed = 0, []
    for name, output in OUTPUTS.items():
        value = output.compute(1)
        numbers = corrupted(corruption, output.numbers(value))
        if numbers is None:
            continue
        tried += 1
        if passes(value, output.rebuilt(value, numbers)):
            passed.append(name)
    assert passed == []
    assert tried


def test_values_do_not_differ_from_themselves() -> None:
    values = [(name, seed) for name in OUTPUTS for seed in range(24)]
    assert len(values) >= 500
    failed = [
        (name, seed)
        for name, seed in values
        if not passes(OUTPUTS[name].compute(seed), OUTPUTS[name].compute(seed))
    ]
    assert failed == []


def test_the_tables_are_large_enough() -> None:
    assert len(CORRUPTIONS) >= 30
    assert len(OUTPUTS) >= 20
    assert len(FINDINGS) >= 60
    assert len({finding.name for finding in FINDINGS}) == len(FINDINGS)
