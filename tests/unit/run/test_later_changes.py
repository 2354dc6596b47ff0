"""What tests changed that other programs run is named, however they hide it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_arm64.run.later_changes import changed, entries_that_run
from unit.support import write

FILES = {
    "conftest.py": "old",
    "tests/conftest.py": "old",
    "Makefile": "old",
    "pyproject.toml": "old",
    "src/shop.py": "old",
    "scripts/deploy.sh": "old",
    ".github/workflows/ci.yml": "old",
}


def again(path: Path) -> None:
    """Another content of the same length, with the times that the file had."""
    before = path.stat()
    path.write_text("new")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replaced(path: Path) -> None:
    path.unlink()
    path.symlink_to("elsewhere")


CHANGES: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    "nothing": (lambda root: None, []),
    "code, which version control shows": (lambda root: again(root / "src/shop.py"), []),
    "a conftest": (lambda root: again(root / "tests/conftest.py"), ["tests/conftest.py"]),
    "a program": (lambda root: again(root / "scripts/deploy.sh"), ["scripts/deploy.sh"]),
    "a mode": (lambda root: (root / "Makefile").chmod(0o755), ["Makefile"]),
    "a file that is gone": (
        lambda root: (root / "pyproject.toml").unlink(),
        ["pyproject.toml (removed)"],
    ),
    "a link in its place": (lambda root: replaced(root / "Makefile"), ["Makefile"]),
    "a file that Python runs": (lambda root: write(root, {"a/x.pth": ""}), ["a/x.pth (new)"]),
    "settings of an editor": (
        lambda root: write(root, {".vscode/tasks.json": ""}),
        [".vscode (new)"],
    ),
    "variables of a shell": (lambda root: write(root, {".envrc": ""}), [".envrc (new)"]),
    "a repository": (lambda root: write(root, {".git/config": ""}), [".git (new)"]),
    "a repository in a folder": (
        lambda root: write(root, {"src/.git/config": ""}),
        ["src/.git (new)"],
    ),
    "a folder that was replaced": (
        lambda root: ((root / ".github").rename(root / "x"), write(root, {".github/y": ""})),
        [".github"],
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_named(tmp_path: Path, change: str) -> None:
    write(tmp_path, FILES)
    before = entries_that_run(tmp_path)
    make, expected = CHANGES[change]
    make(tmp_path)
    assert list(changed(before, entries_that_run(tmp_path))) == expected


def test_links_are_not_followed(tmp_path: Path) -> None:
    other = write(tmp_path / "other", {"conftest.py": ""})
    root = write(tmp_path / "root", FILES)
    (root / "link").symlink_to(other)
    (root / "round").symlink_to(root)
    assert not any("link" in name or "round" in name for name in entries_that_run(root))
