"""Causes and fixes: what is said can be done, and does no harm."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from pytest_arm64.audit.matrix import BLOCKER, SOURCE, WHEEL, Remedy, WheelMatrix
from unit.index.served import Project, joined, matrix_of, matrix_of_folder, release, serve

pytestmark = pytest.mark.usefixtures("index_alone")

ANY = "py3-none-any"
ARM = "cp312-cp312-manylinux_2_17_aarch64"
X86 = "cp312-cp312-manylinux_2_17_x86_64"
ON_X86 = "platform_system == 'Linux' and platform_machine == 'x86_64'"


def audited(folder: Path, projects: Mapping[str, Project], text: str) -> WheelMatrix:
    with serve(projects) as index:
        return matrix_of(folder, text, index.url)


def fix_of(matrix: WheelMatrix, name: str) -> Remedy:
    fix = matrix[name].remedy
    assert fix is not None
    return fix


FROZEN = {
    "torque": release(
        "torque",
        "2.1.2",
        ARM,
        X86,
        requires=[f"cuda-blas==12.1; {ON_X86}", f"cuda-solver==11.4; {ON_X86}", "filelike"],
    ),
    "cuda-blas": joined(release("cuda-blas", "12.1", X86), release("cuda-blas", "12.4", ARM)),
    "cuda-solver": joined(
        release("cuda-solver", "11.4", X86, requires=["cuda-link==12.1", "cuda-blas==12.1"]),
        release("cuda-solver", "11.6", ARM),
    ),
    "cuda-link": joined(release("cuda-link", "12.1", X86), release("cuda-link", "12.4", ARM)),
    "filelike": release("filelike", "3.0", ANY),
    "needy": release("needy", "1.0", ANY, requires=["cuda-link==12.1"]),
}
PINS = "torque==2.1.2\ncuda-blas==12.1\ncuda-solver==11.4\ncuda-link==12.1\nfilelike==3.0\n"


def test_pins_that_were_frozen_on_x86_are_dropped_and_not_moved(tmp_path: Path) -> None:
    matrix = audited(tmp_path, FROZEN, PINS)
    for name, line in (("cuda-blas", 2), ("cuda-solver", 3), ("cuda-link", 4)):
        assert (matrix[name].state, matrix[name].cause) == (BLOCKER, "x86-pin"), name
        fix = fix_of(matrix, name)
        assert (fix.version, fix.moves) == ("", ()), name
        assert fix.marker == 'platform_machine == "x86_64"'
        assert f"requirements.txt:{line}" in fix.text
    assert "torque 2.1.2 asks for it on x86_64" in matrix["cuda-blas"].detail
    assert matrix["torque"].state == WHEEL


def test_what_the_target_needs_as_well_is_no_leftover_of_x86(tmp_path: Path) -> None:
    matrix = audited(tmp_path, FROZEN, f"{PINS}needy==1.0\n")
    assert matrix["cuda-link"].cause == "pin-predates-wheel"
    assert matrix["cuda-blas"].cause == "x86-pin"


def test_what_only_a_leftover_of_x86_leads_to_goes_with_it(tmp_path: Path) -> None:
    matrix = audited(tmp_path, FROZEN, "torque==2.1.2\ncuda-blas==12.1\ncuda-solver==11.4\n")
    assert matrix["cuda-link"].cause == "x86-pin"
    assert "it comes with cuda-solver" in fix_of(matrix, "cuda-link").text


def test_a_pin_that_nothing_asks_for_anywhere_is_not_called_a_leftover(tmp_path: Path) -> None:
    matrix = audited(tmp_path, FROZEN, "cuda-blas==12.1\n")
    assert matrix["cuda-blas"].cause == "pin-predates-wheel"


def test_a_transitive_row_says_which_release_of_what_holds_it_lets_it_go(tmp_path: Path) -> None:
    projects = {
        "app": joined(
            *(release("app", f"{n}.0", ANY, requires=["heart==1.0"]) for n in range(1, 5)),
            *(release("app", f"{n}.0", ANY, requires=["heart>=2"]) for n in range(5, 9)),
        ),
        "heart": joined(release("heart", "1.0", X86), release("heart", "2.0", ARM)),
    }
    fix = fix_of(audited(tmp_path, projects, "app==2.0"), "heart")
    assert fix.moves == ("app==5.0",)
    assert "change app==2.0 (requirements.txt:1) to app 5.0" in fix.text
    assert not fix.own


def test_what_holds_is_followed_up_to_the_pin_that_can_be_changed(tmp_path: Path) -> None:
    projects = {
        "app": joined(
            release("app", "1.0", ANY, requires=["lib==1.0"]),
            release("app", "2.0", ANY, requires=["lib>=2"]),
        ),
        "lib": joined(
            release("lib", "1.0", ANY, requires=["heart<2"]),
            release("lib", "2.0", ANY, requires=["heart"]),
        ),
        "heart": joined(release("heart", "1.0", X86), release("heart", "2.0", ARM)),
    }
    fix = fix_of(audited(tmp_path, projects, "app==1.0"), "heart")
    assert fix.moves == ("app==2.0",)


def test_where_no_release_lets_go_that_is_said(tmp_path: Path) -> None:
    projects = {
        "app": joined(*(release("app", f"{n}.0", ANY, requires=["heart<2"]) for n in range(1, 5))),
        "heart": joined(release("heart", "1.0", X86), release("heart", "2.0", ARM)),
    }
    fix = fix_of(audited(tmp_path, projects, "app==2.0"), "heart")
    assert fix.moves == ()
    assert "no later release of app is known to let it go" in fix.text


def test_the_release_that_lets_go_can_be_installed_on_the_target(tmp_path: Path) -> None:
    projects = {
        "app": joined(
            release("app", "1.0", ANY, requires=["heart==1.0"]),
            release("app", "2.0", X86, requires=["heart>=2"]),
            release("app", "3.0", ARM, requires=["heart>=2"]),
        ),
        "heart": joined(release("heart", "1.0", X86), release("heart", "2.0", ARM)),
    }
    assert fix_of(audited(tmp_path, projects, "app==1.0"), "heart").moves == ("app==3.0",)


def test_another_major_version_is_said(tmp_path: Path) -> None:
    zed = joined(*(release("zed", v, X86) for v in ("1.2", "1.3")), release("zed", "2.0", ARM))
    fix = fix_of(audited(tmp_path, {"zed": zed}, "zed==1.2"), "zed")
    assert fix.major
    assert "zed 2.0 has a usable wheel (another major version)" in fix.text
    small = joined(release("zed", "1.2", X86), release("zed", "1.4", ARM))
    assert not fix_of(audited(tmp_path, {"zed": small}, "zed==1.2"), "zed").major


def test_a_pure_package_is_built_and_never_taken_back(tmp_path: Path) -> None:
    zed = joined(release("zed", "1.0", ANY), release("zed", "2.0", sdist=True))
    matrix = audited(tmp_path, {"zed": zed}, "zed==2.0")
    assert matrix["zed"].state == SOURCE
    assert fix_of(matrix, "zed").version == ""


def test_a_yanked_release_is_no_fix(tmp_path: Path) -> None:
    zed = joined(*(release("zed", v, ARM) for v in ("2.0", "3.0")), release("zed", "1.0", X86))
    zed.files = [(name, requires, "-2.0-" in name) for name, requires, _ in zed.files]
    assert fix_of(audited(tmp_path, {"zed": zed}, "zed==1.0"), "zed").version == "3.0"
    zed.files = [(n, r, "-1.0-" not in n) for n, r, _ in zed.files]
    assert fix_of(audited(tmp_path, {"zed": zed}, "zed==1.0"), "zed").version == ""


def test_a_missing_hash_is_added_and_no_release_is_moved(tmp_path: Path) -> None:
    zed = joined(release("zed", "1.0", X86, ARM), release("zed", "2.0", ARM))
    with serve({"zed": zed}) as index:
        names = [name for name, _, _ in zed.files]
        for name in names:
            index.files[name] = index.content("zed", name) + (b"" if "x86" in name else b" ")
        x86, arm = (index.digest("zed", name) for name in names[:2])
        matrix = matrix_of(tmp_path, f"zed==1.0 --hash=sha256:{x86}", index.url)
    assert matrix["zed"].cause == "no-hash-for-arm"
    fix = fix_of(matrix, "zed")
    assert f"--hash=sha256:{arm}" in fix.text
    assert fix.version == "1.0"


def test_no_binary_is_taken_away_and_no_release_is_moved(tmp_path: Path) -> None:
    zed = joined(release("zed", "1.0", ARM, sdist=True), release("zed", "2.0", ARM, sdist=True))
    matrix = audited(tmp_path, {"zed": zed}, "--no-binary zed\nzed==1.0")
    assert (matrix["zed"].state, matrix["zed"].cause) == (SOURCE, "no-binary")
    fix = fix_of(matrix, "zed")
    assert "remove --no-binary for zed" in fix.text
    assert fix.version == "1.0"


def test_another_python_is_advised_only_where_it_has_arm_wheels(tmp_path: Path) -> None:
    x86 = release("zed", "1.0", "cp311-cp311-manylinux_2_17_x86_64")
    row = audited(tmp_path, {"zed": x86}, "zed==1.0")["zed"]
    assert row.cause == "wrong-python"
    assert "only for x86_64" in row.detail
    assert row.remedy is not None
    assert "deploy on" not in row.remedy.text
    arm = release("zed", "1.0", "cp311-cp311-manylinux_2_17_aarch64")
    fix = fix_of(audited(tmp_path, {"zed": arm}, "zed==1.0"), "zed")
    assert "deploy on a Python version it supports (3.11)" in fix.text


def test_wheels_for_a_newer_glibc_in_later_releases_are_told_of(tmp_path: Path) -> None:
    zed = joined(
        release("zed", "1.0", X86),
        release("zed", "2.0", "cp312-cp312-manylinux_2_39_aarch64", X86),
    )
    row = audited(tmp_path, {"zed": zed}, "zed==1.0")["zed"]
    assert row.cause == "newer-glibc"
    assert "begin with 2.0" in row.detail
    assert "2.39" in row.detail


def test_an_earlier_release_with_a_wheel_is_not_denied(tmp_path: Path) -> None:
    zed = joined(release("zed", "1.0", ARM), release("zed", "2.0", X86))
    row = audited(tmp_path, {"zed": zed}, "zed==2.0")["zed"]
    assert "no later release has one" in row.detail
    assert row.remedy is not None
    assert row.remedy.version == "1.0"


def test_sources_that_only_binary_keeps_out_are_said_to_be_there(tmp_path: Path) -> None:
    zed = release("zed", "1.0", X86, sdist=True)
    text = "--only-binary zed\nzed==1.0"
    matrix = audited(tmp_path, {"zed": zed}, text)
    assert matrix["zed"].state == BLOCKER
    assert "--no-binary zed" in fix_of(matrix, "zed").text
    assert "no release has a file" not in fix_of(matrix, "zed").text
    everywhere = release("zed", "1.0", sdist=True)
    assert "--no-binary zed" in fix_of(audited(tmp_path, {"zed": everywhere}, text), "zed").text


UV_LOCK = """\
version = 1
requires-python = ">=3.11"

[[package]]
name = "app"
version = "0"
source = {{ virtual = "." }}
dependencies = [{{ name = "zed" }}]

[[package]]
name = "zed"
version = "1.0"
source = {{ registry = "{index}" }}
wheels = [
    {{ url = "{files}/zed-1.0-cp311-cp311-manylinux_2_17_aarch64.whl", hash = "sha256:{hash}" }},
    {{ url = "{files}/zed-1.0-cp311-cp311-manylinux_2_17_x86_64.whl", hash = "sha256:{hash}" }},
]
"""


def test_a_lock_for_another_python_is_not_called_a_lock_for_x86(tmp_path: Path) -> None:
    zed = release("zed", "1.0", ARM, "cp311-cp311-manylinux_2_17_aarch64")
    with serve({"zed": zed}) as index:
        files = {
            "pyproject.toml": '[project]\nname = "app"\nversion = "0"\ndependencies = ["zed"]\n',
            "uv.lock": UV_LOCK.format(index=index.url, files=index.url, hash="0" * 64),
        }
        matrix = matrix_of_folder(tmp_path, files, index.url)
    row = matrix["zed"]
    assert (row.state, row.cause) == (BLOCKER, "wrong-python")
    assert "for Python 3.11" in row.detail
    assert row.remedy is not None
    assert "lock again for this Python" in row.remedy.text
    assert not any("another platform" in note for note in matrix.notes)
