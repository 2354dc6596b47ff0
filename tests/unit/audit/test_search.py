"""Demands that cannot be met: there is an answer all the same, and it comes in time."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from pytest_arm64.audit.matrix import BLOCKER, PURE, SOURCE, UNKNOWN, WHEEL, WheelMatrix
from unit.index.served import Project, joined, matrix_of, metadata, release, serve
from unit.support import write

pytestmark = pytest.mark.usefixtures("index_alone")

ANY = "py3-none-any"
ARM = "cp312-cp312-manylinux_2_17_aarch64"
X86 = "cp312-cp312-manylinux_2_17_x86_64"


def audited(
    folder: Path, projects: Mapping[str, Project], text: str, *, search_limit: float = 30.0
) -> WheelMatrix:
    with serve(projects) as index:
        return matrix_of(folder, text, index.url, search_limit=search_limit)


def states(matrix: WheelMatrix) -> dict[str, tuple[str, str]]:
    return {row.name: (row.version, row.state) for row in matrix.deployed}


def test_a_release_that_was_never_published_is_a_row_with_who_asks_for_it(tmp_path: Path) -> None:
    """The shape of tensorflow-cpu 2.16.1, whose part for aarch64 has other requirements."""
    projects = {
        "heavy": release("heavy", "2.16.1", X86, requires=["heavy-arm==2.16.1", "base>=3"]),
        "heavy-arm": joined(
            *(release("heavy-arm", f"2.{n}.0", ARM, requires=["base<3"]) for n in range(16))
        ),
        "base": joined(*(release("base", f"{n}.0", ANY) for n in range(1, 5))),
    }
    matrix = audited(tmp_path, projects, "heavy==2.16.1")
    assert states(matrix) == {
        "heavy": ("2.16.1", BLOCKER),
        "heavy-arm": ("", UNKNOWN),
        "base": ("4.0", PURE),
    }
    row = matrix["heavy-arm"]
    assert row.path == ("requirements.txt:1", "heavy 2.16.1", "heavy-arm")
    assert row.cause == "missing-release"
    assert "heavy-arm==2.16.1" in row.detail
    assert "heavy 2.16.1" in row.detail
    assert "2.15.0" in row.detail
    assert matrix.exit_code == 3


def test_an_older_release_that_asks_for_what_exists_goes_first(tmp_path: Path) -> None:
    projects = {
        "app": joined(
            release("app", "2.0", ANY, requires=["part==9"]),
            release("app", "1.0", ANY, requires=["part==1"]),
        ),
        "part": release("part", "1.0", ANY),
    }
    assert states(audited(tmp_path, projects, "app"))["app"] == ("1.0", PURE)
    pinned = audited(tmp_path, projects, "app==2.0")
    assert states(pinned) == {"app": ("2.0", PURE), "part": ("", UNKNOWN)}


def test_a_search_that_takes_too_long_ends_with_every_pin_classified(tmp_path: Path) -> None:
    """Each of many releases asks for another release of a second project, and so on."""
    projects = {
        "pin": release("pin", "1.0", ARM),
        "old": release("old", "1.0", X86, sdist=True),
        "goal": release("goal", "1.0", ANY, requires=["left", "right", "third"]),
    }
    for name, other in (("left", "right"), ("right", "third"), ("third", "left")):
        projects[name] = joined(
            *(
                release(name, f"{n}.0", ANY, requires=[f"{other}!={n}", f"{other}=={n + 1}"])
                for n in range(60)
            )
        )
    began = time.monotonic()
    matrix = audited(tmp_path, projects, "pin==1.0\nold==1.0\ngoal==1.0", search_limit=1.0)
    assert time.monotonic() - began < 30
    versions = states(matrix)
    assert versions["pin"] == ("1.0", WHEEL)
    assert versions["old"] == ("1.0", SOURCE)
    assert {"goal", "left", "right", "third"} <= set(versions)
    assert matrix.problems
    assert not matrix.complete


def test_when_the_time_for_everything_is_over_what_was_asked_is_still_listed(
    tmp_path: Path,
) -> None:
    projects = {"app": release("app", "1.0", ANY), "zed": release("zed", "1.0", ARM)}
    with serve(projects) as index:
        index.answers["/simple/slow/"] = None
        matrix = matrix_of(tmp_path, "app\nzed==1.0\nslow", index.url, time_limit=2.0)
    assert states(matrix) == {
        "app": ("1.0", PURE),
        "zed": ("1.0", WHEEL),
        "slow": ("", UNKNOWN),
    }


def test_pins_that_contradict_each_other_leave_no_empty_matrix(tmp_path: Path) -> None:
    projects = {
        "one": release("one", "1.0", ANY, requires=["two>=2,<3"]),
        "two": joined(*(release("two", f"{n}.0", ANY) for n in range(1, 5))),
    }
    matrix = audited(tmp_path, projects, "one==1.0\ntwo==4.0")
    assert states(matrix) == {"one": ("1.0", PURE), "two": ("4.0", PURE)}
    (problem,) = matrix.problems
    assert "one 1.0 asks for two<3,>=2" in problem
    assert "requirements.txt:2 asks for two==4.0" in problem


def test_one_project_pinned_twice_is_listed(tmp_path: Path) -> None:
    zed = joined(release("zed", "1.0", ANY), release("zed", "2.0", ANY))
    matrix = audited(tmp_path, {"zed": zed}, "zed==1.0\nzed==2.0")
    assert [row.name for row in matrix.deployed] == ["zed"]
    assert "requirements.txt:1 asks for zed==1.0" in matrix.problems[0]


def test_an_extra_whose_demand_contradicts_a_pin(tmp_path: Path) -> None:
    projects = {
        "app": release("app", "1.0", ANY, requires=["base>=2; extra == 'fast'"]),
        "base": joined(release("base", "1.0", ANY), release("base", "2.0", ANY)),
    }
    matrix = audited(tmp_path, projects, "app[fast]==1.0\nbase==1.0")
    assert states(matrix) == {"app": ("1.0", PURE), "base": ("1.0", PURE)}
    assert "app[fast] 1.0 asks for base>=2" in matrix.problems[0]


def refusing(name: str, version: str, python: str) -> bytes:
    text = metadata(name, version).decode()
    return text.replace("\nVersion: ", f"\nRequires-Python: {python}\nVersion: ").encode()


def test_a_python_that_only_the_metadata_refuse_makes_an_older_release_win(
    tmp_path: Path,
) -> None:
    zed = joined(release("zed", "1.0", ANY), release("zed", "2.0", ANY), release("zed", "3.0", ANY))
    with serve({"zed": zed, "app": release("app", "1.0", ANY, requires=["zed"])}) as index:
        for version in ("2.0", "3.0"):
            name = f"zed-{version}-{ANY}.whl"
            content = refusing("zed", version, ">=3.13")
            index.answers[f"/files/zed/{name}.metadata"] = (200, {}, content)
        plain = matrix_of(tmp_path, "zed", index.url)
        needed = matrix_of(tmp_path, "app", index.url)
        pinned = matrix_of(tmp_path, "zed==3.0", index.url)
    assert states(plain) == {"zed": ("1.0", PURE)}
    assert states(needed)["zed"] == ("1.0", PURE)
    assert (pinned["zed"].state, pinned["zed"].cause) == (BLOCKER, "wrong-python")
    assert plain.ready


def test_a_folder_of_links_tells_the_python_in_metadata_only(tmp_path: Path) -> None:
    with serve({}) as index:
        for version, python in (("1.0", ">=3.8"), ("2.0", ">=3.13")):
            name = f"acme_core-{version}-{ANY}.whl"
            write(tmp_path, {f"wheels/{name}": wheel_for(version, python)})
        matrix = matrix_of(tmp_path, "--no-index\n--find-links wheels\nacme-core", index.url)
    assert states(matrix) == {"acme-core": ("1.0", PURE)}


def wheel_for(version: str, python: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        info = f"acme_core-{version}.dist-info/METADATA"
        archive.writestr(info, refusing("acme-core", version, python))
    return buffer.getvalue()


def test_the_release_that_frees_a_missing_one_is_named(tmp_path: Path) -> None:
    projects = {
        "app": joined(
            *(release("app", f"{n}.0", ANY, requires=[f"part=={n}"]) for n in range(1, 9)),
            *(release("app", f"{n}.0", ANY, requires=["part<3"]) for n in range(9, 12)),
        ),
        "part": joined(release("part", "1.0", ANY), release("part", "2.0", ANY)),
    }
    row = audited(tmp_path, projects, "app==5.0")["part"]
    assert row.remedy is not None
    assert "app 9.0" in row.remedy.text
    assert "requirements.txt:1" in row.remedy.text


def test_a_missing_release_of_the_service_itself_names_the_nearest(tmp_path: Path) -> None:
    projects = {"zed": joined(*(release("zed", v, ARM) for v in ("1.0", "1.5", "3.0")))}
    row = audited(tmp_path, projects, "zed==2.0")["zed"]
    assert (row.state, row.cause) == (UNKNOWN, "missing-release")
    assert row.remedy is not None
    assert row.remedy.version == "3.0"
    assert "requirements.txt:1" in row.remedy.text
