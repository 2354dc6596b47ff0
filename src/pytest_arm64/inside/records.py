"""The fixtures ``arm64_install`` and ``arm64_abi``: the records of the cell's environment.

Loaded on the host too, where they tell why there is none.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest

FOLDER = "PYTEST_ARM64_RECORDS"
"""Variable that names the folder of the records; set in cells only."""


@pytest.fixture(scope="session")
def arm64_install() -> Mapping[str, Any]:
    """What is installed in the cell: each package with file, hash and whether it was built."""
    return _record("record.json")


@pytest.fixture(scope="session")
def arm64_abi() -> Mapping[str, Any]:
    """Every compiled file of the cell's packages, and what keeps it from being loaded."""
    return _record("abi.json")


def _record(name: str) -> Mapping[str, Any]:
    folder = os.environ.get(FOLDER, "")
    if not folder:
        pytest.skip("this session runs in no ARM64 environment: run pytest --arm64")
    with open(os.path.join(folder, name), encoding="utf-8") as stream:
        return MappingProxyType(json.load(stream))
