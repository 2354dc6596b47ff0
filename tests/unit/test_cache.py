"""The cache: what was stored comes back whole or not at all, and its faults cost only time."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_arm64 import cache

RECORDS = st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5) | st.none())


@given(RECORDS)
def test_round_trip(value: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(cache, "cache_folder", lambda: Path(name))
        cache.store("kind", "key", value)
        assert cache.load("kind", "key") == value
        assert cache.load("other", "key") is None
        assert cache.load("kind", "other") is None


@given(st.binary(max_size=40))
@example(b"[" * 100_000)
@example(b'"text"')
@example(b"{}")
@example(b'{"sha256":"","record":{}}')
def test_foreign_bytes_are_no_record(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(cache, "cache_folder", lambda: Path(name))
        path = Path(name, "kind", "key.json")
        path.parent.mkdir()
        path.write_bytes(data)
        assert cache.load("kind", "key") is None


@given(RECORDS, st.data())
def test_one_byte_that_has_changed(value: dict[str, Any], data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(cache, "cache_folder", lambda: Path(name))
        cache.store("kind", "key", value)
        path = Path(name, "kind", "key.json")
        content = bytearray(path.read_bytes())
        assert json.loads(content)["record"] == value
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] ^= 1 << data.draw(st.integers(0, 6))
        path.write_bytes(content)
        assert cache.load("kind", "key") is None
        path.write_bytes(content[:at])
        assert cache.load("kind", "key") is None


def test_store_replaces_and_leaves_nothing_beside(caches: Path) -> None:
    cache.store("kind", "key", {"a": 1})
    cache.store("kind", "key", {"a": 2})
    assert cache.load("kind", "key") == {"a": 2}
    assert [path.name for path in (caches / "kind").iterdir()] == ["key.json"]


def test_folder_that_cannot_be_made(caches: Path) -> None:
    caches.write_text("in the way")
    cache.store("kind", "key", {"a": 1})
    assert cache.load("kind", "key") is None
    assert caches.read_text() == "in the way"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_full_disk_keeps_the_old_record(caches: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.store("kind", "key", {"a": 1})
    honest = tempfile.mkstemp

    def full(**how: Any) -> tuple[int, str]:
        handle, name = honest(**how)
        os.close(handle)
        return os.open("/dev/full", os.O_WRONLY), name

    monkeypatch.setattr(tempfile, "mkstemp", full)
    cache.store("kind", "key", {"a": 2})
    assert cache.load("kind", "key") == {"a": 1}
    assert [path.name for path in (caches / "kind").iterdir()] == ["key.json"]


def test_record_in_the_way_of_another(caches: Path) -> None:
    (caches / "kind/key.json").mkdir(parents=True)
    cache.store("kind", "key", {"a": 1})
    assert cache.load("kind", "key") is None
    assert [path.name for path in (caches / "kind").iterdir()] == ["key.json"]


@given(st.dictionaries(st.text(max_size=5), st.integers(), min_size=2))
def test_digest_does_not_depend_on_order(value: dict[str, int]) -> None:
    assert cache.digest(value) == cache.digest(dict(reversed(value.items())))


@given(RECORDS, RECORDS)
def test_digest_tells_values_apart(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert (cache.digest(one) == cache.digest(other)) is (one == other)
    assert len(cache.digest(one)) == 64


def test_folder_is_the_users_and_is_not_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    folder = cache.cache_folder()
    assert tmp_path in folder.parents
    assert folder.name == "pytest-arm64"
    assert not folder.exists()


def read_only(monkeypatch: pytest.MonkeyPatch, *folders: Path) -> None:
    """Have the system refuse to write to *folders*: as root, it would not."""
    real = os.access
    refuse = {str(folder) for folder in folders}
    monkeypatch.setattr(os, "access", lambda p, mode: str(p) not in refuse and bool(real(p, mode)))


@pytest.mark.parametrize("refused", ["", "built", "absent/parent"])
def test_a_folder_that_cannot_be_written_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    home = tmp_path / "home"
    folder = home / "pytest-arm64"
    if refused == "absent/parent":
        home.mkdir()
        read_only(monkeypatch, home)
    else:
        (folder / "built").mkdir(parents=True)
        read_only(monkeypatch, folder / refused)
    monkeypatch.setenv("XDG_CACHE_HOME", str(home))
    assert "cannot be written to" in cache.unwritable(cache.chosen_folder())
    assert not cache.cache_folder().is_relative_to(home)
    cache.store("kind", "key", {"a": 1})
    assert cache.load("kind", "key") == {"a": 1}
    assert not (folder / "kind").exists()


def test_a_file_in_the_place_of_the_folder_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pytest-arm64").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert "is not a folder" in cache.unwritable(cache.chosen_folder())
    assert cache.cache_folder().is_dir()


def test_the_users_folder_is_used_and_not_created(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "not" / "yet"))
    assert cache.cache_folder() == tmp_path / "not/yet/pytest-arm64"
    assert not (tmp_path / "not").exists()


HOLDS = """
import contextlib, sys
from pytest_arm64 import cache
with cache.alone("demo", contextlib.nullcontext):
    print("held", flush=True)
    sys.stdin.read()
"""


class TestAlone:
    @pytest.fixture
    def holder(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[subprocess.Popen[str]]:
        """Another process that does what is called demo, until its input ends."""
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        with subprocess.Popen(
            [sys.executable, "-c", HOLDS],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            yield process
            process.kill()

    @pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
    def test_it_waits_for_another_process_and_not_for_one_that_died(
        self, holder: subprocess.Popen[str], number: signal.Signals
    ) -> None:
        waited = []

        @contextlib.contextmanager
        def waiting() -> Iterator[None]:
            waited.append(1)
            holder.send_signal(number)
            yield

        with cache.alone("demo", waiting):
            assert holder.wait(10) == -number
        assert waited == [1]
        with cache.alone("demo", waiting):
            pass
        assert waited == [1]

    def test_what_has_another_name_does_not_wait(self, holder: subprocess.Popen[str]) -> None:
        with cache.alone("other", lambda: pytest.fail("it waits")):
            assert holder.poll() is None

    def test_a_wait_has_an_end(self, holder: subprocess.Popen[str]) -> None:
        began = time.monotonic()
        with cache.alone("demo", contextlib.nullcontext, 0.5):
            assert holder.poll() is None
        assert 0.5 <= time.monotonic() - began < 5

    def test_where_nothing_can_be_written_nothing_is_waited_for(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path / "file" / "below")
        (tmp_path / "file").touch()
        with cache.alone("demo", lambda: pytest.fail("it waits")):
            pass
