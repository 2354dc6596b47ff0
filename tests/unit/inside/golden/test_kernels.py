"""Kernels of another core are told; generic ones and those of unknown cores are not."""

from __future__ import annotations

import pytest

from pytest_arm64.inside.golden.kernels import known_core, wrongly_picked


@pytest.mark.parametrize(
    ("core", "picked"),
    [
        ("graviton2 (qemu neoverse-n1)", ["neoversen1", "ARMV8"]),
        ("graviton3", ["NEOVERSEV1"]),
        ("graviton4", ["NEOVERSEV2"]),
        ("Apple M2", ["VORTEX"]),
        (None, ["NEOVERSEN1"]),
    ],
)
def test_what_belongs_to_the_core_or_to_every_core(core: str | None, picked: list[str]) -> None:
    assert wrongly_picked(core, picked) == ""


def test_kernels_of_another_core_name_both() -> None:
    told = wrongly_picked("graviton2 (qemu neoverse-n1)", ["NEOVERSEV1", "NEOVERSEN1"])
    assert "the kernels of NEOVERSEV1 on graviton2, whose own are NEOVERSEN1" in told


def test_a_core_is_known_by_its_first_word() -> None:
    assert known_core("graviton4 (qemu neoverse-n2)") == "graviton4"
    assert known_core("unnamed") is None
