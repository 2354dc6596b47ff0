"""Files that are written whole, into the folder that was opened, and through no link."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from pytest_arm64.open_folder import STAGED, OpenFolder, write_all, write_inside


def test_a_link_in_the_place_of_a_file_is_replaced(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    canary.write_bytes(b"1")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "file").symlink_to(canary)
    with OpenFolder(tmp_path / "out") as folder:
        assert folder.write("file", b"2").read_bytes() == b"2"
    assert canary.read_bytes() == b"1"
    assert not (tmp_path / "out" / "file").is_symlink()


def test_a_file_has_the_mode_that_the_mask_gives(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with OpenFolder(tmp_path) as folder:
            path = folder.write("file", b"")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.parametrize("replaced_by", ["folder", "link", "nothing"])
def test_another_folder_in_its_place_is_not_written_to(tmp_path: Path, replaced_by: str) -> None:
    path, other = tmp_path / "out", tmp_path / "other"
    other.mkdir()
    with OpenFolder(path) as folder:
        path.rename(tmp_path / "moved")
        if replaced_by == "folder":
            path.mkdir()
        elif replaced_by == "link":
            path.symlink_to(other)
        with pytest.raises(OSError, match="moved or replaced"):
            folder.write("file", b"2")
    assert {p.name for p in tmp_path.rglob("*")} <= {"out", "other", "moved"}


@pytest.mark.parametrize("where", ["a", "a/b", "a/b/c"])
def test_no_link_on_the_way_is_followed(tmp_path: Path, where: str) -> None:
    root, elsewhere = tmp_path / "root", tmp_path / "else"
    elsewhere.mkdir()
    link = root / where
    link.parent.mkdir(parents=True)
    link.symlink_to(elsewhere)
    with pytest.raises(OSError, match=r"Not a directory|Too many levels"):
        OpenFolder.below(root, root / "a/b/c")
    assert list(elsewhere.iterdir()) == []


def test_a_folder_outside_of_the_root_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="subpath"):
        OpenFolder.below(tmp_path / "root", tmp_path / "else")


def test_missing_folders_are_created(tmp_path: Path) -> None:
    with OpenFolder.below(tmp_path, tmp_path / "a" / "b") as folder:
        folder.write("file", b"1")
    assert (tmp_path / "a" / "b" / "file").read_bytes() == b"1"


def test_nothing_is_moved_where_one_cannot_be_written(tmp_path: Path) -> None:
    with OpenFolder(tmp_path) as folder:
        folder.write("a", b"1")
        with pytest.raises(OSError, match="too long"):
            write_all([(folder, "a", b"2"), (folder, "b" * 300, b"2")])
    assert (tmp_path / "a").read_bytes() == b"1"
    assert not list(tmp_path.glob(f"*{STAGED}"))


def test_what_cannot_be_moved_leaves_no_staged_file(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with OpenFolder(tmp_path) as folder, pytest.raises(OSError, match="directory"):
        write_all([(folder, "folder", b"2"), (folder, "other", b"2")])
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]


@pytest.mark.parametrize("way", ["file", "link", "link of a folder"])
def test_a_file_of_the_user_keeps_its_mode_and_its_links(tmp_path: Path, way: str) -> None:
    root = tmp_path / "root"
    (root / "real").mkdir(parents=True)
    (root / "real/file").write_bytes(b"1")
    (root / "real/file").chmod(0o600)
    (root / "link").symlink_to("real/file")
    (root / "folder").symlink_to("real")
    names = {"file": "real/file", "link": "link", "link of a folder": "folder/file"}
    write_inside(root, root / names[way], b"2")
    assert (root / "real/file").read_bytes() == b"2"
    assert stat.S_IMODE((root / "real/file").stat().st_mode) == 0o600
    assert (root / "link").is_symlink()
    assert (root / "folder").is_symlink()


@pytest.mark.parametrize("way", ["file", "folder", "missing file"])
def test_a_link_that_leads_out_of_the_repository_is_not_written_through(
    tmp_path: Path, way: str
) -> None:
    root, home = tmp_path / "root", tmp_path / "home"
    root.mkdir()
    home.mkdir()
    canary = home / "canary"
    if way != "missing file":
        canary.write_bytes(b"1")
    (root / "file").symlink_to(canary)
    (root / "folder").symlink_to(home)
    name = "folder/canary" if way == "folder" else "file"
    with pytest.raises(OSError, match="outside of"):
        write_inside(root, root / name, b"2")
    assert not canary.exists() if way == "missing file" else canary.read_bytes() == b"1"
