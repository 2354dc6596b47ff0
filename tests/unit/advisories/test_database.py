"""What all advisories together say of a release, and those of a project's own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from packaging.version import Version

from pytest_arm64.advisories.database import (
    MOST_BYTES,
    Advisories,
    project_advisories,
    shipped_advisories,
)
from pytest_arm64.advisories.entries import read_advisories
from pytest_arm64.config.project_files import read_project_files
from pytest_arm64.config.targets import shipped_targets
from pytest_arm64.errors import SettingsError
from unit.advisories.made_advisories import advisory, entry
from unit.support import write

AL2023 = shipped_targets()["al2023-python3.12"]
ZIP = shipped_targets()["lambda-zip-python3.12"]


def test_a_release_in_a_range_is_affected_and_its_fix_is_named() -> None:
    (defect,) = Advisories((advisory(),)).defects("zed", "2.5", AL2023)
    assert (defect.id, defect.condition, defect.fixed) == ("ARM-2026-0001", "", "3.0")
    assert defect.grave
    assert defect.url == "https://example.org/1"


def test_the_fix_that_is_named_is_outside_of_every_other_range() -> None:
    known = Advisories(
        (advisory(), advisory("B-1", events=[{"introduced": "3.0"}, {"fixed": "3.2"}]))
    )
    assert [d.fixed for d in known.defects("zed", "2.5", AL2023)] == ["3.2"]
    known = Advisories((advisory(), advisory("B-1", events=[{"introduced": "3.0"}])))
    assert [d.fixed for d in known.defects("zed", "2.5", AL2023)] == [""]


def test_what_may_apply_is_avoided_and_is_no_certain_defect() -> None:
    known = Advisories((advisory(cores=["neoverse-n1"]),))
    (defect,) = known.defects("zed", "2.5", AL2023)
    assert not defect.grave
    assert known.avoids("zed", Version("2.5"), AL2023) == "ARM-2026-0001"
    assert known.avoids("zed", Version("3.0"), AL2023) == ""


@pytest.mark.parametrize("effect", ["slow", "missing-feature", "heavy"])
def test_what_is_not_grave_keeps_no_release_from_being_advised(effect: str) -> None:
    known = Advisories((advisory(effect=effect),))
    assert [d.grave for d in known.defects("zed", "2.5", AL2023)] == [False]
    assert known.avoids("zed", Version("2.5"), AL2023) == ""


@pytest.mark.parametrize("version", ["", "unknown", "2.5-custom-build"])
def test_of_what_is_no_version_nothing_is_said(version: str) -> None:
    assert Advisories((advisory(),)).defects("zed", version, AL2023) == ()


@pytest.mark.parametrize(
    ("package", "version", "identity", "grave"),
    [
        ("pyarrow", "25.0.0", "ARM-2026-0008", False),
        ("onnxruntime", "1.16.0", "ARM-2026-0017", True),
        ("z3-solver", "4.13.0.0", "ARM-2026-0028", False),
    ],
)
def test_shipped_ones_apply_where_they_say(
    package: str, version: str, identity: str, *, grave: bool
) -> None:
    found = {d.id: d.grave for d in shipped_advisories().defects(package, version, ZIP)}
    assert found[identity] is grave


def project(folder: Path, settings: str, **files: object) -> Advisories:
    texts = {f"{name}.json": json.dumps(data) for name, data in files.items()}
    write(folder, {"pyproject.toml": f"[tool.pytest-arm64]\n{settings}\n", **texts})
    return project_advisories(read_project_files(folder))


def test_own_entries_are_added(tmp_path: Path) -> None:
    known = project(tmp_path, 'advisories = ["ours.json"]', ours=[entry("OURS-1")])
    assert [a.id for a in known.of("zed")] == ["OURS-1"]
    assert len(known.entries) == len(shipped_advisories().entries) + 1


def test_an_own_entry_takes_the_place_of_a_shipped_one_or_takes_it_away(tmp_path: Path) -> None:
    ours = [
        entry("x_ARM-2026-0001"),
        {**entry("ARM-2026-0002"), "withdrawn": "2026-11-30T00:00:00Z"},
    ]
    known = project(tmp_path, 'advisories = ["ours.json"]', ours=ours)
    assert known.get("ARM-2026-0001").packages == ("zed",)
    with pytest.raises(SettingsError, match="no advisory 'ARM-2026-0002'"):
        known.get("ARM-2026-0002")


def test_the_cores_of_the_project_decide(tmp_path: Path) -> None:
    known = project(tmp_path, 'cpu = "graviton3"')
    assert [d.grave for d in known.defects("pyarrow", "25.0.0", AL2023)] == [True]
    assert project(tmp_path, 'cpu = "graviton2"').defects("pyarrow", "25.0.0", AL2023) == ()
    (defect,) = project(tmp_path, 'cpu = "auto"').defects("pyarrow", "25.0.0", AL2023)
    assert not defect.grave  # auto says nothing of the cores that it is deployed on
    with pytest.raises(SettingsError, match="cpu: unknown core"):
        project(tmp_path, 'cpu = "z80"')


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"advisories: gone\.json: No such file"):
        project(tmp_path, 'advisories = ["gone.json"]')
    (tmp_path / "large.json").write_bytes(b" " * (MOST_BYTES + 1))
    with pytest.raises(SettingsError, match=r"large\.json: it is larger than 1 MiB"):
        project(tmp_path, 'advisories = ["large.json"]')
    with pytest.raises(SettingsError, match=r"bad\.json: entry 1: id"):
        project(tmp_path, 'advisories = ["bad.json"]', bad={**entry(), "id": "?"})


def test_a_file_outside_of_the_repository_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "repository" / ".git").mkdir(parents=True)
    (tmp_path / "ours.json").write_text(json.dumps(entry("OURS-1")), "utf-8")
    with pytest.raises(SettingsError, match="outside the repository"):
        project(tmp_path / "repository", 'advisories = ["../ours.json"]')


def test_other_entries_or_cores_have_another_fingerprint() -> None:
    one = Advisories((advisory(),))
    assert one.fingerprint == Advisories((advisory(),)).fingerprint
    others = [Advisories(()), Advisories((advisory(),), ("neoverse-n1",))]
    assert len({one.fingerprint, *(other.fingerprint for other in others)}) == 3


def test_fixes_that_are_affected_again_are_not_gone_through_without_end() -> None:
    entries = [
        advisory(f"A-{n}", events=[{"introduced": str(n)}, {"fixed": str(n + 1)}])
        for n in range(1000)
    ]
    known = Advisories((*entries, advisory("B-1", events=[{"introduced": "0"}])))
    assert [defect.fixed for defect in known.defects("zed", "0", AL2023)] == ["", ""]
    assert [d.fixed for d in Advisories((*entries[-50:],)).defects("zed", "950", AL2023)] == [
        "1000"
    ]


def test_a_file_with_too_many_affected_releases_is_refused() -> None:
    versions = [str(n) for n in range(200)]
    many = [entry(f"A-{n}", versions=versions) for n in range(26)]
    with pytest.raises(SettingsError, match="more than 5000 affected releases"):
        read_advisories(json.dumps(many).encode(), "ours.json")
    assert len(read_advisories(json.dumps(many[:25]).encode(), "ours.json")) == 25


@pytest.mark.parametrize("name", ["o\\u0000.json", "\\u0000", "\\u001b[2J\\u0000"])
def test_a_file_whose_name_no_file_can_have_is_an_error(tmp_path: Path, name: str) -> None:
    write(tmp_path, {"pyproject.toml": f'[tool.pytest-arm64]\nadvisories = ["{name}"]\n'})
    with pytest.raises(SettingsError, match="no file can have this name"):
        project_advisories(read_project_files(tmp_path))
