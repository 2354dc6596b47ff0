"""Real wheels for any platform, looked into as the audit does."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.version import Version

from pytest_arm64.config._toml import loads
from pytest_arm64.contents.wheels import WheelReader
from pytest_arm64.index.index import Index

ROWS = loads((Path(__file__).parents[1] / "data/wheels.toml").read_text("utf-8"))["wheels"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['name']} {row['version']}")
def test_a_real_wheel_holds_what_a_scan_of_all_members_found(
    index: Index, row: dict[str, str]
) -> None:
    files = index.page(row["name"]).releases[Version(row["version"])]
    wheel = next(file for file in files if file.name.endswith("-any.whl"))
    contents = WheelReader(lambda: index).contents({row["name"]: wheel})[row["name"]]
    assert bool(contents.x86) == bool(row["x86"]), contents.x86
    assert not row["x86"] or row["x86"] in contents.x86
