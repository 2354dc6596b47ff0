"""Root file systems from tars and saved images: the same, however they are packed."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.binary import rootfs
from pytest_arm64.binary.rootfs import read_root
from pytest_arm64.errors import ArtifactError
from unit.binary.elves import elf
from unit.binary.roots import config, docker_archive, oci_archive, tar
from unit.support import attempt

LOWER = tar(
    {
        "lib": "usr/lib",
        "usr/lib/libgone.so.1": elf(),
        "usr/lib/libold.so.1": elf(soname="libold.so.1", defines=["OLD_1"]),
        "usr/lib/apart/liba.so": elf(),
        "usr/lib/folder/libb.so": elf(),
        "etc/os-release": b"ID=one\n",
        "var/lib/rpm/rpmdb.sqlite": b"database",
    }
)
UPPER = tar(
    {
        "usr/lib/.wh.libgone.so.1": b"",
        "usr/lib/libold.so.1": elf(soname="libold.so.1", defines=["NEW_1"]),
        "usr/lib/apart/.wh..wh..opq": b"",
        "usr/lib/folder": b"now a file",
        "etc/os-release": b"ID=two\n",
        "var/lib/.wh.rpm": b"",
    }
)
WHOLE = tar({"lib64/libc.so.6": elf(defines=["GLIBC_2.36"]), "etc/os-release": b"ID=debian\n"})


def plain(path: Path, layers: list[bytes]) -> Path:
    return docker_archive(path, layers, config(variables=["PATH=/x", "LD_LIBRARY_PATH=/opt/lib"]))


@pytest.mark.parametrize(
    "pack", [bytes, gzip.compress, bz2.compress, lzma.compress], ids=["tar", "gz", "bz2", "xz"]
)
def test_a_tar_of_a_file_system(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "root.tar"
    path.write_bytes(pack(WHOLE))
    found = read_root(path)
    assert set(found.tree.files) == {"/lib64/libc.so.6"}
    assert found.tree.texts == {"/etc/os-release": "ID=debian\n"}


def check_merged(found: rootfs.RootFiles) -> None:
    assert set(found.tree.files) == {"/usr/lib/libold.so.1"}
    library = found.tree.elf("/lib/libold.so.1")
    assert library is not None
    assert library.defines == ("NEW_1",)
    assert found.tree.texts == {"/etc/os-release": "ID=two\n"}
    assert found.databases == {}


def test_layers_of_docker_save(tmp_path: Path) -> None:
    found = read_root(plain(tmp_path / "image.tar", [LOWER, UPPER]))
    check_merged(found)
    assert found.library_path == "/opt/lib"
    below = read_root(plain(tmp_path / "below.tar", [LOWER]))
    assert below.databases == {"/var/lib/rpm/rpmdb.sqlite": b"database"}


def test_layers_of_an_oci_archive(tmp_path: Path) -> None:
    found = read_root(oci_archive(tmp_path / "image.tar", {"arm64": [LOWER, UPPER]}))
    check_merged(found)
    assert found.digest.startswith("sha256:")


def test_of_several_platforms_that_for_arm64(tmp_path: Path) -> None:
    path = oci_archive(tmp_path / "image.tar", {"amd64": [WHOLE], "arm64": [LOWER, UPPER]})
    check_merged(read_root(path))


def test_a_layer_that_two_images_share_is_a_link(tmp_path: Path) -> None:
    """docker save before version 25 links it."""
    manifest = json.dumps([{"Config": "c.json", "Layers": ["a/layer.tar", "b/layer.tar"]}])
    path = tmp_path / "image.tar"
    path.write_bytes(
        tar(
            {
                "c.json": config(),
                "a/layer.tar": WHOLE,
                "b/layer.tar": "../a/layer.tar",
                "manifest.json": manifest.encode(),
            }
        )
    )
    assert set(read_root(path).tree.files) == {"/lib64/libc.so.6"}


def documents(path: Path, manifest: object, settings: bytes = b"{}") -> Path:
    path.write_bytes(tar({"manifest.json": json.dumps(manifest).encode(), "c.json": settings}))
    return path


@pytest.mark.parametrize(
    ("manifest", "part"),
    [
        ([], "0 images"),
        ([{}, {}], "2 images"),
        ({}, "0 images"),
        ([3], "0 layers"),
        ([{"Config": "c.json"}], "0 layers"),
        ([{"Config": "c.json", "Layers": ["../../etc/shadow"]}], "does not have"),
        ([{"Config": "c.json", "Layers": ["/etc/shadow"]}], "does not have"),
        ([{"Config": "c.json", "Layers": ["x"] * 300}], "300 layers"),
        ([{"Config": "/etc/passwd", "Layers": ["x"]}], "does not have"),
    ],
)
def test_a_manifest_that_names_nothing_is_refused(
    tmp_path: Path, manifest: object, part: str
) -> None:
    with pytest.raises(ArtifactError, match=part):
        read_root(documents(tmp_path / "image.tar", manifest))


def test_an_image_for_another_machine_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="'amd64', not for arm64"):
        read_root(docker_archive(tmp_path / "a.tar", [WHOLE], config("amd64")))
    with pytest.raises(ArtifactError, match="'amd64'"):
        read_root(oci_archive(tmp_path / "b.tar", {"amd64": [WHOLE]}))
    with pytest.raises(ArtifactError, match="2 images"):
        read_root(oci_archive(tmp_path / "c.tar", {"amd64": [WHOLE], "s390x": [WHOLE]}))


def test_a_blob_with_another_content_is_refused(tmp_path: Path) -> None:
    path = oci_archive(tmp_path / "image.tar", {"arm64": [WHOLE]}, wrong_hash=True)
    with pytest.raises(ArtifactError, match="another hash"):
        read_root(path)


def test_what_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rootfs, "MAXIMUM_BYTES", 2**20)
    path = tmp_path / "bomb.tar.gz"
    path.write_bytes(gzip.compress(bytes(3 * 2**20)))
    with pytest.raises(ArtifactError, match="unpacks to more than"):
        read_root(path)
    layers = [tar({"zeros": bytes(400_000)})] * 3
    with pytest.raises(ArtifactError, match="unpacks to more than"):
        read_root(oci_archive(tmp_path / "image.tar", {"arm64": layers}))


def test_an_index_that_leads_to_itself_ends(tmp_path: Path) -> None:
    """Its hash cannot be right; the depth is limited besides."""
    index = {"manifests": [{"digest": "index.json", "platform": {}}]}
    path = tmp_path / "image.tar"
    path.write_bytes(tar({"index.json": json.dumps(index).encode()}))
    with pytest.raises(ArtifactError):
        read_root(path)


def test_members_that_are_no_files_are_left_alone(tmp_path: Path) -> None:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for name, kind in (("dev/null", tarfile.CHRTYPE), ("run/pipe", tarfile.FIFOTYPE)):
            info = tarfile.TarInfo(name)
            info.type = kind
            archive.addfile(info)
        info = tarfile.TarInfo("../../outside/libx.so")
        content = elf()
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    path = tmp_path / "root.tar"
    path.write_bytes(target.getvalue())
    assert set(read_root(path).tree.files) == {"/outside/libx.so"}
    assert list(tmp_path.iterdir()) == [path]


@given(st.binary(max_size=2000), st.integers(0, 1500))
def test_damaged_archives_are_refused_in_words(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, place: int
) -> None:
    path = tmp_path_factory.mktemp("root") / "image.tar"
    content = docker_archive(path, [WHOLE], config()).read_bytes()
    path.write_bytes(content[:place] + noise + content[place + len(noise) :])
    attempt(ArtifactError, lambda: read_root(path))
