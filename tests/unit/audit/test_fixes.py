"""``--fix``: what is rewritten, and everything that is left as it was."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.audit.auditor import Auditor
from pytest_arm64.audit.fixes import Audited, Edit, Fixed, edited_text, fix
from pytest_arm64.config.targets import shipped_targets
from pytest_arm64.index.pip_config import PipConfig
from pytest_arm64.inputs.service import read_service
from unit.index.served import Project, joined, release, serve
from unit.support import write

pytestmark = pytest.mark.usefixtures("index_alone")

ARM = "cp312-cp312-manylinux_2_17_aarch64"
X86 = "cp312-cp312-manylinux_2_17_x86_64"
PROJECTS = {
    "zed": joined(release("zed", "1.0", X86), release("zed", "2.0", ARM, X86)),
    "app": release("app", "1.0", "py3-none-any", requires=["held==1.0"]),
    "held": joined(release("held", "1.0", X86), release("held", "2.0", ARM)),
}


TARGET = "al2023-python3.12"


def fixed_folder(
    folder: Path, files: Mapping[str, str], projects: Mapping[str, Project], *targets: str
) -> Fixed:
    write(folder, files)
    environ = {"NETRC": str(folder / "no-netrc")}
    with serve(projects) as index:
        config = PipConfig({"index-url": index.url}, {}, ())
        service = read_service(folder, environ, root=folder)
        with Auditor(environ, config=config) as auditor:
            audited = [
                Audited(service, target, auditor.matrix(service, target))
                for target in (shipped_targets()[name] for name in targets or (TARGET,))
            ]
            return fix(audited, auditor, folder)


def fixed(
    folder: Path, text: str, projects: Mapping[str, Project] = PROJECTS
) -> tuple[str, list[str]]:
    result = fixed_folder(folder, {"requirements.txt": text}, projects)
    return (folder / "requirements.txt").read_bytes().decode(), result.differences


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


def test_targets_that_ask_for_different_releases_move_nothing(tmp_path: Path) -> None:
    zed = joined(
        release("zed", "1.0", X86, X86.replace("cp312", "cp313")),
        release("zed", "1.5", ARM.replace("cp312", "cp313")),
        release("zed", "2.0", ARM),
    )
    files = {"requirements.txt": "zed==1.0\n"}
    targets = ("al2023-python3.12", "al2023-python3.13")
    result = fixed_folder(tmp_path, files, {"zed": zed}, *targets)
    assert result.differences == []
    assert any("the rows ask for 1.5, 2.0" in line for line in result.lines)


def test_what_is_written_and_what_each_change_is_are_said(tmp_path: Path) -> None:
    result = fixed_folder(tmp_path, {"requirements.txt": "app\nzed==1.0\n"}, MOVABLE)
    assert result.lines == [
        "changed requirements.txt:2: zed 1.0 to 2.0 (another major version)",
        "wrote requirements.txt",
    ]


MOVABLE = {
    "zed": joined(release("zed", "1.0", X86), release("zed", "2.0", ARM, X86)),
    "app": release("app", "1.0", "py3-none-any"),
}


def test_a_release_without_a_file_for_x86_is_not_moved_to(tmp_path: Path) -> None:
    zed = joined(release("zed", "1.0", X86), release("zed", "2.0", ARM))
    result = fixed_folder(tmp_path, {"requirements.txt": "zed==1.0\n"}, {"zed": zed})
    assert (tmp_path / "requirements.txt").read_text() == "zed==1.0\n"
    assert result.lines == [
        "not changed: requirements.txt:1: zed 1.0 to 2.0 (another major version): "
        "with it, on x86_64: zed 2.0 has no file that can be used"
    ]


def test_a_set_that_cannot_be_resolved_is_not_written(tmp_path: Path) -> None:
    projects = {
        **MOVABLE,
        "held": joined(
            release("held", "1.0", X86),
            release("held", "2.0", ARM, X86, requires=["zed<2"]),
        ),
    }
    before = "zed==1.0\nheld==1.0\n"
    after, _ = fixed(tmp_path, before, projects)
    # Each by itself would do; both together would contradict each other.
    assert after == "zed==1.0\nheld==2.0\n"


def test_pins_that_need_each_other_move_together(tmp_path: Path) -> None:
    projects = {
        "core": joined(release("core", "1.0", X86), release("core", "2.0", ARM, X86)),
        "vision": joined(
            release("vision", "1.0", "py3-none-any", requires=["core==1.0"]),
            release("vision", "2.0", "py3-none-any", requires=["core==2.0"]),
        ),
        "other": joined(release("other", "1.0", X86), release("other", "2.0", ARM)),
    }
    after, _ = fixed(tmp_path, "core==1.0\nvision==1.0\nother==1.0\n", projects)
    assert after == "core==2.0\nvision==2.0\nother==1.0\n"


def test_what_was_frozen_on_x86_gets_a_marker(tmp_path: Path) -> None:
    on_x86 = "platform_machine == 'x86_64'"
    projects = {
        "torque": release("torque", "1.0", ARM, X86, requires=[f"cuda==1.0; {on_x86}"]),
        "cuda": joined(release("cuda", "1.0", X86), release("cuda", "2.0", ARM)),
    }
    text = "torque==1.0\ncuda==1.0  # frozen\n"
    after, (difference,) = fixed(tmp_path, text, projects)
    assert after == 'torque==1.0\ncuda==1.0; platform_machine == "x86_64"  # frozen\n'
    assert "+cuda==1.0; " in difference
    marked, _ = fixed(tmp_path, 'torque==1.0\ncuda==1.0; python_version > "3"\n', projects)
    assert '(python_version > "3") and platform_machine == "x86_64"' in marked


def test_a_pyproject_stays_as_it_is_and_that_is_said(tmp_path: Path) -> None:
    text = '[project]\nname = "it"\nversion = "0"\ndependencies = ["zed==1.0"]\n'
    result = fixed_folder(tmp_path, {"pyproject.toml": text}, MOVABLE)
    assert (tmp_path / "pyproject.toml").read_text() == text
    (line,) = result.lines
    assert "zed 1.0 to 2.0" in line
    assert "--fix changes requirement files only" in line


def test_hashes_stay_and_that_is_said(tmp_path: Path) -> None:
    text = "zed==1.0 --hash=sha256:" + "0" * 64 + "\n"
    result = fixed_folder(tmp_path, {"requirements.txt": text}, MOVABLE)
    assert (tmp_path / "requirements.txt").read_text() == text
    assert result.differences == []


def test_a_pure_package_is_not_taken_back_to_an_earlier_release(tmp_path: Path) -> None:
    zed = joined(release("zed", "1.0", "py3-none-any"), release("zed", "2.0", sdist=True))
    after, differences = fixed(tmp_path, "zed==2.0\n", {"zed": zed})
    assert (after, differences) == ("zed==2.0\n", [])


@given(st.lists(st.text(max_size=20), max_size=5), st.integers(-1, 6))
def test_any_text_loses_nothing_but_a_pin(lines: list[str], number: int) -> None:
    text = "\n".join(lines)
    edit = Edit(f"r.txt:{number}", Path("r.txt"), number, "zed", "1.0", "2.0")
    after = edited_text(text, [edit])
    same = [a == b for a, b in zip(text.splitlines(), after.splitlines(), strict=True)]
    assert all(equal or number == i for i, equal in enumerate(same, 1))
