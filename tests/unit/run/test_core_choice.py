"""One more core where deployed code can tell them apart, and why."""

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
    CompiledFile,
)
from pytest_arm64.config.services import ServiceConfig
from pytest_arm64.config.settings import Settings
from pytest_arm64.config.targets import find_target
from pytest_arm64.inside.ran import Ran
from pytest_arm64.mirror.transport import Transport
from pytest_arm64.run.cells import Role, planned_cells
from pytest_arm64.run.core_choice import CoreChoice, core_choice, reaching
from pytest_arm64.run.place import Place

DEFAULT = Settings(root=Path("/p"), target=find_target("al2023-python3.12", {}), cores_by_code=True)
AUTO = replace(DEFAULT, cores_named=True)
NAMED = replace(DEFAULT, cores_by_code=False, cores_named=True)
EMULATED = Ran("aarch64", "graviton2 (qemu neoverse-n1)", emulated=True)
SITE = "env/lib/python3.12/site-packages"
NUMPY = AbiFinding(
    f"{SITE}/numpy.libs/blas.so",
    CORE_CODE,
    "",
    grave=False,
    package="numpy-2.4.6",
    extension="SVE",
)
HEADLESS = replace(NUMPY, package="opencv_python_headless-5.0", path=f"{SITE}/cv2/cv2.so")
FILES = (
    CompiledFile(f"{SITE}/numpy.libs/blas.so", "aarch64", "library", "numpy-2.4.6"),
    CompiledFile(f"{SITE}/numpy/core/umath.so", "aarch64", "module", "numpy-2.4.6"),
    CompiledFile(f"{SITE}/_single.abi3.so", "aarch64", "module", "single-1"),
)


def choice(
    *findings: AbiFinding, settings: Settings = AUTO, ran: Ran = EMULATED, x86: bool = False
) -> CoreChoice:
    record = AbiRecord("a", "b", "aarch64", looked_up=True, files=FILES, findings=findings)
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
    assert "tests that can reach it and pass run on graviton3 too, after the others" in line
    assert line.endswith("to switch this off: --arm64-cpu graviton2")


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


def test_by_default_nothing_is_said_where_there_is_nothing_to_choose() -> None:
    assert choice(settings=DEFAULT) == CoreChoice()


def test_a_native_core_cannot_be_chosen() -> None:
    native = Ran("aarch64", "Neoverse V1 (as Graviton3)", emulated=False)
    found = choice(NUMPY, ran=native)
    assert found.further is None
    assert found.lines == (
        "arm64: --arm64-cpu auto: Neoverse V1 (as Graviton3) is native: its core cannot be chosen",
    )
    assert choice(NUMPY, ran=native, settings=DEFAULT) == CoreChoice()


def test_graviton2_runs_alone_where_it_was_named_and_the_header_says_what_it_misses() -> None:
    found = choice(NUMPY, settings=NAMED)
    assert found.further is None
    (line,) = found.lines
    assert line.endswith("to run the tests on graviton3 too: --arm64-cpu auto")
    assert choice(settings=NAMED) == CoreChoice()


def test_cores_that_were_named_are_left_as_they_are() -> None:
    named = replace(NAMED, cores=("graviton3", "graviton2"))
    assert choice(NUMPY, settings=named) == CoreChoice()


def test_what_stays_on_x86_has_no_core_to_choose() -> None:
    assert choice(NUMPY, x86=True) == CoreChoice()


BLAS = f"/opt/pytest-arm64/{SITE}/numpy.libs/blas.so"


@pytest.mark.parametrize(
    ("mapped", "packages", "reaches"),
    [
        ([BLAS], ["numpy"], True),
        ([BLAS], ["scipy"], False),
        ([BLAS], [], False),
        ([], ["numpy"], False),  # its library was never loaded
        ([f"/opt/pytest-arm64/{SITE}/numpy/core/umath.so"], ["numpy"], False),
        ([], ["*"], True),  # a test that starts another program
    ],
)
def test_a_file_reaches_code_of_a_loaded_library_of_a_package_that_it_reaches(
    mapped: list[str], packages: list[str], reaches: bool
) -> None:
    code = choice(NUMPY).code
    assert code is not None
    assert reaching(code, mapped, {"test_a.py": packages}, "test_a.py") is reaches


def test_a_file_of_which_nothing_is_known_reaches_everything() -> None:
    code = choice(NUMPY).code
    assert code is not None
    assert reaching(code, [], {"test_a.py": []}, "test_b.py")


@pytest.mark.parametrize(
    ("finding", "modules"),
    [
        (NUMPY, ("numpy",)),
        (replace(NUMPY, path=f"{SITE}/_single.abi3.so", package="single-1"), ("_single",)),
        (replace(NUMPY, package=""), ("*",)),  # of no package
        (HEADLESS, ("*",)),  # of one whose files are not known
    ],
)
def test_the_modules_of_a_package_are_those_with_compiled_files(
    finding: AbiFinding, modules: tuple[str, ...]
) -> None:
    code = choice(finding).code
    assert code is not None
    assert code.files == {finding.path: modules}
    assert reaching(code, [f"/{finding.path}"], {"test_a.py": ["numpy"]}, "test_a.py") is (
        modules != ("_single",)
    )
