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
    emulator_version,
    emulator_warning,
    native_name,
    qemu_environment,
)
from pytest_arm64.engine.endpoint import Engine
from pytest_arm64.inside.options import CORES

TARGET = shipped_targets()["al2023-python3.12"]


def test_every_core_has_a_model_and_only_the_nearest_is_shared() -> None:
    assert tuple(QEMU_MODELS) == CORES
    assert len(set(QEMU_MODELS.values())) == len(CORES) - 1
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
    ("part", "core"),
    [
        ("0xd0c", "Graviton2"),
        ("0xd40", "Graviton3"),
        ("0xd4f", "Graviton4"),
        ("0xd84", "Graviton5"),
    ],
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


DEBIAN = "qemu-aarch64 version 10.0.2 (Debian 1:10.0.2+ds-2)\nCopyright (c) 2003-2025"


@pytest.mark.parametrize(
    ("output", "version"),
    [
        (DEBIAN, "10.0.2"),
        ("qemu-aarch64-static version 7.2.0", ""),
        ("qemu-arm version 9.2.50 (v9.2)", "9.2.50"),
        ("", ""),
        ("true: version 3", ""),
    ],
)
def test_the_version_that_qemu_prints(output: str, version: str) -> None:
    assert emulator_version(output) == version


@given(st.text())
def test_any_output_has_a_version_or_none(output: str) -> None:
    assert emulator_warning(emulator_version(output)) is not None


@pytest.mark.parametrize(
    ("version", "bad"),
    [
        ("5.0.1", False),
        ("5.1.0", True),
        ("7.0.0", True),
        ("9.2.0", True),
        ("9.2.1", True),
        ("9.2.2", False),
        ("10.0.2", False),
        ("", False),
    ],
)
def test_versions_that_crash_at_random_are_named(version: str, *, bad: bool) -> None:
    warning = emulator_warning(version)
    assert bool(warning) is bad
    assert not bad or (version in warning and "9.2.2" in warning)
