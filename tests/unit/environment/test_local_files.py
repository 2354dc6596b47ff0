"""Distributions of local indexes are copied into a builder; nothing else of their folders is."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from pytest_arm64.environment import local_files
from pytest_arm64.environment.local_files import (
    copy_of_files,
    index_files,
    link_files,
    mounted_folders,
)
from pytest_arm64.errors import InstallError
from unit.support import write


def test_of_a_link_folder_only_distributions_and_pages_are_copied(tmp_path: Path) -> None:
    names = ("a-1-py3-none-any.whl", "b-1.tar.gz", "page.html", "docker.sock", "id_rsa", ".netrc")
    folder = write(tmp_path / "wheels", dict.fromkeys((*names, "deep/c-1.zip"), "x"))
    (folder / "d.whl").mkdir()
    copied = link_files([folder], tmp_path)
    assert set(copied) == {str(folder / name) for name in names[:3]}


def test_a_link_of_the_repository_to_a_file_of_the_host_is_not_copied(tmp_path: Path) -> None:
    write(tmp_path, {"secret": "key", "repo/wheels/real-1.zip": "", "repo/shared/e-1.zip": ""})
    folder = tmp_path / "repo/wheels"
    (folder / "a-1.tar.gz").symlink_to(tmp_path / "secret")
    (folder / "e-1.zip").symlink_to("../shared/e-1.zip")
    copied = link_files([folder], tmp_path / "repo")
    assert set(copied) == {str(folder / "real-1.zip"), str(folder / "e-1.zip")}


def test_files_that_pages_of_a_local_index_link_to_are_copied(tmp_path: Path) -> None:
    page = (
        '<a href="../../files/a-1.zip#sha256=0">a</a><a href=b-1.tar.gz>b</a>'
        '<a href="../../keys/id">k</a><a href="https://host/c-1.zip">c</a><a href="%00-1.zip">n</a>'
    )
    files = {"simple/a/index.html": page, "simple/a/b-1.tar.gz": "", "files/a-1.zip": ""}
    write(tmp_path, {**files, "keys/id": "secret"})
    assert set(index_files([tmp_path / "simple"])) == {str(tmp_path / name) for name in files}


def test_a_copy_has_the_files_under_their_paths(tmp_path: Path) -> None:
    write(tmp_path, {"a-1.whl": b"x" * 1000, "b-1.zip": b"", "c-1.zip": b"y" * 512})
    files = link_files([tmp_path], tmp_path)
    with tarfile.open(fileobj=io.BytesIO(b"".join(copy_of_files(files)))) as archive:
        read = {f"/{m.name}": archive.extractfile(m).read() for m in archive}  # type: ignore[union-attr]  # regular files
    assert read == {name: path.read_bytes() for name, path in files.items()}


def test_folders_too_large_to_copy_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_files, "MAXIMUM_COPY", 2**30)
    with (tmp_path / "a-1.zip").open("wb") as stream:
        stream.truncate(2**30 + 1)
    with pytest.raises(InstallError, match="more than 1 GiB"):
        list(copy_of_files(link_files([tmp_path], tmp_path)))


def test_a_small_index_is_not_mounted(tmp_path: Path) -> None:
    write(tmp_path, {"a-1.zip": "x", "engine.sock": ""})
    assert mounted_folders((str(tmp_path),)) == ()


def test_a_mirror_too_large_to_copy_is_mounted_with_the_files_that_it_links_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_files, "MAXIMUM_COPY", 10)
    page = '<a href="../../files/a-1.zip">a</a>'
    write(tmp_path, {"simple/a/index.html": page, "files/a-1.zip": "x" * 20, "keys/id": "k"})
    expected = (f"{tmp_path}/simple", f"{tmp_path}/files")
    assert mounted_folders((f"{tmp_path}/simple",)) == expected


@pytest.mark.parametrize("place", ["docker.sock", "deep/docker.sock"])
def test_a_folder_with_a_socket_is_not_mounted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setattr(local_files, "MAXIMUM_COPY", 10)
    write(tmp_path, {"a-1.zip": "x" * 20, "deep/x": ""})
    os.mkfifo(tmp_path / place)
    with pytest.raises(InstallError, match="neither a file nor a folder"):
        mounted_folders((str(tmp_path),))
