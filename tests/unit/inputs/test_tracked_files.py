"""What git tracks, read from its index as git itself lists it."""

from __future__ import annotations

import struct
import subprocess
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_arm64.inputs.tracked_files import TrackedFile, _entries, tracked_files
from unit.support import write

FILES = {
    "a.py": "pass",
    "bin/tool": "#!/bin/sh",
    "bin/a name with blanks and \u00fc": "x",
    "deep/er/" + "long" * 60 + "/file.txt": "x",
    "deep/er/file2.txt": "y",
}


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b.invalid"]
    done = subprocess.run([*command, *arguments], check=True, capture_output=True, text=True)
    return done.stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = write(tmp_path / "repository", FILES)
    (folder / "bin/tool").chmod(0o755)
    (folder / "link").symlink_to("a.py")
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    write(folder, {"untracked.so": "x", "build/lib/x.so": "x"})
    return folder


@pytest.mark.parametrize("version", ["2", "3", "4"])
def test_the_index_says_what_git_says(repository: Path, version: str) -> None:
    git(repository, "update-index", "--index-version", version)
    listed = git(repository, "ls-files", "-z").split("\0")[:-1]
    assert {file.path for file in tracked_files(repository)} == {*listed} - {"link"}
    assert [f.path for f in tracked_files(repository) if f.executable] == ["bin/tool"]


def test_intended_and_skipped_files_have_more_flags(repository: Path) -> None:
    git(repository, "add", "-N", "untracked.so")
    git(repository, "update-index", "--skip-worktree", "a.py")
    assert {"untracked.so", "a.py"} <= {file.path for file in tracked_files(repository)}


def test_a_folder_below_the_top(repository: Path) -> None:
    assert list(tracked_files(repository / "bin")) == [
        TrackedFile("a name with blanks and \u00fc", executable=False),
        TrackedFile("tool", executable=True),
    ]


def test_a_worktree_has_an_index_of_its_own(repository: Path, tmp_path: Path) -> None:
    git(repository, "commit", "-q", "-m", "x")
    git(repository, "worktree", "add", "-q", str(tmp_path / "other"))
    assert {file.path for file in tracked_files(tmp_path / "other")} == {*FILES}


@pytest.mark.parametrize(
    "content", [b"", b"DIRC", b"DIRC\0\0\0\x09\0\0\0\1", b"DIRC" + b"\xff" * 90]
)
def test_without_an_index_all_files_count(repository: Path, content: bytes) -> None:
    (repository / ".git/index").write_bytes(content)
    found = {file.path for file in tracked_files(repository)}
    assert found == {*FILES, "untracked.so", "build/lib/x.so"}


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
def test_a_damaged_index_is_an_error_of_the_reader(repository: Path, data: st.DataObject) -> None:
    content = bytearray((repository / ".git/index").read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    damaged = repository / ".git/damaged"
    damaged.write_bytes(bytes(content[: data.draw(st.integers(0, len(content)))]))
    kept = (repository / ".git/index").read_bytes()
    try:
        (repository / ".git/index").write_bytes(damaged.read_bytes())
        for file in tracked_files(repository):
            assert not file.path.startswith(("/", ".."))
    finally:
        (repository / ".git/index").write_bytes(kept)


def test_entries_of_a_file_that_leads_outside_are_left_out(repository: Path) -> None:
    index = repository / ".git/index"
    index.write_bytes(index.read_bytes().replace(b"bin/tool", b"../atool"))
    assert any(path == b"../atool" for path, _ in _entries(index.read_bytes()))
    assert all("atool" not in file.path for file in tracked_files(repository))


def test_paths_that_repeat_megabytes_take_no_memory(repository: Path) -> None:
    def entry(added: bytes) -> bytes:  # version 4: none of the path before is cut off
        mode = struct.pack(">24xI32xH", 0o100644, 0)
        return mode + b"\0" + added + b"\0"

    count = 5000
    index = struct.pack(">4sII", b"DIRC", 4, count) + entry(b"a" * 500_000) + entry(b"b") * count
    (repository / ".git/index").write_bytes(index)
    tracemalloc.start()
    try:
        found = {file.path for file in tracked_files(repository)}
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found == {*FILES, "untracked.so", "build/lib/x.so"}
    assert most < 200 << 20
