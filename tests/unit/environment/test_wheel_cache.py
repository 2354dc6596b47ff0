"""Cached files count by their content: a damaged or changed one is fetched or made again."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, BinaryIO, cast

import pytest

from pytest_arm64 import cache
from pytest_arm64.environment import wheel_cache
from pytest_arm64.environment.bytecode import Compiler
from pytest_arm64.environment.planned_scope import PlannedPackage
from pytest_arm64.environment.tree import ENV
from pytest_arm64.environment.wheel_cache import fetch
from pytest_arm64.environment.wheel_layer import layer_of
from pytest_arm64.errors import InstallError
from pytest_arm64.index.fetch import Fetcher, FetchError
from unit.support import PYTHON

CONTENT = b"a wheel"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
NAME = "demo-1-py3-none-any.whl"
CHANGES = [b"another", b"a whee", b"a wheel!", b""]


class PlayedFetcher:
    """Serves ``CONTENT``, and counts."""

    refresh = False

    def __init__(self) -> None:
        self.opened = 0
        self.offline = False

    @contextmanager
    def open(self, _: str) -> Iterator[tuple[Any, BinaryIO]]:
        if self.offline:
            raise FetchError("there is no network")
        self.opened += 1
        yield SimpleNamespace(status=200), io.BytesIO(CONTENT)


@pytest.fixture
def fetcher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PlayedFetcher:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return PlayedFetcher()


def fetched(fetcher: PlayedFetcher, sha256: str) -> Path:
    url = f"https://host/{NAME}"
    package = PlannedPackage("demo", "1", "deploy", "wheel", NAME, url, sha256)
    return fetch(cast("Fetcher", fetcher), package)


@pytest.mark.parametrize("sha256", [SHA256, ""], ids=["hash", "address"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_cached_distribution_that_was_changed_is_fetched_again(
    fetcher: PlayedFetcher, sha256: str, change: bytes
) -> None:
    fetched(fetcher, sha256).write_bytes(change)
    assert fetched(fetcher, sha256).read_bytes() == CONTENT
    assert fetcher.opened == 2
    fetched(fetcher, sha256)
    assert fetcher.opened == 2


def test_a_changed_distribution_is_not_used_where_nothing_can_be_fetched(
    fetcher: PlayedFetcher,
) -> None:
    fetched(fetcher, SHA256).write_bytes(b"another")
    fetcher.offline = True
    with pytest.raises(InstallError, match="could not be fetched"):
        fetched(fetcher, SHA256)


def a_wheel(folder: Path) -> Path:
    path = folder / NAME
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("demo.py", "x = 1\n")
        archive.writestr("demo-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: demo\n")
        archive.writestr("demo-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n")
        archive.writestr("demo-1.dist-info/RECORD", "")
    return path


@pytest.mark.usefixtures("fetcher")
@pytest.mark.parametrize("position", [0, 700, -1])
def test_an_unpacked_wheel_that_was_changed_is_unpacked_again(
    tmp_path: Path, position: int
) -> None:
    path = a_wheel(tmp_path)
    layer = layer_of(path, "", ENV, PYTHON, Compiler())
    content = layer.path.read_bytes()
    changed = bytearray(content)
    changed[position] ^= 1
    layer.path.write_bytes(changed)
    assert layer_of(path, "", ENV, PYTHON, Compiler()).path.read_bytes() == content


@pytest.mark.usefixtures("fetcher")
def test_an_unpacked_wheel_with_a_note_of_another_kind_is_unpacked_again(tmp_path: Path) -> None:
    path = a_wheel(tmp_path)
    layer = layer_of(path, "", ENV, PYTHON, Compiler())
    size = layer.path.stat().st_size
    for text in ("", "[]", f'{{"bytes": {size}}}'):
        layer.path.with_suffix(".json").write_text(text)
        assert layer_of(path, "", ENV, PYTHON, Compiler()) == layer
    assert list(cache.cache_folder().rglob("*.part")) == []


@pytest.mark.parametrize("most", [0, len(CONTENT) - 1])
def test_a_download_has_an_end(
    fetcher: PlayedFetcher, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(wheel_cache, "MOST_BYTES", most)
    with pytest.raises(InstallError, match="is larger than"):
        fetched(fetcher, SHA256)
    assert not list(cache.cache_folder().rglob("*.part"))
