"""Real source distributions, judged as the audit does: ``pytest tests/live/test_sdists.py``."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.version import Version

from pytest_arm64.config._toml import loads
from pytest_arm64.contents.sdists import SdistReader
from pytest_arm64.index.index import Index
from pytest_arm64.index.simple import SDIST

ROWS = loads((Path(__file__).parents[1] / "data/sdists.toml").read_text("utf-8"))["sdists"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['name']} {row['version']}")
def test_a_real_source_distribution_is_what_was_found_by_hand(
    index: Index, row: dict[str, str]
) -> None:
    files = index.page(row["name"]).releases[Version(row["version"])]
    contents = SdistReader(index).contents(
        row["name"], next(file for file in files if file.kind == SDIST)
    )
    assert contents is not None
    assert contents.verdict == row["verdict"], contents.proof
