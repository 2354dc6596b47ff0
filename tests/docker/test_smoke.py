"""The smoke tests in a cell: what is deployed is called there, and what has no check is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from docker_cases import RunPytest


def test_deployed_packages_are_called_in_the_cell(
    run_pytest: RunPytest, project: Callable[..., Path]
) -> None:
    folder = project("xxhash\nmsgpack\nmarkupsafe\nhf-xet\n")
    result = run_pytest(folder, "--arm64", "-v", "--pyargs", "pytest_arm64.smoke")
    assert result.code == 0, result.out
    for package in ("xxhash", "msgpack", "markupsafe"):
        assert f"test_smoke[{package}] PASSED" in result.out
    assert "3 passed" in result.out
    assert "arm64 smoke: 3 packages with a check" in result.out
    assert "native packages without one: hf-xet" in result.out
