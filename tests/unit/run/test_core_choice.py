"""``--arm64-cpu auto``: one more core where deployed code can tell them apart, and why."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from pytest_arm64.binary.record import (
    CORE_CODE,
    EXECUTABLE_STACK,
    NEWER_CORE,
    AbiFinding,
    AbiRecord,
)
from pytest_arm64.config.services import ServiceConfig
from pytest_arm64.config.settings import Settings
from pytest_arm64.config.targets import find_target
from pytest_arm64.inside.ran import Ran
from pytest_arm64.mirror.transport import Transport
from pytest_arm64.run.cells import Role, planned_cells
from pytest_arm64.run.core_choice import CoreChoice, core_choice
from pytest_arm64.run.place import Place

AUTO = Settings(root=Path("/p"), target=find_target("al2023-python3.12", {}), cores_by_code=True)
DEFAULT = replace(AUTO, cores_by_code=False)
EMULATED = Ran("aarch64", "graviton2 (qemu neoverse-n1)", emulated=True)
NUMPY = AbiFinding(
    "env/lib/numpy/core.so", CORE_CODE, "", grave=False, package="numpy-2.4.6", extension="SVE"
)
HEADLESS = replace(NUMPY, package="opencv_python_headless-5.0", path="env/cv2.so")


def choice(
    *findings: AbiFinding, settings: Settings = AUTO, ran: Ran = EMULATED, x86: bool = False
) -> CoreChoice:
    record = AbiRecord("a", "b", "aarch64", looked_up=True, files=(), findings=findings)
    *_, planned = planned_cells(settings, ServiceConfig("p", settings.root, itself=True), x86=x86)
    return core_choice(
        settings, planned, Place(cast("Transport", None), (), ran, "here", abi=record)
    )


@pytest.mark.parametrize("kind", [CORE_CODE, NEWER_CORE])
@pytest.mark.parametrize("extension", ["SVE", "I8MM", "BF16", "FHM"])
def test_code_that_graviton2_never_runs_adds_graviton3(kind: str, extension: str) -> None:
    found = choice(replace(NUMPY, kind=kind, extension=extension))
    assert found.further is not None
    assert found.further.role is Role.FURTHER
    assert (found.further.name, found.further.cell.platform) == ("graviton3", "linux/arm64")
    (line,) = found.lines
    assert f"numpy 2.4.6 with code that graviton2 never runs ({extension})" in line
    assert "all tests also run on graviton3" in line
    assert "about as long again" in line


def test_packages_are_named_as_pip_names_their_files_and_counted() -> None:
    others = [replace(NUMPY, package=f"p{number}-1") for number in range(3)]
    (line,) = choice(HEADLESS, NUMPY, NUMPY, *others).lines
    assert "numpy 2.4.6, opencv_python_headless 5.0, p0 1 and 2 more with code" in line


def test_a_file_of_no_package_is_named_by_its_path() -> None:
    (line,) = choice(replace(NUMPY, package="", path="opt/own.so")).lines
    assert "opt/own.so with code" in line


@pytest.mark.parametrize(
    "finding",
    [
        replace(NUMPY, path="tests/lib/numpy/core.so"),  # it is not deployed
        replace(NUMPY, kind=EXECUTABLE_STACK, extension=""),
        replace(NUMPY, extension="SME"),  # that no Graviton has
    ],
)
def test_what_no_core_tells_apart_adds_none(finding: AbiFinding) -> None:
    assert choice(finding) == CoreChoice(
        ("arm64: --arm64-cpu auto: no code was seen that graviton2 does not run: one core",)
    )


def test_a_native_core_cannot_be_chosen() -> None:
    native = Ran("aarch64", "Neoverse V1 (as Graviton3)", emulated=False)
    found = choice(NUMPY, ran=native)
    assert found.further is None
    assert found.lines == (
        "arm64: --arm64-cpu auto: Neoverse V1 (as Graviton3) is native: its core cannot be chosen",
    )
    assert choice(NUMPY, ran=native, settings=DEFAULT) == CoreChoice()


def test_the_default_core_runs_alone_and_the_header_says_what_it_misses() -> None:
    found = choice(NUMPY, settings=DEFAULT)
    assert found.further is None
    (line,) = found.lines
    assert line.endswith("to run the tests on graviton3 too: --arm64-cpu auto")
    assert choice(settings=DEFAULT) == CoreChoice()


def test_cores_that_were_named_are_left_as_they_are() -> None:
    named = replace(DEFAULT, cores=("graviton3", "graviton2"))
    assert choice(NUMPY, settings=named) == CoreChoice()


def test_what_stays_on_x86_has_no_core_to_choose() -> None:
    assert choice(NUMPY, x86=True) == CoreChoice()
