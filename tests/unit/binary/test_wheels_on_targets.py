"""Released wheels on the shipped targets, from recorded ELF headers: what each would miss there.

``wheel-headers.json.xz`` was recorded by ``scripts/record-headers`` on 2026-11-30. What is expected
here comes from the packages' documentation and the lists of packages that the facts name, not from
a run.
"""

from __future__ import annotations

import json
import lzma
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from pytest_arm64.binary.elf import Elf
from pytest_arm64.binary.filetree import Compiled, FileTree
from pytest_arm64.binary.judge import judge
from pytest_arm64.binary.record import (
    ABI_MISMATCH,
    MISSING_LIBRARY,
    NEWER_RELEASE,
    PAGE_SIZE,
    UNKNOWN,
)
from pytest_arm64.binary.system import declared_system
from pytest_arm64.config.targets import find_target, own_target
from pytest_arm64.records import decode

DATA = Path(__file__).parents[2] / "data" / "wheel-headers.json.xz"
TARGETS = {
    "AL2023": "al2023-python3.12",
    "image": "lambda-python3.12",
    "zip": "lambda-zip-python3.12",
    "AL2 image": "lambda-python3.11",
    "AL2 zip": "lambda-zip-python3.11",
}
EVERYWHERE = tuple(TARGETS)
LAMBDA = ("image", "zip", "AL2 image", "AL2 zip")
ZIPS = ("zip", "AL2 zip")
AL2 = ("AL2 image", "AL2 zip")
ON_AL2023 = ("AL2023", "image", "zip")

# By wheel: what stands in the way, and on which targets.
TABLE: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "lightgbm": {"libgomp.so.1": LAMBDA},
    "implicit": {"libgomp.so.1": LAMBDA, "GLIBC_2.27": AL2},
    "numba": {"libgomp.so.1.0.0": LAMBDA, "GLIBC_2.27": AL2},
    "opencv_python": {
        **dict.fromkeys(
            ["libGL.so.1", "libICE.so.6", "libSM.so.6", "libX11.so.6", "libXext.so.6"], EVERYWHERE
        ),
        "libxcb.so.1": EVERYWHERE,
        "libglib-2.0.so.0": ZIPS,
        "libgthread-2.0.so.0": ZIPS,
    },
    "opencv_python_headless": {},
    "pygame": {
        "libX11.so.6": EVERYWHERE,
        "libglib-2.0.so.0": ZIPS,
        "libgthread-2.0.so.0": ZIPS,
    },
    "pyuwsgi": {"libexpat.so.1": ("image", "zip", "AL2 zip"), "GLIBC_2.28": AL2},
    "pyodbc": {"libodbc.so.2": EVERYWHERE},
    "python_rtmidi": {"libasound.so.2": EVERYWHERE},
    "mysql_connector_python": {"libudev.so.1": EVERYWHERE, "GLIBC_2.28": AL2},
    "mlx_cpu": {"GLIBC_2.35": EVERYWHERE, "GLIBCXX_3.4.30": AL2, "CXXABI_1.3.13": AL2},
    "shiboken6": {"GLIBC_2.38": EVERYWHERE, "GLIBCXX_3.4.32": AL2},
    "markupsafe": {"libc.musl-aarch64.so.1": EVERYWHERE},
    "orjson": {"libc.musl-aarch64.so.1": EVERYWHERE},
    "pyyaml": {"libc.musl-aarch64.so.1": EVERYWHERE},
    "psycopg2_binary": {"GLIBC_2.27": AL2},
    "pyarrow": {"GLIBC_2.28": AL2},
    "h5py": {"GLIBC_2.28": AL2},
    "onnxruntime": {"GLIBC_2.27": AL2},
    "xgboost": {"GLIBC_2.27": AL2},
    "soundfile": {"GLIBC_2.27": AL2},
    "numpy": {},
    "uvloop": {},
    "oracledb": {},
    "safetensors": {},
    "grpcio": {},
    "polars_lts_cpu": {},
    "ruff": {},
    "pylibmagic": {},
}


@cache
def recorded() -> Mapping[str, tuple[str, FileTree]]:
    """The wheels by the name of their package."""
    wheels = json.loads(lzma.decompress(DATA.read_bytes()))
    return {name.partition("-")[0]: (name, tree(files)) for name, files in wheels.items()}


def tree(files: Mapping[str, object]) -> FileTree:
    return FileTree({f"/site{p}": Compiled(decode(Elf, elf)) for p, elf in files.items()})


def in_the_way(package: str, target_name: str, kinds: tuple[str, ...]) -> set[str]:
    target = find_target(target_name, {})
    name, files = recorded()[package]
    record = judge(name, files, "/site", declared_system(target), target.manager)
    return {f.version or f.library for f in record.findings if f.kind in kinds}


def test_every_recorded_wheel_is_in_the_table() -> None:
    assert set(recorded()) == set(TABLE)


@pytest.mark.parametrize("where", TARGETS)
@pytest.mark.parametrize("package", TABLE)
def test_what_a_wheel_misses(package: str, where: str) -> None:
    expected = {name for name, targets in TABLE[package].items() if where in targets}
    found = in_the_way(package, TARGETS[where], (ABI_MISMATCH, MISSING_LIBRARY))
    # The oldest version that is missing is named; newer ones of the same library may be, too.
    assert expected <= found
    assert {name for name in found - expected if name.startswith("lib")} == set()
    assert bool(found) == bool(expected)


@pytest.mark.parametrize(
    ("package", "where"), [("mysql_connector_python", "zip"), ("mysql_connector_python", "AL2 zip")]
)
def test_what_no_source_tells_is_not_evaluated(package: str, where: str) -> None:
    assert in_the_way(package, TARGETS[where], (UNKNOWN,)) == {"libkeyutils.so.1"}


@pytest.mark.parametrize("where", TARGETS)
def test_nothing_else_is_left_open(where: str) -> None:
    others = {package for package in TABLE if package != "mysql_connector_python"}
    assert {p for p in others if in_the_way(p, TARGETS[where], (UNKNOWN,))} == set()


@pytest.mark.parametrize("where", ON_AL2023)
@pytest.mark.parametrize(
    ("package", "version"), [("mlx_cpu", "GLIBCXX_3.4.30"), ("shiboken6", "GLIBCXX_3.4.32")]
)
def test_what_only_current_images_have_is_said(package: str, version: str, where: str) -> None:
    assert version in in_the_way(package, TARGETS[where], (NEWER_RELEASE,))


DISTRIBUTIONS = tuple(
    f"{base}-python{python}"
    for base, python in {
        **dict.fromkeys(["debian12", "debian13", "ubuntu24.04"], "3.12"),
        "ubuntu22.04": "3.10",
    }.items()
)
POLICY = ("manylinux_2_28-python3.12",)
SLIM = ("debian12-python3.12", "debian13-python3.12")
OLDER = ("debian12-python3.12", "ubuntu22.04-python3.10")
"""Those with a glibc before 2.38."""
ELSEWHERE: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "lightgbm": {"libgomp.so.1": (*DISTRIBUTIONS, *POLICY)},
    "numba": {"libgomp.so.1.0.0": (*DISTRIBUTIONS, *POLICY)},
    # What the policy lets a wheel leave outside is in no image of a server.
    "opencv_python": {"libGL.so.1": DISTRIBUTIONS, "libxcb.so.1": (*DISTRIBUTIONS, *POLICY)},
    "pygame": {"libX11.so.6": DISTRIBUTIONS, "libglib-2.0.so.0": DISTRIBUTIONS},
    # Docker's images of Python have it inside Python.
    "pyuwsgi": {"libexpat.so.1": SLIM},
    "pyodbc": {"libodbc.so.2": (*DISTRIBUTIONS, *POLICY)},
    "mysql_connector_python": {"libudev.so.1": POLICY},
    "mlx_cpu": {"GLIBC_2.35": POLICY},
    "shiboken6": {"GLIBC_2.38": (*OLDER, *POLICY)},
    "orjson": {"libc.musl-aarch64.so.1": (*DISTRIBUTIONS, *POLICY)},
    "pyarrow": {},
    "h5py": {},
    "onnxruntime": {},
    "numpy": {},
    "grpcio": {},
}


@pytest.mark.parametrize("where", [*DISTRIBUTIONS, *POLICY])
@pytest.mark.parametrize("package", ELSEWHERE)
def test_what_a_wheel_misses_on_distributions_and_by_a_policy(package: str, where: str) -> None:
    expected = {name for name, targets in ELSEWHERE[package].items() if where in targets}
    found = in_the_way(package, where, (ABI_MISMATCH, MISSING_LIBRARY))
    assert expected <= found
    assert bool(found) == bool(expected)


@pytest.mark.parametrize(
    ("where", "fix"),
    [
        ("debian12-python3.12", "apt-get install -y libgomp1"),
        ("ubuntu22.04-python3.10", "apt-get install -y libgomp1"),
        ("manylinux_2_28-python3.12", "auditwheel repair"),
    ],
)
def test_the_fix_is_that_of_the_place(where: str, fix: str) -> None:
    target = find_target(where, {})
    name, files = recorded()["lightgbm"]
    record = judge(name, files, "/site", declared_system(target), target.manager)
    assert [fix in f.remedy for f in record.findings if f.library == "libgomp.so.1"] == [True]


PAGES_64K = own_target(
    "rhel8", {"image": "almalinux:8", "python": "3.12", "glibc": "2.28", "page-size": 65536}
)


@pytest.mark.parametrize("package", sorted(TABLE))
def test_recorded_wheels_can_be_mapped_into_pages_of_64_kib(package: str) -> None:
    """auditwheel's images link so; only glibc's version stands in the way on Red Hat's 8."""
    name, files = recorded()[package]
    record = judge(name, files, "/site", declared_system(PAGES_64K), PAGES_64K.manager)
    assert {f.kind for f in record.findings if f.grave} <= {ABI_MISMATCH, MISSING_LIBRARY}
    small = {p: Compiled(replace(c.elf, alignment=4096)) for p, c in files.files.items() if c.elf}
    record = judge(name, FileTree(small), "/site", declared_system(PAGES_64K), "none")
    assert {f.path for f in record.findings if f.kind == PAGE_SIZE} == {
        path.removeprefix("/site/") for path, c in small.items() if c.elf and c.elf.kind != "object"
    }
