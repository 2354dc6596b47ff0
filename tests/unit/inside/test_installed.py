"""What an interpreter finds installed, told by the script that runs in an image."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pytest_arm64.inside.installed import folders, installed


def package(site: Path, name: str, files: str, wheel: str = "") -> None:
    info = site / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", "utf-8")
    (info / "RECORD").write_text("".join(f"{file},,\n" for file in files.split()), "utf-8")
    for file in files.split():
        (site / file).touch()
    if wheel:
        (info / "WHEEL").write_text(wheel, "utf-8")


def test_each_name_once_the_first_folder_wins(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    package(one, "A_b", "a.py", "Tag: py3-none-any\n")
    package(other, "a-b", "a.py", "Tag: cp312-cp312-linux_aarch64\n")
    (found,) = installed([str(one), str(other)])
    assert (found["site"], found["wheel"]) == (str(one), "Tag: py3-none-any\n")
    assert "Name: A_b" in str(found["metadata"])


def test_what_no_wheel_was_is_told_by_its_files(tmp_path: Path) -> None:
    package(tmp_path, "plain", "a.py")
    package(tmp_path, "compiled", "a.py c.so")
    wheels = {
        str(one["metadata"]).split()[3]: str(one["wheel"]) for one in installed([str(tmp_path)])
    }
    assert wheels["plain"] == "Tag: py3-none-any"
    assert wheels["compiled"].startswith("Tag: py3-none-linux_")


def test_a_compiled_file_that_was_removed_does_not_count(tmp_path: Path) -> None:
    package(tmp_path, "stripped", "a.py c.so")
    (tmp_path / "c.so").unlink()
    (found,) = installed([str(tmp_path)])
    assert found["wheel"] == "Tag: py3-none-any"


def test_metadata_without_a_name_are_no_error(tmp_path: Path) -> None:
    info = tmp_path / "left-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Version: 1.0\n", "utf-8")
    (found,) = installed([str(tmp_path)])
    assert found["metadata"] == "Version: 1.0\n"


def test_folders_are_those_of_imports_without_the_standard_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task, work, site = (tmp_path / name for name in ("task", "work", "site"))
    for folder in (task, work, site):
        folder.mkdir()
    monkeypatch.setenv("LAMBDA_TASK_ROOT", str(task))
    monkeypatch.delenv("LAMBDA_RUNTIME_DIR", raising=False)
    monkeypatch.chdir(work)
    library = str(Path(os.__file__).parent)
    monkeypatch.setattr("sys.path", ["", str(site), library, str(tmp_path / "none"), str(site)])
    assert folders() == [str(task), str(work), str(site)]
