"""Cores: every one that can be asked for has a model, and none is invented."""

from __future__ import annotations

from unittest.mock import MagicMock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.config.cell import Cell
from pytest_arm64.config.targets import shipped_targets
from pytest_arm64.engine.emulation import (
    QEMU_MODELS,
    emulated_name,
    native_name,
    qemu_environment,
)
from pytest_arm64.engine.endpoint import Engine
from pytest_arm64.inside.options import CORES

TARGET = shipped_targets()["al2023-python3.12"]


def test_every_core_has_a_model_of_its_own() -> None:
    assert set(QEMU_MODELS) == set(CORES)
    assert len(set(QEMU_MODELS.values())) == len(CORES)
    assert all(model.startswith("neoverse-") for model in QEMU_MODELS.values())


@pytest.mark.parametrize("core", CORES)
def test_only_what_is_emulated_is_told_to_qemu(core: str) -> None:
    arm, amd = (Cell(TARGET, architecture, core, "image") for architecture in ("arm64", "amd64"))
    on_x86, on_arm = (Engine(MagicMock(), machine, "", False) for machine in ("x86_64", "aarch64"))
    assert qemu_environment(arm, on_x86) == {"QEMU_CPU": QEMU_MODELS[core]}
    assert qemu_environment(arm, on_arm) == {}
    assert qemu_environment(amd, on_x86) == {}
    assert qemu_environment(amd, on_arm) == {}
    assert core in emulated_name(core)
    assert QEMU_MODELS[core] in emulated_name(core)


@pytest.mark.parametrize(
    ("part", "core"), [("0xd0c", "Graviton2"), ("0xd40", "Graviton3"), ("0xd4f", "Graviton4")]
)
def test_graviton_is_recognised(part: str, core: str) -> None:
    assert core in native_name("0x41", part)
    assert "Graviton" not in native_name("0x42", part)


@given(st.text(max_size=6))
def test_apple_is_never_taken_for_graviton(part: str) -> None:
    assert native_name("0x61", part) == "Apple (native ARM, no Neoverse)"


@given(st.text(max_size=6), st.text(max_size=6))
def test_unknown_cores_are_named_as_they_name_themselves(implementer: str, part: str) -> None:
    found = native_name(implementer, part)
    assert found
    if implementer not in ("", "0x41", "0x61"):
        assert implementer in found
        assert part in found
