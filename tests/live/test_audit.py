"""What the configured index says today. Not part of the ordinary run: ``pytest tests/live``."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pytest_arm64.audit.auditor import Auditor
from pytest_arm64.audit.matrix import WheelMatrix
from pytest_arm64.config._toml import loads
from pytest_arm64.config.targets import shipped_targets
from pytest_arm64.inputs.service import read_service
from unit.audit.test_pins import PINS
from unit.support import write

TABLES = loads(
    (Path(__file__).parents[2] / "src/pytest_arm64/resources/packages.toml").read_text("utf-8")
)
REPLACEMENTS = sorted({entry["name"] for entry in TABLES["replacements"].values()})


def audited(folder: Path, text: str) -> WheelMatrix:
    write(folder, {"requirements.txt": text})
    service = read_service(folder / "requirements.txt", os.environ)
    with Auditor(os.environ) as auditor:
        return auditor.matrix(service, shipped_targets()["al2023-python3.12"])


def test_the_pins_are_what_they_were(tmp_path: Path) -> None:
    matrix = audited(tmp_path, "\n".join(PINS))
    states = {f"{row.name}=={row.version}": row.state for row in matrix.deployed}
    assert {pin: states[pin] for pin in PINS} == PINS


@pytest.mark.parametrize("name", REPLACEMENTS)
def test_a_replacement_has_a_usable_wheel(tmp_path: Path, name: str) -> None:
    row = audited(tmp_path, name)[name]
    assert row.green, (row.state, row.cause, row.detail)


@pytest.mark.parametrize("name", sorted(TABLES["replacements"]))
def test_what_is_replaced_still_has_none(tmp_path: Path, name: str) -> None:
    row = audited(tmp_path, name)[name]
    assert not row.green, f"{name} {row.version} has {row.file}: the table can lose it"
