"""Cells: what was asked against what ran."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from pytest_arm64.config.cell import Cell, machine_of
from pytest_arm64.config.targets import own_target
from unit.support import AL2023, CELL, ran


def test_platform_and_override() -> None:
    assert CELL.platform == "linux/arm64"
    assert not CELL.overridden
    assert replace(CELL, image="mine").overridden
    assert Cell(AL2023, "amd64", "graviton2", AL2023.reference).platform == "linux/amd64"


@pytest.mark.parametrize(("architecture", "machine"), [("arm64", "aarch64"), ("amd64", "x86_64")])
def test_machine_of(architecture: str, machine: str) -> None:
    assert machine_of(architecture) == machine


def test_emulated_is_another_machine_than_the_engines() -> None:
    assert ran(engine_machine="x86_64").emulated
    assert not ran(engine_machine="x86_64").native
    assert ran(engine_machine="aarch64").native


def test_as_asked() -> None:
    assert ran().differences(AL2023) == []
    assert not ran().stand_in(AL2023)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"os": "debian 12", "os_name": "Debian 12"}, ["Debian 12, not amzn 2023"]),
        ({"python_minor": "3.13"}, ["Python 3.13, not 3.12"]),
        ({"glibc": "2.36"}, ["glibc 2.36, not 2.34"]),
        ({"glibc": ""}, ["glibc (none: musl), not 2.34"]),
        ({"page_size": 65536}, ["pages of 65,536 bytes, not 4,096"]),
        ({"page_size": 0}, []),
        (
            {"os": "x", "os_name": "X", "python_minor": "3.9", "glibc": "2.1"},
            ["X, not amzn 2023", "Python 3.9, not 3.12", "glibc 2.1, not 2.34"],
        ),
    ],
)
def test_differences_in_words(changes: dict[str, Any], words: list[str]) -> None:
    assert ran(**changes).differences(AL2023) == words
    assert ran(**changes).stand_in(AL2023) is ("os" in changes)


@pytest.mark.parametrize(
    ("os", "stand_in"),
    [("almalinux 9.6", False), ("almalinux 9", False), ("almalinux 90", True), ("rhel 9.6", True)],
)
def test_a_target_may_name_a_major_version_alone(os: str, stand_in: bool) -> None:
    target = replace(AL2023, os="almalinux 9")
    assert ran(os=os).stand_in(target) is stand_in
    # One with a minor means that one.
    assert ran(os="amzn 2").stand_in(AL2023)


def test_own_target_without_system_or_glibc_asks_for_none() -> None:
    own = own_target("mine", {"image": "x", "python": "3.12"})
    assert ran(os="alpine 3", glibc="").differences(own) == []
    assert ran(os="debian 12", glibc="2.36").differences(own) == []


def test_json_holds_the_grade_of_the_evidence() -> None:
    facts = json.loads(json.dumps(ran(os="debian 12", os_name="Debian").ran(AL2023).facts()))
    assert facts["target"] == "al2023-python3.12"
    assert facts["stand_in"] is True
    assert facts["emulated"] is True
    assert facts["differences"] == ["Debian, not amzn 2023"]
    assert facts["python"] == "3.12.4"
    assert {"image", "image_id", "digest", "machine", "glibc", "libstdcxx", "core"} <= set(facts)
