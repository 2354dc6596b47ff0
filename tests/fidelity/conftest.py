"""Fixtures of the fidelity suite."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from fidelity.harness import Case, MakeCase


@pytest.fixture
def project(tmp_path: Path) -> MakeCase:
    """``project({"test_a.py": "..."}, …)``: a case in this test's own folder."""

    def make(files: Mapping[str, str] | str, **more: Any) -> Case:
        if isinstance(files, str):
            files = {"test_it.py": files}
        return Case(tmp_path / "case", files, **more)

    return make
