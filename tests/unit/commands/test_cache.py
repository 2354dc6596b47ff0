"""`pytest-arm64 cache`: info, prune, export and import, with nothing written outside."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
import time
from pathlib import Path

import pytest

from pytest_arm64 import cache
from pytest_arm64.cli import main
from pytest_arm64.commands.cache import readable, size_of
from pytest_arm64.engine.seals import sealed
from pytest_arm64.errors import SettingsError
from unit.support import Answer, played_engine

WHEEL = b"the content of a wheel"
SHA = hashlib.sha256(WHEEL).hexdigest()
NAME = f"distributions/{SHA[:2]}/{SHA}/demo-1.0-py3-none-any.whl"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache folder of this test, with a file of each sort and of each age."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    found = cache.cache_folder()
    files = {NAME: WHEEL, "layers/ab/abc.tar": b"l" * 3000, "probes/p.json": b"{}"}
    for age, (name, content) in enumerate(files.items()):
        path = found / name
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
        used = time.time() - 86400 * age
        os.utime(path, (used, used))
    return found


def test_info(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cache", "info", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["folder"] == str(folder)
    assert found["kinds"]["layers"] == {"files": 1, "bytes": 3000}
    assert main(["cache", "info"]) == 0
    assert "2.9 KiB" in capsys.readouterr().out


def test_the_least_recently_used_goes_first(folder: Path) -> None:
    assert main(["cache", "prune", "--size", "1000"]) == 0
    assert [str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()] == [NAME]
    assert not (folder / "layers").exists()


def test_age(folder: Path) -> None:
    assert main(["cache", "prune", "--days", "1.5"]) == 0
    kept = {path.suffix for path in folder.rglob("*") if path.is_file()}
    assert kept == {".whl", ".tar"}


def test_everything(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cache", "prune", "--size", "0"]) == 0
    assert "removed 3 files" in capsys.readouterr().out
    assert not any(folder.rglob("*"))


def test_from_one_machine_to_another(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "cache.tar"
    assert main(["cache", "export", str(file)]) == 0
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "elsewhere"))
    assert main(["cache", "import", str(file)]) == 0
    there = cache.cache_folder()
    assert there != folder
    assert (there / NAME).read_bytes() == WHEEL
    # What names images of this machine's engine stays here.
    assert not (there / "probes").exists()
    assert main(["cache", "import", str(file)]) == 0


@pytest.mark.parametrize(
    "name", ["../outside", "/etc/x", "distributions/../../x", "probes/p.json", "odd"]
)
def test_a_file_that_no_export_wrote(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    before = sorted(tmp_path.rglob("*"))
    file = packed(tmp_path, name, b"x")
    assert main(["cache", "import", str(file)]) == 2
    assert "no export writes" in capsys.readouterr().err
    file.unlink()
    assert sorted(tmp_path.rglob("*")) == before
    assert folder.is_dir()


def test_a_damaged_distribution_is_not_taken(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = NAME.replace(SHA, "0" * 64)
    assert main(["cache", "import", str(packed(tmp_path, name, WHEEL))]) == 2
    assert "damaged" in capsys.readouterr().err
    assert not (folder / name).exists()


@pytest.mark.parametrize("name", ["layers/aa/x.tar", "built/aa/note.json", "index-pages/p.json"])
@pytest.mark.parametrize("headers", [{}, {"PYTEST_ARM64.sha256": "0" * 64}])
def test_a_file_that_is_not_as_it_was_exported_is_not_taken(
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    headers: dict[str, str],
) -> None:
    path = tmp_path / "made.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo(name)
        info.size, info.pax_headers = 1, headers
        archive.addfile(info, io.BytesIO(b"x"))
    assert main(["cache", "import", str(path)]) == 2
    assert "damaged" in capsys.readouterr().err
    assert not (folder / name).exists()


def packed(folder: Path, name: str, content: bytes) -> Path:
    path = folder / "made.tar"
    with tarfile.open(path, "w") as archive:
        info = tarfile.TarInfo(name)
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    return path


@pytest.mark.parametrize(
    "arguments",
    [["prune"], ["prune", "--size", "big"], ["import", "missing.tar"], ["import", __file__]],
)
def test_mistakes(folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert main(["cache", *arguments]) == 2
    err = capsys.readouterr().err
    assert err.startswith("pytest-arm64: ")
    assert "Traceback" not in err
    assert folder.is_dir()


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), ("10", 10), ("2K", 2048), ("1.5 MiB", 3 * 2**19), ("3gb", 3 * 2**30)],
)
def test_sizes(text: str, size: int) -> None:
    assert size_of(text) == size


def test_no_size() -> None:
    with pytest.raises(SettingsError):
        size_of("5 apples")
    assert readable(17) == "17 bytes"


def test_images_of_the_engine_are_shown_and_pruned(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    listed = [
        {"Id": name, "Labels": sealed(f"pytest-arm64/x:{name}", {}), "Size": 1024, "Created": n}
        for n, name in enumerate(("old", "new"))
    ]
    answers: dict[str, Answer] = {
        "GET /version": (200, {"ApiVersion": "1.47"}),
        "GET /info": (200, {"Architecture": "x86_64"}),
        "GET /containers/json": (200, []),
        "GET /images/json": (200, [*listed, {"Id": "theirs", "Labels": {}, "Size": 5}]),
        "DELETE /images/old": (200, []),
    }
    with played_engine(tmp_path / "s.sock", answers) as played:
        monkeypatch.setenv("DOCKER_HOST", f"unix://{played.path}")
        assert main(["cache", "info"]) == 0
        assert "images in the engine: 2, 2.0 KiB" in capsys.readouterr().out
        assert main(["cache", "info", "--format", "json"]) == 0
        assert json.loads(capsys.readouterr().out)["engine"] == {"images": 2, "bytes": 2048}
        assert main(["cache", "prune", "--images", "1"]) == 0
        assert "removed 1 images, 1.0 KiB; 2 are left" in capsys.readouterr().out
        assert [path for path, _ in played.seen("DELETE")] == ["/images/old"]


def test_without_an_engine_only_files_are_shown(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    assert main(["cache", "info", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["engine"] == {}
    assert main(["cache", "prune", "--images", "1"]) == 2
