"""Pins whose states are known, from recorded pages of a real index."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_arm64.audit.matrix import BLOCKER, PURE, SOURCE, WHEEL, Row, WheelMatrix
from unit.index.served import Played, all_recorded, matrix_of, serve

pytestmark = pytest.mark.usefixtures("index_alone")

PINS = {
    "requests==2.32.3": PURE,
    "boto3==1.35.70": PURE,
    "jinja2==3.1.4": PURE,
    "numpy==2.1.3": WHEEL,
    "pydantic-core==2.27.1": WHEEL,
    "cryptography==43.0.3": WHEEL,
    "ruff==0.8.0": WHEEL,
    "nvidia-cublas-cu12==12.4.5.8": WHEEL,
    "psutil==5.9.8": SOURCE,
    "triton==3.1.0": BLOCKER,
    "hnswlib==0.8.0": SOURCE,
    "uwsgi==2.0.28": SOURCE,
    "python-ldap==3.4.4": SOURCE,
    "decord==0.6.0": BLOCKER,
    "intel-openmp==2024.2.1": BLOCKER,
    "pyside6==6.9.1": BLOCKER,
}


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory, pins: Played) -> WheelMatrix:
    folder = tmp_path_factory.mktemp("service")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pytest_arm64.cache.cache_folder", lambda: folder / "caches")
        patch.setenv("no_proxy", "*")
        return matrix_of(folder, "\n".join(PINS), pins.url)


@pytest.mark.parametrize("pin", PINS)
def test_a_pin_has_the_state_that_is_known(matrix: WheelMatrix, pin: str) -> None:
    name, _, version = pin.partition("==")
    assert matrix[name].state == PINS[pin]
    assert matrix[name].version == version


@pytest.mark.parametrize(
    ("name", "cause", "remedy"),
    [
        ("psutil", "pin-predates-wheel", "6.0.0"),
        ("triton", "pin-predates-wheel", "3.5.0"),
        ("hnswlib", "source-everywhere", ""),
        ("uwsgi", "source-everywhere", ""),
        ("python-ldap", "source-everywhere", ""),
        ("decord", "not-published", ""),
        ("intel-openmp", "x86-only", ""),
        ("pyside6", "newer-glibc", "6.8.0.2"),
    ],
)
def test_what_is_not_green_has_cause_and_remedy(
    matrix: WheelMatrix, name: str, cause: str, remedy: str
) -> None:
    row = matrix[name]
    assert row.cause == cause
    assert row.remedy is not None
    assert row.remedy.version == remedy
    assert row.path[0].startswith("requirements.txt:")
    assert row.detail
    assert row.remedy.text


def test_jinja2_is_pure_but_needs_a_native_package(matrix: WheelMatrix) -> None:
    assert matrix["markupsafe"].native
    assert not matrix["jinja2"].native
    assert matrix["markupsafe"].path == ("requirements.txt:3", "jinja2 3.1.4", "markupsafe 3.0.4")


def test_the_best_of_several_wheels_is_selected(matrix: WheelMatrix) -> None:
    # manylinux_2_28 is preferred to manylinux2014, and the abi3 wheel for the newest Python.
    assert matrix["cryptography"].file == (
        "cryptography-43.0.3-cp39-abi3-manylinux_2_28_aarch64.whl"
    )
    assert matrix["cryptography"].glibc == "2.28"


def test_a_wheel_for_any_python_can_be_native(matrix: WheelMatrix) -> None:
    for name in ("ruff", "nvidia-cublas-cu12"):
        assert matrix[name].native
        assert "-py3-none-manylinux" in matrix[name].file


def test_a_blocker_is_named_where_it_is_needed(matrix: WheelMatrix) -> None:
    assert "2.39" in matrix["pyside6"].detail
    assert "2.34" in matrix["pyside6"].detail
    assert matrix["pyside6"].blocked_by == (
        "pyside6-addons",
        "pyside6-essentials",
        "shiboken6",
    )
    held = matrix["shiboken6"].remedy
    assert held is not None
    assert not held.allowed
    assert "pyside6 6.9.1, which asks for shiboken6==6.9.1" in held.held_by


def test_a_tree_with_blockers_is_complete(matrix: WheelMatrix) -> None:
    assert len(matrix.deployed) == 35
    assert "filelock" in {row.name for row in matrix.deployed}, "triton needs it"
    doubtful = {row.name for row in matrix.deployed if row.doubt}
    assert doubtful == {"hnswlib", "uwsgi", "python-ldap"}
    assert not matrix.complete
    assert matrix.exit_code == 3


def test_the_json_has_what_is_promised(matrix: WheelMatrix) -> None:
    document = json.loads(json.dumps(matrix.to_json()))
    assert document["format"] == 1
    assert document["target"] == "al2023-python3.12"
    assert document["complete"] is False
    for package in document["packages"]:
        assert {"name", "version", "state", "cause", "path", "file", "remedy"} <= set(package)


@pytest.mark.parametrize("how", [{"html": True}, {"core_metadata": False}, {"ranges": False}])
def test_every_kind_of_index_gives_the_same_matrix(
    tmp_path: Path, matrix: WheelMatrix, how: dict[str, bool]
) -> None:
    with serve(all_recorded(), **{"core_metadata": "html" in how, **how}) as index:
        found = matrix_of(tmp_path, "\n".join(PINS), index.url)
    assert _anywhere(found) == _anywhere(matrix)


def _anywhere(matrix: WheelMatrix) -> list[Row]:
    """The rows without the address of the index and the hashes that not all indexes tell."""
    return [replace(row, url=row.url.rpartition("/")[2], hashes=()) for row in matrix.packages]


def test_x86_would_be_ready_for_more(matrix: WheelMatrix) -> None:
    assert {matrix[n].x86 for n in ("psutil", "triton", "decord", "intel-openmp")} == {WHEEL}
    assert {matrix[n].x86 for n in ("hnswlib", "uwsgi", "python-ldap")} == {SOURCE}
