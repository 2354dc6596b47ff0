"""Folders are walked as os.walk does it, and however deep they are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_arm64.cli import main
from pytest_arm64.run.later_changes import entries_that_run
from pytest_arm64.walking import paths_below, walk_folders
from unit.support import write

DEEP = 1200
"""More folders than Python's limit of recursion; their path is shorter than the system's."""


@pytest.fixture
def deep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    for _ in range(DEEP):
        Path("a").mkdir()
        os.chdir("a")
    Path("conftest.py").touch()
    os.chdir(tmp_path)
    yield tmp_path
    os.chdir(tmp_path)
    for _ in range(DEEP):
        os.chdir("a")
    Path("conftest.py").unlink()
    for _ in range(DEEP):
        os.chdir("..")
        Path("a").rmdir()


def test_it_is_as_os_walk(tmp_path: Path) -> None:
    write(tmp_path, {"b/c/d": "", "a": "", "e/f": "", "skipped/g": ""})
    (tmp_path / "link").symlink_to("b")
    (tmp_path / "b/round").symlink_to("..")
    ours: dict[str, object] = {}
    theirs: dict[str, object] = {}
    for into, walk in ((ours, walk_folders), (theirs, os.walk)):
        for parent, folders, files in walk(tmp_path):
            folders[:] = [name for name in folders if name != "skipped"]
            into[parent] = (sorted(folders), sorted(files))
    assert ours == theirs


def test_a_link_to_itself_hides_nothing_beside_it(tmp_path: Path) -> None:
    write(tmp_path, {"a": "", "b/c": ""})
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "b/round").symlink_to("trip")
    (tmp_path / "b/trip").symlink_to("round")
    walked = [(sorted(folders), sorted(files)) for _, folders, files in walk_folders(tmp_path)]
    assert walked == [(["b"], ["a", "loop"]), ([], ["c", "round", "trip"])]


def test_everything_below_is_found_once(tmp_path: Path) -> None:
    write(tmp_path, {"b/c/d": "", "a": ""})
    (tmp_path / "link").symlink_to("b")
    assert sorted(paths_below(tmp_path)) == sorted(tmp_path.rglob("*"))


def test_folders_deeper_than_the_limit_of_recursion(deep: Path) -> None:
    assert sum(1 for _ in walk_folders(deep)) == DEEP + 1
    assert list(entries_that_run(deep)) == ["a/" * DEEP + "conftest.py"]


@pytest.mark.parametrize("words", [["setup", "--init"], ["golden", "list"]])
def test_commands_walk_them(
    deep: Path, monkeypatch: pytest.MonkeyPatch, caches: Path, words: list[str]
) -> None:
    (deep / "requirements.txt").touch()
    monkeypatch.chdir(deep)
    assert main(words) == 0
