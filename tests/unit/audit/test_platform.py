"""A target's markers and tags."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.markers import Marker, default_environment
from packaging.requirements import Requirement
from packaging.tags import Tag
from packaging.utils import parse_wheel_filename

from pytest_arm64.audit.platform import (
    build_number,
    glibc_floor,
    marker_environment,
    ordered_tags,
    platform_of,
)
from pytest_arm64.audit.usable_files import best_tag
from pytest_arm64.errors import SettingsError
from unit.support import AL2023

pytestmark = pytest.mark.usefixtures("index_alone")

ARM = platform_of(AL2023)
X86 = platform_of(AL2023, "amd64")


def test_al2023_with_python_312_has_555_tags() -> None:
    assert len(ARM.ranks) == 555
    assert min(ARM.ranks, key=ARM.ranks.__getitem__) == ("cp312", "cp312", "linux_aarch64")
    minors = {int(m[1]) for k in ARM.ranks if (m := re.match(r"manylinux_2_(\d+)_", k[2]))}
    assert minors == set(range(17, 35))
    assert ("cp312", "cp312", "manylinux2014_aarch64") in ARM.ranks


def test_x86_reaches_back_to_manylinux1() -> None:
    assert ("cp312", "cp312", "manylinux1_x86_64") in X86.ranks
    assert ("cp312", "cp312", "manylinux_2_5_x86_64") in X86.ranks


@pytest.mark.parametrize(
    "filename",
    [
        "a-1-cp312-cp312-musllinux_1_2_aarch64.whl",
        "a-1-cp312-cp312-macosx_11_0_arm64.whl",
        "a-1-cp312-cp312-win_arm64.whl",
        "a-1-cp312-cp312-manylinux_2_35_aarch64.whl",
        "a-1-cp312-cp312-manylinux_2_17_x86_64.whl",
        "a-1-cp313-cp313-manylinux_2_17_aarch64.whl",
        "a-1-cp312-cp312t-manylinux_2_17_aarch64.whl",
        "a-1-cp313-abi3-manylinux_2_17_aarch64.whl",
        "nonsense.whl",
    ],
)
def test_files_of_other_platforms_are_not_usable(filename: str) -> None:
    assert best_tag(filename, ARM) is None


@given(
    python=st.integers(8, 15),
    glibc=st.integers(17, 45),
    architecture=st.sampled_from(["arm64", "amd64"]),
)
def test_tags_are_ordered_once_each_and_never_newer_than_the_target(
    python: int, glibc: int, architecture: str
) -> None:
    tags = ordered_tags((3, python), architecture, (2, glibc))
    assert len(tags) == len(set(tags))
    machine = {"arm64": "aarch64", "amd64": "x86_64"}[architecture]
    for interpreter, _, platform in tags:
        floor = glibc_floor(platform, machine)
        assert floor is None or floor <= (2, glibc)
        assert platform == "any" or platform.endswith(machine)
        minor = interpreter.removeprefix("cp3")
        assert not minor.isdigit() or int(minor) <= python
    assert tags[-1][2] == "any"


_TAGS = st.tuples(
    st.sampled_from(["py3", "py2.py3", "cp311", "cp312", "cp37", "cp312.cp313"]),
    st.sampled_from(["none", "abi3", "cp312", "cp311", "cp312.abi3"]),
    st.sampled_from(
        [
            "any",
            "manylinux2014_aarch64",
            "manylinux_2_17_aarch64.manylinux2014_aarch64",
            "manylinux_2_28_aarch64",
            "manylinux_2_39_aarch64",
            "linux_aarch64",
            "manylinux_2_17_x86_64",
            "musllinux_1_1_aarch64",
        ]
    ),
)


@given(tags=_TAGS, build=st.sampled_from(["", "1", "22local"]))
def test_a_wheel_fits_exactly_where_packaging_says_so(
    tags: tuple[str, str, str], build: str
) -> None:
    name = "-".join(["a", "1.0", *([build] if build else []), *tags]) + ".whl"
    _, _, number, wanted = parse_wheel_filename(name)
    assert build_number(name) == number
    supported = {Tag(*key): rank for key, rank in ARM.ranks.items()}
    ranks = [supported[tag] for tag in wanted if tag in supported]
    found = best_tag(name, ARM)
    assert (found[0] if found else None) == (min(ranks) if ranks else None)


def test_markers_name_every_variable_that_packaging_knows() -> None:
    assert set(marker_environment((3, 12), "aarch64")) == set(default_environment())


@given(
    machine=st.sampled_from(["aarch64", "x86_64", "arm64"]),
    python=st.sampled_from(["3.9", "3.12", "3.13"]),
    operator=st.sampled_from(["==", "<", ">=", "!="]),
    system=st.sampled_from(["linux", "win32", "darwin"]),
)
def test_markers_are_those_of_the_target(
    machine: str, python: str, operator: str, system: str
) -> None:
    text = (
        f"platform_machine == '{machine}' and python_version {operator} '{python}'"
        f" or sys_platform == '{system}' and platform_machine != '{machine}'"
    )
    other = int(python[2:])
    compared = {"==": other == 12, "!=": other != 12, "<": other > 12, ">=": other <= 12}
    here = machine == "aarch64"
    expected = (here and compared[operator]) or (system == "linux" and not here)
    assert Marker(text).evaluate({**ARM.markers, "extra": ""}) is expected


@pytest.mark.parametrize("change", [{"glibc": ""}, {"glibc": "musl"}, {"python": "3"}])
def test_a_target_that_does_not_say_enough_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="declares glibc"):
        platform_of(replace(AL2023, **change))


@pytest.mark.parametrize(
    "marker",
    ["'dev' in dependency_groups", "'x' in extras", "python_version in 'x' and extra == 'a'"],
)
def test_a_marker_that_cannot_be_judged_calls_for_its_requirement(marker: str) -> None:
    wanted = Requirement(f"six; {marker}")
    assert ARM.calls_for(wanted) in (True, False)
    assert "dependency" not in marker or ARM.calls_for(wanted)
