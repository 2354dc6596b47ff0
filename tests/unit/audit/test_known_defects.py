"""Advisories in the audit: what rows say, and what no fix moves to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from pytest_arm64.advisories.database import Advisories
from pytest_arm64.advisories.entries import Advisory
from pytest_arm64.audit.auditor import Auditor
from pytest_arm64.audit.fixes import Audited, Fixed, fix
from pytest_arm64.audit.matrix import BLOCKER, WHEEL, WheelMatrix
from pytest_arm64.config.targets import shipped_targets
from pytest_arm64.index.pip_config import PipConfig
from pytest_arm64.inputs.service import read_service
from unit.advisories.made_advisories import advisory
from unit.index.served import Project, joined, release, serve
from unit.support import write

pytestmark = pytest.mark.usefixtures("index_alone")

ARM = "cp312-cp312-manylinux_2_17_aarch64"
X86 = "cp312-cp312-manylinux_2_17_x86_64"
TARGET = shipped_targets()["al2023-python3.12"]
ZED = joined(
    release("zed", "1.0", X86),
    release("zed", "2.0", ARM, X86),
    release("zed", "3.0", ARM, X86),
)
PROJECTS = {
    "zed": ZED,
    "app": release("app", "1.0", "py3-none-any", requires=["zed<3"]),
    "soft": joined(
        release("soft", "1.0", X86),
        release("soft", "2.0", ARM, X86, requires=["zed<3"]),
    ),
}


def audited(
    folder: Path, text: str, *entries: Advisory, projects: Mapping[str, Project] = PROJECTS
) -> tuple[WheelMatrix, Fixed]:
    write(folder, {"requirements.txt": text})
    environ = {"NETRC": str(folder / "no-netrc")}
    with serve(projects) as index:
        config = PipConfig({"index-url": index.url}, {}, ())
        service = read_service(folder, environ, root=folder)
        known = Advisories(entries)
        with Auditor(environ, config=config, advisories=known) as auditor:
            matrix = auditor.matrix(service, TARGET)
            return matrix, fix([Audited(service, TARGET, matrix)], auditor, folder)


def test_a_row_says_what_is_known_and_keeps_its_state(tmp_path: Path) -> None:
    matrix, _ = audited(tmp_path, "zed==2.0\n", advisory())
    row = matrix["zed"]
    assert (row.state, row.cause) == (WHEEL, "")
    assert [(d.id, d.fixed, d.grave) for d in row.advisories] == [("ARM-2026-0001", "3.0", True)]
    assert matrix.ready
    assert matrix.exit_code == 0
    assert WheelMatrix.from_json(matrix.to_json()).packages == matrix.packages


def test_no_fix_moves_to_an_affected_release(tmp_path: Path) -> None:
    _, plain = audited(tmp_path, "zed==1.0\n")
    assert (tmp_path / "requirements.txt").read_text() == "zed==2.0\n", plain.lines
    matrix, _ = audited(tmp_path, "zed==1.0\n", advisory())
    assert (tmp_path / "requirements.txt").read_text() == "zed==3.0\n"
    remedy = matrix["zed"].remedy
    assert remedy is not None
    assert remedy.version == "3.0"
    assert "zed 2.0 has a usable wheel and a known defect (ARM-2026-0001)" in remedy.text


def test_what_may_apply_is_passed_over_too(tmp_path: Path) -> None:
    matrix, _ = audited(tmp_path, "zed==1.0\n", advisory(cores=["neoverse-n1"]))
    remedy = matrix["zed"].remedy
    assert remedy is not None
    assert remedy.version == "3.0"


@pytest.mark.parametrize("effect", ["slow", "heavy", "missing-feature"])
def test_what_is_slow_is_moved_to_all_the_same(tmp_path: Path, effect: str) -> None:
    matrix, _ = audited(tmp_path, "zed==1.0\n", advisory(effect=effect))
    remedy = matrix["zed"].remedy
    assert remedy is not None
    assert remedy.version == "2.0"


def test_without_a_release_outside_nothing_is_moved_and_the_reason_is_said(tmp_path: Path) -> None:
    matrix, _ = audited(tmp_path, "zed==1.0\n", advisory(events=[{"introduced": "2.0"}]))
    row = matrix["zed"]
    assert row.state == BLOCKER
    assert row.remedy is not None
    assert row.remedy.version == ""
    assert "zed 2.0 has a usable wheel and a known defect (ARM-2026-0001)" in row.remedy.text
    assert (tmp_path / "requirements.txt").read_text() == "zed==1.0\n"


def test_a_change_that_brings_in_an_affected_dependency_is_not_made(tmp_path: Path) -> None:
    _, fixed = audited(tmp_path, "soft==1.0\n", advisory())
    assert (tmp_path / "requirements.txt").read_text() == "soft==1.0\n"
    assert any("zed 2.0 has a known defect (ARM-2026-0001)" in line for line in fixed.lines)
    _, fixed = audited(tmp_path, "soft==1.0\n")
    assert (tmp_path / "requirements.txt").read_text() == "soft==2.0\n", fixed.lines


def moved(folder: Path, text: str, *entries: Advisory, projects: Mapping[str, Project]) -> str:
    """The requirement file after ``--fix``."""
    audited(folder, text, *entries, projects=projects)
    return (folder / "requirements.txt").read_text()


def test_a_green_pin_with_a_known_defect_moves_to_the_first_release_without(
    tmp_path: Path,
) -> None:
    matrix, fixed = audited(tmp_path, "zed==2.0\n", advisory())
    row = matrix["zed"]
    assert row.green
    assert row.remedy is not None
    assert (row.remedy.version, row.remedy.moves) == ("3.0", ("zed==3.0",))
    assert row.remedy.text.startswith("zed 3.0 has a usable wheel and no known defect")
    assert (tmp_path / "requirements.txt").read_text() == "zed==3.0\n"
    assert any("because of ARM-2026-0001" in line for line in fixed.lines)
    assert matrix.ready


@pytest.mark.parametrize("effect", ["slow", "heavy", "missing-feature"])
def test_a_green_pin_that_is_only_slow_stays(tmp_path: Path, effect: str) -> None:
    matrix, _ = audited(tmp_path, "zed==2.0\n", advisory(effect=effect))
    assert matrix["zed"].remedy is None
    assert (tmp_path / "requirements.txt").read_text() == "zed==2.0\n"


def test_out_of_one_advisory_is_not_into_another(tmp_path: Path) -> None:
    projects = {"zed": joined(ZED, release("zed", "4.0", ARM, X86))}
    other = advisory("ARM-2026-0002", events=[{"introduced": "3.0"}, {"fixed": "4.0"}])
    assert moved(tmp_path, "zed==2.0\n", advisory(), other, projects=projects) == "zed==4.0\n"


def test_a_green_pin_never_goes_back_by_itself_and_the_row_names_the_older_release(
    tmp_path: Path,
) -> None:
    projects = {"zed": joined(release("zed", "1.5", ARM, X86), release("zed", "2.0", ARM, X86))}
    matrix, _ = audited(tmp_path, "zed==2.0\n", advisory(), projects=projects)
    remedy = matrix["zed"].remedy
    assert remedy is not None
    assert remedy.version == "1.5"
    assert "no later release has a usable wheel and no known defect" in remedy.text
    assert (tmp_path / "requirements.txt").read_text() == "zed==2.0\n"


def yanked(project: Project) -> Project:
    return Project([(file, python, True) for file, python, _ in project.files], project.requires)


def test_no_pin_moves_to_a_yanked_release(tmp_path: Path) -> None:
    projects = {
        "zed": joined(
            release("zed", "1.0", X86),
            release("zed", "2.0", ARM, X86),
            yanked(release("zed", "3.0", ARM, X86)),
            release("zed", "4.0", ARM, X86),
        )
    }
    for text in ("zed==1.0\n", "zed==2.0\n"):
        assert moved(tmp_path, text, advisory(), projects=projects) == "zed==4.0\n"


def test_a_change_that_brings_in_a_yanked_release_is_not_made(tmp_path: Path) -> None:
    projects = {
        "soft": joined(
            release("soft", "1.0", X86), release("soft", "2.0", ARM, X86, requires=["dep==1.0"])
        ),
        "dep": yanked(release("dep", "1.0", "py3-none-any")),
    }
    _, fixed = audited(tmp_path, "soft==1.0\n", projects=projects)
    assert (tmp_path / "requirements.txt").read_text() == "soft==1.0\n"
    assert any("dep 1.0 was yanked by its maintainers" in line for line in fixed.lines)


def test_a_defect_that_was_there_before_does_not_hide_a_second_one(tmp_path: Path) -> None:
    projects = {
        "soft": joined(
            release("soft", "1.0", X86, requires=["zed==2.0"]),
            release("soft", "2.0", ARM, X86, requires=["zed==2.5"]),
        ),
        "zed": joined(release("zed", "2.0", ARM, X86), release("zed", "2.5", ARM, X86)),
    }
    other = advisory("ARM-2026-0002", events=[{"introduced": "2.5"}, {"fixed": "3.0"}])
    _, fixed = audited(tmp_path, "soft==1.0\n", advisory(), other, projects=projects)
    assert (tmp_path / "requirements.txt").read_text() == "soft==1.0\n"
    assert any("zed 2.5 has a known defect (ARM-2026-0002)" in line for line in fixed.lines)


def test_the_nearest_release_of_a_missing_one_is_neither_yanked_nor_affected(
    tmp_path: Path,
) -> None:
    projects = {
        "zed": joined(
            yanked(release("zed", "1.0", ARM, X86)),
            release("zed", "2.0", ARM, X86),
            release("zed", "3.0", ARM, X86),
        )
    }
    matrix, _ = audited(tmp_path, "zed==0.9\n", advisory(), projects=projects)
    remedy = matrix["zed"].remedy
    assert remedy is not None
    assert remedy.version == "3.0"


def test_a_package_of_a_tree_names_the_pin_that_lets_it_out(tmp_path: Path) -> None:
    projects = {
        "app": joined(
            release("app", "1.0", "py3-none-any", requires=["zed<3"]),
            release("app", "2.0", "py3-none-any", requires=["zed>=3"]),
        ),
        "zed": ZED,
    }
    assert moved(tmp_path, "app==1.0\n", advisory(), projects=projects) == "app==2.0\n"
