"""What the cache has is checked while it is copied: nothing damaged comes into an image."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pytest_arm64 import cache
from pytest_arm64.environment import plan_installer
from pytest_arm64.environment.builder_container import Host
from pytest_arm64.environment.pip_container import Request
from pytest_arm64.environment.pip_installer import Installation
from pytest_arm64.environment.wheel_layer import Layer
from pytest_arm64.errors import InstallError
from pytest_arm64.index.pip_config import PipConfig
from pytest_arm64.inputs.manifest import read_manifest
from pytest_arm64.progress import NoProgress
from unit.index.served import Played, release, serve
from unit.support import CELL, ran, settings_of, write

PURE = "py3-none-any"
NAMES = ("pure", "tool")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Played]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    with serve({name: release(name, "1.0", PURE) for name in NAMES}) as played:
        for name in NAMES:
            played.files[f"{name}-1.0-{PURE}.whl"] = a_wheel(name)
        yield played


def a_wheel(name: str) -> bytes:
    buffer, info = io.BytesIO(), f"{name}-1.0.dist-info"
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(f"{name}.py", "x = 1\n" * 500)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n")
        archive.writestr(f"{info}/RECORD", "")
    return buffer.getvalue()


def installed(folder: Path, played: Played) -> tuple[dict[str, bytes], Installation]:
    """Files by name, and what was installed."""
    write(folder, {"requirements.txt": "pure\ntool\n"})
    host = Host(cast("Any", SimpleNamespace()), CELL, ran(), cast("Any", None))
    config = PipConfig({"index-url": played.url}, {}, ())
    request = Request(read_manifest(settings_of(folder), folder), (), config)
    progress = cast("Any", NoProgress())
    made = plan_installer.install(host, request, progress, offline=False, refresh=False)
    with made.files, tarfile.open(fileobj=made.files) as archive:
        streams = (
            (member.name, archive.extractfile(member)) for member in archive if member.isreg()
        )
        return {name: stream.read() for name, stream in streams if stream is not None}, made


def layers() -> list[Path]:
    return sorted((cache.cache_folder() / "layers").rglob("*.tar"))


def test_what_is_unpacked_already_is_not_fetched_and_its_wheel_not_read(
    tmp_path: Path, index: Played
) -> None:
    files, made = installed(tmp_path, index)
    assert any(name.endswith("pure-1.0.dist-info/METADATA") for name in files)
    for wheel in (cache.cache_folder() / "distributions").rglob("*.whl"):
        wheel.unlink()
    before = len(index.asked("/files/"))
    again, made_again = installed(tmp_path, index)
    assert again == files
    assert made_again.packages == made.packages
    assert len([path for path in index.asked("/files/")[before:] if path.endswith(".whl")]) == 0


@pytest.mark.parametrize("damaged", [0, 1, 2], ids=["one", "another", "both"])
def test_what_was_changed_in_the_cache_is_unpacked_again(
    tmp_path: Path, index: Played, damaged: int
) -> None:
    files, _ = installed(tmp_path, index)
    for path in layers()[damaged:][:1] or layers():
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    assert installed(tmp_path, index)[0] == files
    assert installed(tmp_path, index)[0] == files


def test_a_note_that_was_changed_does_not_count(tmp_path: Path, index: Played) -> None:
    files, _ = installed(tmp_path, index)
    for path in layers():
        note = path.with_suffix(".json")
        note.write_text(note.read_text().replace('"sha256": "', '"sha256": "0'))
    assert installed(tmp_path, index)[0] == files


def test_a_cache_that_changes_all_the_time_is_not_used(
    tmp_path: Path, index: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(tmp_path, index)
    monkeypatch.setattr(Layer, "is_intact", lambda _: False)
    with pytest.raises(InstallError, match="changed while they are used"):
        installed(tmp_path, index)
