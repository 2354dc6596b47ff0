"""The import path of a function is in Lambda's order."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from pytest_arm64.inside.function.bootstrap import arranged

LIBRARY = Path(os.__file__).parent
ARCHIVE = f"{LIBRARY.parent}/python{sys.version_info[0]}{sys.version_info[1]}.zip"
STANDARD = [ARCHIVE, str(LIBRARY), f"{LIBRARY}/lib-dynload"]


def test_code_comes_first_then_packages_then_the_runtime_and_the_library_is_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAMBDA_RUNTIME_DIR", str(tmp_path))
    path = [*STANDARD, "/env/site", "/tests/site", "/testsuite", "/code"]
    assert arranged(path, "/code", ["/tests"]) == [
        "/code",
        "/env/site",
        "/testsuite",
        str(tmp_path),
        *STANDARD,
    ]


def test_a_runtime_folder_that_is_missing_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAMBDA_RUNTIME_DIR", "/nothing/there")
    assert arranged(STANDARD, "/code", []) == ["/code", *STANDARD]
