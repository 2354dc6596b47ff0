"""Results out of a tar that tests have made: plain files below the folder, or nothing."""

from __future__ import annotations

import contextlib
import io
import random
import tarfile
from pathlib import Path

import pytest

from pytest_arm64.errors import ProtocolError
from pytest_arm64.mirror import results
from pytest_arm64.mirror.results import unpack


def archive(*members: tuple[str, bytes, bytes], link: str = "") -> io.BytesIO:
    """A tar of (name, type, content)."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, kind, content in members:
            info = tarfile.TarInfo(name)
            info.type, info.size, info.linkname = kind, len(content), link
            tar.addfile(info, io.BytesIO(content))
    stream.seek(0)
    return stream


def files(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


def test_regular_files_only(tmp_path: Path) -> None:
    stream = archive(
        ("results/a.json", tarfile.REGTYPE, b"1"),
        ("results/sub/ü", tarfile.REGTYPE, b"2"),
        ("results/link", tarfile.SYMTYPE, b""),
        ("results/hard", tarfile.LNKTYPE, b""),
        ("results/pipe", tarfile.FIFOTYPE, b""),
        link="/etc/passwd",
    )
    unpack(stream, tmp_path)
    assert files(tmp_path) == {"a.json": b"1", "sub/ü": b"2"}
    assert not list(tmp_path.rglob("link"))


@pytest.mark.parametrize("name", ["results/../out", "results/a/../../../out", "results/\0/x"])
def test_nothing_is_written_elsewhere(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    stream = archive((name, tarfile.REGTYPE, b"x"))
    if "\0" in name:  # a name ends there
        unpack(stream, folder)
    else:
        with pytest.raises(ProtocolError, match="leads elsewhere"):
            unpack(stream, folder)
    assert [p.name for p in tmp_path.iterdir()] == ["here"]


def test_an_absolute_name_stays_below(tmp_path: Path) -> None:
    unpack(archive(("/etc/out", tarfile.REGTYPE, b"x")), tmp_path)
    assert files(tmp_path) == {"etc/out": b"x"}


def test_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "MAXIMUM", 10)
    with pytest.raises(ProtocolError, match="larger"):
        unpack(archive(("results/a", tarfile.REGTYPE, b"x" * 11)), tmp_path)
    assert files(tmp_path) == {}


def test_a_file_where_a_folder_is_needed(tmp_path: Path) -> None:
    stream = archive(("r/a", tarfile.REGTYPE, b"x"), ("r/a/b", tarfile.REGTYPE, b"x"))
    with pytest.raises(ProtocolError, match="cannot be read"):
        unpack(stream, tmp_path)


def test_damaged_ones_are_refused_or_read(tmp_path: Path) -> None:
    whole = archive(("results/a", tarfile.REGTYPE, b"x" * 600)).getvalue()
    dice = random.Random(1)
    for number in range(300):
        data = bytearray(whole[: dice.randrange(len(whole))])
        for _ in range(dice.randrange(4)):
            if data:
                data[dice.randrange(len(data))] = dice.randrange(256)
        folder = tmp_path / str(number) / "here"
        folder.mkdir(parents=True)
        with contextlib.suppress(ProtocolError):
            unpack(io.BytesIO(bytes(data)), folder)
        assert [p.name for p in folder.parent.iterdir()] == ["here"]


def test_folders_without_an_end(tmp_path: Path) -> None:
    """Python's own functions for folders would recurse into them."""
    deep = "results/" + "a/" * 1500 + "file"
    with pytest.raises(ProtocolError, match="folders deep"):
        unpack(archive((deep, tarfile.REGTYPE, b"1")), tmp_path)
    assert list(tmp_path.iterdir()) == []
