"""The TOML files of a run: each is read once, and a mistake in one is told with its path."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from pytest_arm64.config.toml_files import TomlFiles
from pytest_arm64.errors import SettingsError
from unit.support import write

if TYPE_CHECKING:
    from pathlib import Path


def test_a_run_sees_what_the_file_said_when_it_was_first_read(tmp_path: Path) -> None:
    path = write(tmp_path, {"a.toml": "x = 1"}) / "a.toml"
    files = TomlFiles()
    assert files.data(path) == {"x": 1}
    path.write_text("x = 2", "utf-8")
    assert files.read(path) == ("x = 1", {"x": 1})
    assert TomlFiles().data(path) == {"x": 2}


def test_a_file_that_is_missing_stays_missing_for_the_run(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    files = TomlFiles()
    assert files.find(path) is None
    write(tmp_path, {"a.toml": "x = 1"})
    assert files.data(path) == {}
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        files.read(path)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"x", "is not TOML: Expected"),
        (b"x = \xff", "cannot be read: 'utf-8'"),
        (b"x = " + b"[" * 100_000, "is not TOML: nested too deeply"),
    ],
)
def test_a_damaged_file_is_an_error_for_each_reader(
    tmp_path: Path, content: bytes, why: str
) -> None:
    path = write(tmp_path, {"a.toml": content}) / "a.toml"
    files = TomlFiles()
    for _ in range(2):
        with pytest.raises(SettingsError) as caught:
            files.find(path)
        assert str(path) in caught.value.what
        assert why in caught.value.what


def test_what_is_no_regular_file_is_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.toml")
    (tmp_path / "folder.toml").mkdir()
    for name in ("pipe.toml", "folder.toml"):
        with pytest.raises(SettingsError, match="not a regular file"):
            TomlFiles().find(tmp_path / name)
    assert TomlFiles().find(tmp_path / "absent" / "a.toml") is None


def test_threads_that_ask_at_the_same_time_get_one_value(tmp_path: Path) -> None:
    path = write(tmp_path, {"a.toml": "x = 1"}) / "a.toml"
    files = TomlFiles()
    with ThreadPoolExecutor(8) as threads:
        values = list(threads.map(lambda _: files.find(path), range(64)))
    assert all(value is values[0] for value in values)
