"""Members of archives from strangers are read in no more memory than they state."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from pytest_arm64.inside.zip_member import open_member, read_member
from unit.lying_zips import LARGE, add, little_memory, state_packed


def test_a_member_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    add(path, "packed", b"abc" * 1000)
    add(path, "stored", b"def" * 1000, method=zipfile.ZIP_STORED)
    add(path, "empty", b"")
    with zipfile.ZipFile(path) as archive:
        contents = [read_member(archive, info) for info in archive.infolist()]
    assert contents == [b"abc" * 1000, b"def" * 1000, b""]


@pytest.mark.parametrize("stated", [1, 100, 1 << 20])
def test_a_member_that_is_larger_than_stated_is_refused_in_little_memory(
    tmp_path: Path, stated: int
) -> None:
    path = tmp_path / "a.zip"
    add(path, "bomb", LARGE, stated=stated)
    with (
        zipfile.ZipFile(path) as archive,
        little_memory(8 << 20),
        pytest.raises(zipfile.BadZipFile),
    ):
        read_member(archive, archive.getinfo("bomb"))


def test_a_member_of_which_more_bytes_are_stated_than_there_are(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    add(path, "short", b"abc", method=zipfile.ZIP_STORED)
    state_packed(path, "short", 0x7FFFFFFF)
    with zipfile.ZipFile(path) as archive, little_memory(8 << 20):
        assert read_member(archive, archive.getinfo("short")) == b"abc"


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_methods_than_deflate_are_refused_before_they_take_memory(
    tmp_path: Path, method: int
) -> None:
    path = tmp_path / "a.zip"
    add(path, "bomb", LARGE, method=method, stated=100)
    with (
        zipfile.ZipFile(path) as archive,
        little_memory(1 << 20),
        pytest.raises(zipfile.BadZipFile, match="'bomb' is not packed by deflate"),
    ):
        open_member(archive, archive.getinfo("bomb"))
