"""Recorded values on their way into place: all of them, or each as it was, whatever happens."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_arm64.inside.golden.store import FOLDER, Golden, GoldenError, StoredValue, read
from pytest_arm64.inside.golden.values import restored, stored
from pytest_arm64.open_folder import STAGED, OpenFolder
from pytest_arm64.run.goldens import Recorded, settle

OLD, NEW = b"old" * 9999, b"new" * 9999
TESTS = ("test_a", "test_b")
# Each has a .json and an .npz; and there is the provenance.
FILES = 2 * len(TESTS) + 1
KILLED = """
import os, signal, sys
from pathlib import Path
from pytest_arm64.open_folder import OpenFolder
from unit.run.test_goldens import NEW, settled

method, left = sys.argv[2], int(sys.argv[3])
original = getattr(OpenFolder, method)

def counted(*arguments):
    global left
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1
    return original(*arguments)

setattr(OpenFolder, method, counted)
settled(Path(sys.argv[1]), NEW)
"""


def settled(root: Path, value: bytes) -> tuple[int, int]:
    golden = [
        Golden(test, {"0": StoredValue(stored(value))}, {"cpu": value[:3].decode()})
        for test in TESTS
    ]
    done = settle([Recorded(root / FOLDER / "test_it", one) for one in golden], root, "commit")
    return done.written, done.unchanged


def values(root: Path) -> Iterator[bytes | str]:
    """What each test would be compared with, or why it cannot be."""
    for test in TESTS:
        try:
            found = read(root / FOLDER / "test_it", test)
            assert found is not None
            kept = found.values["0"].value
            yield restored(kept.tree, kept.blobs)
        except GoldenError as error:
            yield str(error)


@pytest.mark.parametrize(
    ("method", "left"),
    [
        *(("stage", number) for number in (0, 2, FILES - 1)),
        *(("place", number) for number in range(FILES)),
    ],
)
def test_a_recording_that_is_killed(tmp_path: Path, method: str, left: int) -> None:
    """Before the first move nothing has changed; after it each file is whole, old or new."""
    assert settled(tmp_path, OLD) == (2, 0)
    tests = str(Path(__file__).parents[2])
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), method, str(left)],
        env={**os.environ, "PYTHONPATH": tests},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    found = list(values(tmp_path))
    if method == "stage" or left <= 1:
        assert found == [OLD, OLD]
    else:
        # A pair of which one file is new says so, and how to mend it.
        torn = "does not match its .json"
        states = [
            "old" if one == OLD else "new" if one == NEW else "torn" if torn in str(one) else one
            for one in found
        ]
        assert states == [["torn", "old"], ["new", "old"], ["new", "torn"]][left - 2]
    settled(tmp_path, NEW)
    assert list(values(tmp_path)) == [NEW, NEW]
    assert not list(tmp_path.rglob(f"*{STAGED}"))


def test_a_full_disk_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settled(tmp_path, OLD)
    original = OpenFolder.stage

    def full(folder: OpenFolder, name: str, content: bytes) -> str:
        if "test_b" in name:
            raise OSError(28, "No space left on device")
        return original(folder, name, content)

    monkeypatch.setattr(OpenFolder, "stage", full)
    with pytest.raises(GoldenError, match="No space"):
        settled(tmp_path, NEW)
    monkeypatch.undo()
    assert list(values(tmp_path)) == [OLD, OLD]
    assert not list(tmp_path.rglob(f"*{STAGED}"))


def test_what_did_not_change_is_not_written(tmp_path: Path) -> None:
    settled(tmp_path, OLD)
    assert settled(tmp_path, OLD) == (0, 2)


@pytest.mark.parametrize("kept", [True, False])
def test_a_link_that_a_test_left_is_not_followed(tmp_path: Path, *, kept: bool) -> None:
    """As a golden, as where one comes from, and as the folder of a module."""
    root, canary = tmp_path / "root", tmp_path / "canary"
    canary.write_bytes(b"1")
    if kept:
        settled(root, OLD)
    folder = root / FOLDER / "test_it"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("test_a.json", "test_b.npz", "provenance.json"):
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(canary)
    settled(root, NEW)
    assert canary.read_bytes() == b"1"
    assert list(values(root)) == [NEW, NEW]


@pytest.mark.parametrize("name", ["provenance.json", "test_a.json"])
def test_a_pipe_that_a_test_left_is_not_waited_for(tmp_path: Path, name: str) -> None:
    folder = tmp_path / FOLDER / "test_it"
    folder.mkdir(parents=True)
    os.mkfifo(folder / name)
    settled(tmp_path, NEW)
    assert list(values(tmp_path)) == [NEW, NEW]


@pytest.mark.parametrize("place", [".vscode", ".github/workflows", ".git"])
def test_a_link_to_what_other_programs_run_is_refused(tmp_path: Path, place: str) -> None:
    """A test called settings would have its golden at .vscode/settings.json."""
    folder = tmp_path / place
    folder.mkdir(parents=True)
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "test_it").symlink_to(folder)
    with pytest.raises(GoldenError, match="where tests cannot write"):
        settled(tmp_path, NEW)
    assert list(folder.iterdir()) == []


def test_a_folder_that_is_a_link_out_of_the_repository_is_refused(tmp_path: Path) -> None:
    (tmp_path / "else").mkdir()
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / FOLDER).symlink_to(tmp_path / "else")
    with pytest.raises(GoldenError, match="outside of"):
        settled(tmp_path / "root", NEW)
    assert list((tmp_path / "else").iterdir()) == []
