"""``--fix``: what is rewritten, and everything that is left as it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.audit.fixes import Move, fix, moved
from pytest_arm64.audit.matrix import WheelMatrix
from unit.index.served import joined, matrix_of_folder, release, serve
from unit.support import write

pytestmark = pytest.mark.usefixtures("index_alone")

ARM = "cp312-cp312-manylinux_2_17_aarch64"
X86 = "cp312-cp312-manylinux_2_17_x86_64"
PROJECTS = {
    "zed": joined(release("zed", "1.0", X86), release("zed", "2.0", ARM)),
    "app": release("app", "1.0", "py3-none-any", requires=["held==1.0"]),
    "held": joined(release("held", "1.0", X86), release("held", "2.0", ARM)),
}


def fixed(folder: Path, text: str) -> tuple[str, list[str]]:
    with serve(PROJECTS) as index:
        matrix = matrix_of_folder(folder, {"requirements.txt": text}, index.url)
    differences = list(fix([matrix], folder))
    return (folder / "requirements.txt").read_bytes().decode(), differences


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("zed==1.0\n", "zed==2.0\n"),
        ("# first\r\nzed == 1.0  # why\r\napp\r\n", "# first\r\nzed ==2.0  # why\r\napp\r\n"),
        ("zed==1.0; python_version>'3'", "zed==2.0; python_version>'3'"),
        ("zed===1.0\n", "zed==2.0\n"),
        ("zed<2\n", "zed<2\n"),
        ("zed==1.0 --hash=sha256:" + "0" * 64 + "\n", None),
        ("app\nheld\n", None),
        ("zed\n", None),
    ],
)
def test_a_pin_is_moved_and_nothing_else(tmp_path: Path, before: str, after: str | None) -> None:
    write(tmp_path, {"requirements.txt": before})
    found, differences = fixed(tmp_path, before)
    assert found == (after or before)
    assert bool(differences) is (after is not None and after != before)


def test_the_difference_is_shown(tmp_path: Path) -> None:
    _, (difference,) = fixed(tmp_path, "app\nzed==1.0\n")
    assert difference.splitlines() == [
        "--- a/requirements.txt",
        "+++ b/requirements.txt",
        "@@ -1,2 +1,2 @@",
        " app",
        "-zed==1.0",
        "+zed==2.0",
    ]


def test_targets_that_want_different_releases_move_nothing(tmp_path: Path) -> None:
    with serve(PROJECTS) as index:
        matrix = matrix_of_folder(tmp_path, {"requirements.txt": "zed==1.0\n"}, index.url)
        index.projects = {"zed": joined(PROJECTS["zed"], release("zed", "1.5", ARM))}
    (row,) = matrix.deployed
    assert row.remedy is not None
    other = replace(row, remedy=replace(row.remedy, version="1.5"))
    second = WheelMatrix(matrix.service, "other", (other,))
    assert list(fix([matrix, second], tmp_path)) == []


@given(st.lists(st.text(max_size=20), max_size=5), st.integers(-1, 6))
def test_any_text_loses_nothing_but_a_pin(lines: list[str], number: int) -> None:
    text = "\n".join(lines)
    after = moved(text, [Move(Path("r.txt"), number, "zed", "1.0", "2.0")])
    same = [a == b for a, b in zip(text.splitlines(), after.splitlines(), strict=True)]
    assert all(equal or number == i for i, equal in enumerate(same, 1))
