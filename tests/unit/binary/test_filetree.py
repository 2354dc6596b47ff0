"""Folders, zips and tars as trees of compiled files, hostile ones included."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.binary import filetree
from pytest_arm64.binary.filetree import FileTree, folder_tree, tar_tree, zip_tree
from pytest_arm64.errors import ArtifactError
from unit.binary.elves import elf, write
from unit.lying_zips import LARGE, add, little_memory

FILES = {
    "a/__init__.py": b"pass",
    "a/ext.so": elf(needed=["libc.so.6"]),
    "a/broken.so": b"\x7fELF and then nothing",
    "a-1.dist-info/RECORD": b"a/ext.so,,\n",
}


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def tarred(path: Path, files: dict[str, bytes], links: dict[str, str]) -> io.BufferedReader:
    with tarfile.open(path, "w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), 0o755
            archive.addfile(info, io.BytesIO(content))
        for name, target in links.items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            archive.addfile(info)
    return path.open("rb")


def check(tree: FileTree) -> None:
    assert set(tree.files) == {"/x/a/ext.so", "/x/a/broken.so"}
    found = tree.elf("/x/a/ext.so")
    assert found is not None
    assert found.needed == ("libc.so.6",)
    assert tree.files["/x/a/broken.so"].elf is None
    assert "class or byte order" in tree.files["/x/a/broken.so"].problem
    assert tree.texts == {"/x/a-1.dist-info/RECORD": "a/ext.so,,\n"}


def test_a_folder_a_zip_and_a_tar_give_the_same(tmp_path: Path) -> None:
    check(folder_tree(write(tmp_path / "folder", FILES), "/x"))
    check(zip_tree(zipped(tmp_path / "a.zip", FILES), "/x"))
    with tarred(tmp_path / "a.tar", FILES, {}) as archive:
        check(tar_tree(archive, "/x"))


def test_a_wheels_data_folder_is_laid_where_an_installer_lays_it(tmp_path: Path) -> None:
    wheel = zipped(tmp_path / "a-1-py3-none-any.whl", {"a-1.data/platlib/a/ext.so": elf()})
    assert set(zip_tree(wheel, "/site").files) == {"/site/a/ext.so"}


def test_large_members_are_read_beside_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filetree, "_IN_MEMORY", 16)
    tree = zip_tree(zipped(tmp_path / "a.zip", FILES), "/x")
    check(tree)


def test_links_stay_inside_the_tree(tmp_path: Path) -> None:
    links = {
        "lib": "usr/lib",
        "usr/lib/liba.so.1": "../../../../../usr/lib/liba.so.1.2",
        "loop": "loop/loop",
    }
    with tarred(tmp_path / "a.tar", {"usr/lib/liba.so.1.2": elf()}, links) as archive:
        tree = tar_tree(archive, "/")
    assert tree.real("/lib/liba.so.1") == "/usr/lib/liba.so.1.2"
    assert tree.elf("/lib/liba.so.1") is not None
    assert tree.real("/loop/x") == ""


@given(st.dictionaries(st.sampled_from(["/a", "/b", "/a/c"]), st.text("abc./", max_size=12)))
def test_following_links_always_ends(links: dict[str, str]) -> None:
    found = FileTree(links=links).real("/a/b/../c/a")
    assert found == "" or found.startswith("/")
    assert ".." not in found.split("/")


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04" + bytes(100)])
def test_what_is_no_zip(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.whl").write_bytes(content)
    with pytest.raises(ArtifactError, match="cannot be read"):
        zip_tree(tmp_path / "a.whl", "/x")


def test_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filetree, "MAXIMUM_TOTAL", 1000)
    with pytest.raises(ArtifactError, match="more than can be looked at"):
        zip_tree(zipped(tmp_path / "a.zip", {"a.so": elf(), "b": bytes(2000)}), "/x")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_member_that_is_packed_without_a_limit_is_refused(tmp_path: Path, method: int) -> None:
    path = tmp_path / "a.zip"
    add(path, "lib.so", LARGE, method=method, stated=100)
    with little_memory(), pytest.raises(ArtifactError, match="not packed by deflate"):
        zip_tree(path, "/task")
