"""An artifact's files as they lie in the container."""

from __future__ import annotations

import io
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from pytest_arm64.config.artifact import Artifact
from pytest_arm64.config.targets import Target, shipped_targets
from pytest_arm64.environment.artifact_files import fingerprint, lay
from pytest_arm64.errors import ArtifactError
from unit.lying_zips import LARGE, add, little_memory
from unit.support import AL2023

LAMBDA = shipped_targets()["lambda-python3.12"]


def members(artifact: Artifact, target: Target = LAMBDA) -> tuple[str, dict[str, tarfile.TarInfo]]:
    laid = lay(artifact, target)
    with laid.files as stream:
        stream.seek(0)
        whole = io.BytesIO(stream.read() + b"\0" * 1024)  # it has no end of its own
        with tarfile.open(fileobj=whole) as archive:
            return laid.root, {member.name: member for member in archive}


def zipped(path: Path, files: dict[str, bytes], mode: int = 0o644) -> Artifact:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, content)
    return Artifact("zip", str(path), f"zip:{path.name}")


def test_a_function_lies_in_its_task_folder_a_layer_in_opt(tmp_path: Path) -> None:
    function = zipped(tmp_path / "fn.zip", {"app.py": b"x", "lib/libx.so": b"y"})
    root, found = members(function)
    assert root == "/var/task"
    assert sorted(found) == ["var/task", "var/task/app.py", "var/task/lib", "var/task/lib/libx.so"]
    layer = zipped(tmp_path / "layer.zip", {"python/app.py": b"x", "lib/libx.so": b"y"})
    assert members(layer)[0] == "/opt"
    assert members(function, AL2023)[0] == "/opt/pytest-arm64/artifact"


def test_everybody_may_read_what_a_zip_locked_away(tmp_path: Path) -> None:
    _, found = members(zipped(tmp_path / "fn.zip", {"app.py": b"x"}, mode=0o600))
    assert found["var/task/app.py"].mode == 0o644
    _, found = members(zipped(tmp_path / "run.zip", {"run": b"x"}, mode=0o700))
    assert found["var/task/run"].mode == 0o755
    assert (found["var/task/run"].uid, found["var/task/run"].gid) == (0, 0)


def test_links_of_a_folder_stay_links(tmp_path: Path) -> None:
    (tmp_path / "it").mkdir()
    (tmp_path / "it" / "a").write_bytes(b"x")
    (tmp_path / "it" / "b").symlink_to("a")
    _, found = members(Artifact("dir", str(tmp_path / "it"), "dir:it"))
    assert found["var/task/b"].issym()
    assert found["var/task/b"].linkname == "a"


@pytest.mark.parametrize("name", ["../x", "/x", "a//b", "a/./b", "a/../../x"])
def test_a_name_that_leads_outside_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ArtifactError, match="leads outside"):
        lay(zipped(tmp_path / "fn.zip", {name: b"x"}), LAMBDA)


def test_a_link_in_a_zip_is_no_file(tmp_path: Path) -> None:
    artifact = zipped(tmp_path / "fn.zip", {"b": b"a"}, mode=stat.S_IFLNK | 0o777)
    assert members(artifact)[1]["var/task/b"].issym()


def test_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_arm64.environment.artifact_files.MAXIMUM_SIZE", 10)
    with pytest.raises(ArtifactError, match="more than can be looked at"):
        lay(zipped(tmp_path / "fn.zip", {"a": b"x" * 11}), LAMBDA)


def test_the_fingerprint_is_of_content_and_names(tmp_path: Path) -> None:
    one = fingerprint(zipped(tmp_path / "a.zip", {"a": b"x"}))
    assert one == fingerprint(zipped(tmp_path / "b.zip", {"a": b"x"}))
    assert one != fingerprint(zipped(tmp_path / "c.zip", {"a": b"y"}))
    assert one != fingerprint(zipped(tmp_path / "d.zip", {"b": b"x"}))


def test_a_file_that_is_no_zip_is_told(tmp_path: Path) -> None:
    (tmp_path / "fn.zip").write_bytes(b"no")
    with pytest.raises(ArtifactError, match=r"zip:fn\.zip cannot be read"):
        lay(Artifact("zip", str(tmp_path / "fn.zip"), "zip:fn.zip"), LAMBDA)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_member_that_is_packed_without_a_limit_is_refused(tmp_path: Path, method: int) -> None:
    artifact = zipped(tmp_path / "a.zip", {"app.py": b""})
    add(artifact.path, "data", LARGE, method=method, stated=100)
    with little_memory(), pytest.raises(ArtifactError, match="not packed by deflate"):
        members(artifact)
