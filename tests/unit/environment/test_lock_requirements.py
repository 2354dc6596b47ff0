"""A lock as requirements for pip: the same releases, with their hashes or without any."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_arm64.environment.lock_requirements import lock_requirements
from pytest_arm64.environment.plan import platform_of_run
from pytest_arm64.environment.planned_scope import NotPlannableError
from pytest_arm64.inputs.lock import Lock
from pytest_arm64.inputs.service import read_service
from unit.support import CELL, ran, write

ONE, TWO = "1" * 64, "2" * 64
HEAD = 'lock-version = "1.0"\ncreated-by = "test"\n'
PLAIN = f"""
[[packages]]
name = "plain"
version = "1.0"
wheels = [
  {{name = "plain-1.0-py3-none-any.whl", url = "https://i/p.whl", hashes = {{sha256 = "{TWO}"}}}},
  {{name = "plain-1.0-py2-none-any.whl", url = "https://i/q.whl", hashes = {{sha256 = "{ONE}"}}}},
]
"""
OTHERS = """
[[packages]]
name = "elsewhere"
version = "1.0"
marker = "sys_platform == 'win32'"
[[packages.wheels]]
name = "elsewhere-1.0-py3-none-any.whl"
url = "https://i/e.whl"
hashes = {sha256 = "%s"}
""" % ("3" * 64)
REPOSITORY = """
[[packages]]
name = "kept"
version = "1.0"
vcs = {type = "git", url = "https://example.invalid/kept", commit-id = "0123456789abcdef"}
"""


def lock_at(folder: Path, *parts: str) -> Lock:
    write(folder, {"pylock.toml": HEAD + "".join(parts)})
    lock = read_service(folder / "pylock.toml", {}, root=folder).lock
    assert lock is not None
    return lock


def lines(folder: Path, *parts: str) -> list[str]:
    platform = platform_of_run(CELL, ran(python_version="3.12.4"))
    return lock_requirements(lock_at(folder, *parts), platform, folder).splitlines()


def test_what_the_platform_gets_with_every_hash_that_the_lock_holds(tmp_path: Path) -> None:
    found = lines(tmp_path, PLAIN, OTHERS)
    assert found == [f"plain==1.0 --hash=sha256:{ONE} --hash=sha256:{TWO}"]


def test_hashes_are_checked_of_all_or_of_none(tmp_path: Path) -> None:
    plain, kept = sorted(lines(tmp_path, PLAIN, REPOSITORY), key=lambda line: line[0] != "p")
    assert plain == "plain==1.0"
    assert kept.startswith("kept @ git+https://example.invalid/kept")


def test_a_lock_for_another_python_decides_nothing(tmp_path: Path) -> None:
    with pytest.raises(NotPlannableError, match=r"is for Python >=3\.13"):
        lines(tmp_path, 'requires-python = ">=3.13"\n', PLAIN)
