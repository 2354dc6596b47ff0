"""The cell list: roles, order, images."""

from __future__ import annotations

from pathlib import Path

from pytest_arm64.config.changes import read_changes
from pytest_arm64.config.services import ServiceConfig
from pytest_arm64.config.settings import Settings
from pytest_arm64.config.targets import find_target
from pytest_arm64.run.cells import PlannedCell, Role, planned_cells

TARGET = find_target("al2023-python3.12", {})


def cells(**more: object) -> tuple[PlannedCell, ...]:
    settings = Settings(root=Path("/p"), target=TARGET, **more)  # type: ignore[arg-type]
    return planned_cells(settings, ServiceConfig("p", settings.root, itself=True))


def test_one_core_is_one_cell() -> None:
    (only,) = cells()
    assert only.role is Role.MIRRORED
    assert only.cell.platform == "linux/arm64"
    assert only.cell.image == TARGET.reference


def test_the_reference_runs_first_and_the_mirrored_one_last() -> None:
    found = cells(cores=("graviton3", "graviton2"), reference=True, image="own:{arch}")
    assert [(p.role.value, p.name, p.cell.image) for p in found] == [
        ("reference", "linux/amd64", "own:amd64"),
        ("further", "graviton2", "own:arm64"),
        ("mirrored", "graviton3", "own:arm64"),
    ]


def test_a_trial_runs_x86_without_and_with_the_change_and_then_arm_with_it() -> None:
    changes = read_changes(["a==1"])
    found = cells(cores=("graviton3", "graviton2"), reference=True, changes=changes)
    assert [(p.role.value, p.name, p.changes) for p in found] == [
        ("reference", "linux/amd64", ()),
        ("changed", "linux/amd64 with the change", changes),
        ("further", "graviton2", changes),
        ("mirrored", "graviton3", changes),
    ]
