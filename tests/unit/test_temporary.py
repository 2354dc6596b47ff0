"""Temporary folders go with their process, and those of a killed one with the next."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_arm64.temporary import LOCK, PREFIX, prune, temporary_folder

HOLDS = """
import sys, time
from pytest_arm64.temporary import temporary_folder
with temporary_folder(sys.argv[1]) as folder:
    (folder / "file").touch()
    print("held", flush=True)
    time.sleep(60)
"""


def holding(place: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(place)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_it_is_this_users_alone_and_gone_at_the_end(tmp_path: Path) -> None:
    with temporary_folder(str(tmp_path)) as folder:
        assert list(folder.iterdir()) == []
        assert folder.parent.stat().st_mode & 0o077 == 0
        (folder / "sub").mkdir()
    assert list(tmp_path.iterdir()) == []


def test_it_is_gone_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), temporary_folder(str(tmp_path)):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_that_of_a_process_that_runs_stays_and_that_of_a_killed_one_goes(tmp_path: Path) -> None:
    with holding(tmp_path) as process:
        assert prune(tmp_path) == 0
        assert len(list(tmp_path.glob("*/content/file"))) == 1
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert prune(tmp_path) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("other", ["without a lock", "of another name", "a file"])
def test_what_is_not_ours_stays(tmp_path: Path, other: str) -> None:
    folder = tmp_path / ("other-x" if other == "of another name" else f"{PREFIX}x")
    if other == "a file":
        folder.touch()
    else:
        folder.mkdir()
    if other == "of another name":
        (folder / LOCK).touch()
    assert prune(tmp_path) == 0
    assert folder.exists()


@pytest.mark.parametrize("linked", ["folder", "lock"])
def test_no_link_is_followed(tmp_path: Path, linked: str) -> None:
    canary = tmp_path / "canary"
    canary.mkdir()
    (canary / LOCK).touch()
    place = tmp_path / "place"
    folder = place / f"{PREFIX}x"
    if linked == "folder":
        place.mkdir()
        folder.symlink_to(canary)
    else:
        folder.mkdir(parents=True)
        (folder / LOCK).symlink_to(canary / LOCK)
    assert prune(place) == 0
    assert (canary / LOCK).exists()
