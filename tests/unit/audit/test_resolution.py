"""What is selected, and what is said where nothing can be."""

from __future__ import annotations

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


def versions(matrix: WheelMatrix) -> dict[str, str]:
    return {row.name: row.version for row in matrix.packages}


def audit_of(folder: Path, projects: Mapping[str, Project], text: str) -> WheelMatrix:
    with serve(projects) as index:
        return matrix_of(folder, text, index.url)


def test_the_newest_usable_release_is_selected(tmp_path: Path) -> None:
    zed = joined(*(release("zed", v, ANY) for v in ("1.0", "1.10", "1.9", "2.0rc1")))
    assert versions(audit_of(tmp_path, {"zed": zed}, "zed")) == {"zed": "1.10"}


def test_a_specifier_that_names_a_prerelease_enables_them(tmp_path: Path) -> None:
    zed = joined(*(release("zed", v, ANY) for v in ("1.0", "2.0rc1", "2.0rc2")))
    assert versions(audit_of(tmp_path, {"zed": zed}, "zed>=2.0rc1")) == {"zed": "2.0rc2"}


def test_prereleases_are_used_where_there_is_nothing_else(tmp_path: Path) -> None:
    assert versions(audit_of(tmp_path, {"zed": release("zed", "1.0b1", ANY)}, "zed")) == {
        "zed": "1.0b1"
    }


@pytest.mark.parametrize(("text", "version"), [("zed", "1.0"), ("zed==2.0", "2.0")])
def test_yanked_releases_are_for_pins_only(tmp_path: Path, text: str, version: str) -> None:
    zed = joined(release("zed", "1.0", ANY), release("zed", "2.0", ANY))
    zed.files = [(name, requires, "-2.0-" in name) for name, requires, _ in zed.files]
    matrix = audit_of(tmp_path, {"zed": zed}, text)
    assert versions(matrix) == {"zed": version}
    assert matrix["zed"].yanked is (version == "2.0")


def test_requires_python_is_a_matter_of_each_file(tmp_path: Path) -> None:
    zed = release("zed", "2.0", ANY, sdist=True)
    zed.files = [(zed.files[0][0], ">=3.13", False), zed.files[1]]
    row = audit_of(tmp_path, {"zed": zed}, "zed")["zed"]
    assert (row.version, row.state, row.cause) == ("2.0", SOURCE, "wrong-python")


def test_an_older_wheel_goes_before_a_release_without_any_usable_file(tmp_path: Path) -> None:
    zed = joined(release("zed", "2.0", X86), release("zed", "1.0", ARM))
    row = audit_of(tmp_path, {"zed": zed}, "zed")["zed"]
    assert (row.version, row.state) == ("1.0", WHEEL)


def test_a_newer_source_distribution_is_built_as_an_installer_would(tmp_path: Path) -> None:
    zed = joined(release("zed", "2.0", X86, sdist=True), release("zed", "1.0", ARM))
    row = audit_of(tmp_path, {"zed": zed}, "zed")["zed"]
    assert (row.version, row.state, row.cause) == ("2.0", SOURCE, "not-published")
    assert row.newest_wheel == "1.0"
    assert row.remedy is not None
    assert row.remedy.version == "1.0"
    assert row.remedy.allowed


def test_extras_and_markers_are_those_of_the_target(tmp_path: Path) -> None:
    projects = {
        "zed": release(
            "zed",
            "1.0",
            ANY,
            requires=[
                "arm-part ; platform_machine == 'aarch64'",
                "x86-part ; platform_machine == 'x86_64'",
                "fast-part ; extra == 'fast'",
                "zed[fast] ; extra == 'all'",
            ],
        ),
        "arm-part": release("arm-part", "1.0", ANY),
        "fast-part": release("fast-part", "1.0", ANY),
    }
    assert set(versions(audit_of(tmp_path, projects, "zed"))) == {"zed", "arm-part"}
    found = audit_of(tmp_path, projects, "zed[all]")
    assert set(versions(found)) == {"zed", "arm-part", "fast-part"}
    assert found["fast-part"].path == ("requirements.txt:1", "zed 1.0", "fast-part 1.0")


def test_a_blocker_stays_in_the_tree_with_what_it_needs(tmp_path: Path) -> None:
    projects = {
        "app": release("app", "1.0", ANY, requires=["heart==1.0"]),
        "heart": joined(
            release("heart", "1.0", X86, requires=["leaf"]), release("heart", "2.0", ARM)
        ),
        "leaf": release("leaf", "1.0", ANY),
    }
    matrix = audit_of(tmp_path, projects, "app")
    heart = matrix["heart"]
    assert (heart.state, heart.cause) == (BLOCKER, "transitive")
    assert heart.remedy is not None
    assert heart.remedy.version == "2.0"
    assert heart.remedy.held_by == ("app 1.0, which asks for heart==1.0",)
    assert matrix["app"].blocked_by == ("heart",)
    assert matrix["leaf"].state == PURE
    assert matrix.complete
    assert matrix.exit_code == 1


def test_as_an_installer_does_an_older_release_is_preferred_to_a_blocker(tmp_path: Path) -> None:
    projects = {
        "app": joined(
            release("app", "2.0", ANY, requires=["heart==2.0"]),
            release("app", "1.0", ANY, requires=["heart==1.0"]),
        ),
        "heart": joined(release("heart", "2.0", X86), release("heart", "1.0", ARM)),
    }
    assert versions(audit_of(tmp_path, projects, "app")) == {"app": "1.0", "heart": "1.0"}
    blocked = audit_of(tmp_path, projects, "app>=2")
    assert versions(blocked) == {"app": "2.0", "heart": "2.0"}
    assert blocked["heart"].state == BLOCKER


def test_looking_for_older_releases_ends(tmp_path: Path) -> None:
    projects = {
        "app": joined(*(release("app", f"{i}.0", ANY, requires=["heart"]) for i in range(200))),
        "heart": release("heart", "1.0", X86),
    }
    with serve(projects) as index:
        matrix = matrix_of(tmp_path, "app", index.url)
        assert len(index.asked(".metadata")) < 100
    assert versions(matrix) == {"app": "199.0", "heart": "1.0"}


def test_files_for_other_systems_only(tmp_path: Path) -> None:
    zed = release("zed", "1.0", "cp312-cp312-win_amd64", "cp312-cp312-macosx_11_0_arm64")
    row = audit_of(tmp_path, {"zed": zed}, "zed")["zed"]
    assert (row.state, row.cause) == (BLOCKER, "not-linux")


def test_wheels_for_another_python_only(tmp_path: Path) -> None:
    zed = release("zed", "1.0", "cp39-cp39-manylinux2014_aarch64")
    row = audit_of(tmp_path, {"zed": zed}, "zed")["zed"]
    assert (row.state, row.cause) == (BLOCKER, "wrong-python")
    assert "(wheels exist for 3.9)" in row.detail


def test_a_python_that_only_the_metadata_refuse(tmp_path: Path) -> None:
    zed = release("zed", "1.0", ANY)
    (name, _, _) = zed.files[0]
    content = metadata("zed", "1.0", extra="").replace(
        b"Version: 1.0", b"Version: 1.0\nRequires-Python: >=3.13"
    )
    with serve({"zed": zed}) as index:
        index.answers[f"/files/zed/{name}.metadata"] = (200, {}, content)
        row = matrix_of(tmp_path, "zed", index.url)["zed"]
    assert (row.state, row.cause) == (BLOCKER, "wrong-python")


def test_a_lock_with_x86_hashes_only_is_named(tmp_path: Path) -> None:
    zed = release("zed", "1.0", X86, ARM)
    with serve({"zed": zed}) as index:
        arm = zed.files[1][0]
        for name, _, _ in zed.files:
            index.files[name] = index.content("zed", name) + (b"" if name == arm else b" ")
        listed = index.digest("zed", zed.files[0][0])
        row = matrix_of(tmp_path, f"zed==1.0 --hash=sha256:{listed}", index.url)["zed"]
        both = f"zed==1.0 --hash=sha256:{listed} \\\n  --hash=sha256:{index.digest('zed', arm)}"
        assert matrix_of(tmp_path, both, index.url)["zed"].state == WHEEL
    assert (row.state, row.cause) == (BLOCKER, "no-hash-for-arm")
    assert arm in row.detail


def test_a_cycle_ends(tmp_path: Path) -> None:
    projects = {
        "one": release("one", "1.0", ANY, requires=["two"]),
        "two": release("two", "1.0", X86, requires=["one"]),
    }
    matrix = audit_of(tmp_path, projects, "one")
    assert matrix["one"].blocked_by == ("two",)
    assert matrix["two"].blocked_by == ()


def test_a_conflict_names_both_sides(tmp_path: Path) -> None:
    projects = {
        "one": release("one", "1.0", ANY, requires=["base<2"]),
        "two": release("two", "1.0", ANY, requires=["base>=2"]),
        "base": joined(release("base", "1.0", ANY), release("base", "2.0", ANY)),
    }
    matrix = audit_of(tmp_path, projects, "one\ntwo")
    (problem,) = matrix.problems
    assert "one 1.0 asks for base<2" in problem
    assert "two 1.0 asks for base>=2" in problem
    assert matrix.exit_code == 3
    # And what is not part of it is evaluated all the same.
    assert {row.name for row in matrix.deployed} == {"one", "two", "base"}


def test_the_service_s_own_demand_stands_in_a_conflict(tmp_path: Path) -> None:
    projects = {
        "one": release("one", "1.0", ANY, requires=["base<2", "leaf"]),
        "leaf": release("leaf", "1.0", X86),
        "base": joined(release("base", "1.0", ANY), release("base", "2.0", ANY)),
    }
    matrix = audit_of(tmp_path, projects, "one\nbase>=2")
    assert versions(matrix) == {"one": "1.0", "leaf": "1.0", "base": "2.0"}
    assert "requirements.txt:2 asks for base>=2" in matrix.problems[0]
    assert matrix["leaf"].state == BLOCKER
    both = audit_of(tmp_path, projects, "base<2\nbase>=2\nleaf")
    assert "requirements.txt:1 asks for base<2" in both.problems[0]
    assert both["leaf"].state == BLOCKER


def test_a_conflict_is_avoided_where_an_older_release_helps(tmp_path: Path) -> None:
    projects = {
        "one": joined(
            release("one", "2.0", ANY, requires=["base>=2"]),
            release("one", "1.0", ANY, requires=["base"]),
        ),
        "base": joined(release("base", "1.0", ANY), release("base", "2.0", ANY)),
    }
    found = versions(audit_of(tmp_path, projects, "one\nbase<2"))
    assert found == {"one": "1.0", "base": "1.0"}


@pytest.mark.parametrize("text", ["nobody-knows-this", "zed==9.9", "zed>=9"])
def test_what_does_not_exist_is_unknown_and_the_rest_is_evaluated(
    tmp_path: Path, text: str
) -> None:
    projects = {"zed": release("zed", "1.0", ANY), "app": release("app", "1.0", ANY)}
    matrix = audit_of(tmp_path, projects, f"app\n{text}")
    assert matrix["app"].state == PURE
    (row,) = [row for row in matrix.packages if row.state == UNKNOWN]
    assert row.detail
    assert matrix.exit_code == 3


def test_constraints_hold_and_are_named(tmp_path: Path) -> None:
    zed = joined(release("zed", "1.0", X86), release("zed", "2.0", ARM))
    write(tmp_path, {"limits.txt": "zed<2\nnever-installed==1\n"})
    matrix = audit_of(tmp_path, {"zed": zed}, "-c limits.txt\nzed")
    row = matrix["zed"]
    assert (row.version, row.state) == ("1.0", BLOCKER)
    assert row.remedy is not None
    assert row.remedy.held_by == ("zed<2 (limits.txt:1)",)
    assert len(matrix.packages) == 1


def test_a_direct_reference_is_a_row_that_is_unknown(tmp_path: Path) -> None:
    matrix = audit_of(
        tmp_path,
        {"app": release("app", "1.0", ANY)},
        "app\nzed @ hg+ssh://hg@host.invalid/zed\n"
        "git+telnet://host.invalid/some/other.git@v1#egg=third\n"
        "./wheels/fourth-1.0-py3-none-any.whl\n",
    )
    unknown = {row.name for row in matrix.packages if row.state == UNKNOWN}
    assert unknown == {"zed", "third", "fourth"}
    assert "direct reference" in matrix["zed"].detail


def test_ready_is_ready(tmp_path: Path) -> None:
    matrix = audit_of(tmp_path, {"zed": release("zed", "1.0", ARM)}, "zed")
    assert matrix.ready
    assert matrix.exit_code == 0


def test_several_indexes_and_find_links_are_one_offer(tmp_path: Path) -> None:
    first = {"app": release("app", "1.0", ANY, requires=["zed", "linked"])}
    second = {"zed": release("zed", "3.0", ARM)}
    with serve(first) as one, serve(second) as two:
        name = "linked-1.0-py3-none-any.whl"
        two.projects = {**second, "linked": release("linked", "1.0", ANY)}
        write(tmp_path, {f"links/{name}": two.content("linked", name)})
        two.projects = second
        text = f"--extra-index-url {two.url}\n--find-links links\napp"
        matrix = matrix_of(tmp_path, text, one.url)
    assert versions(matrix) == {"app": "1.0", "zed": "3.0", "linked": "1.0"}
    assert matrix.complete


def test_an_index_can_be_a_folder(tmp_path: Path) -> None:
    name = "zed-1.0-py3-none-any.whl"
    with serve({"zed": release("zed", "1.0", ANY, requires=["zed-data"])}) as index:
        content = index.content("zed", name)
    page = f'<a href="../../files/{name}">{name}</a>'
    write(tmp_path, {"simple/zed/index.html": page, f"files/{name}": content})
    matrix = matrix_of(tmp_path, "zed", (tmp_path / "simple").as_uri())
    assert matrix["zed"].state == PURE
    assert matrix["zed-data"].state == UNKNOWN


def test_a_long_lock_is_no_burden(tmp_path: Path) -> None:
    projects = {f"p{i}": release(f"p{i}", "1.0", ANY) for i in range(300)}
    text = "\n".join(f"p{i}==1.0" for i in range(300))
    assert len(audit_of(tmp_path, projects, text).packages) == 300
