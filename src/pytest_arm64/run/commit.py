"""The commit of the project, without anything of its repository being run."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from ..inside.regular_file import read_regular, read_regular_text
from ..isolation import program
from ..temporary import temporary_folder

_SECONDS = 10
_MAXIMUM_REFS = 16 * 2**20
_MAXIMUM_INDEX = 256 * 2**20
_MAXIMUM_LINE = 4096
_OBJECT = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64})\Z")


def commit_of(root: Path) -> str:
    """The commit that is checked out at *root*; empty where there is no commit.

    ``-dirty`` is appended where tracked files differ from it, or where that could not be found out.

    A repository's configuration, hooks and attributes name programs that git runs. Its files are
    read here, and git compares them in a repository of ours, which has none of these.
    """
    try:
        git, common = _folders(root)
        commit = _resolved(git, common)
    except (OSError, ValueError):
        return ""
    if not commit:
        return ""
    return commit if _is_clean(root, git, common, commit) else f"{commit}-dirty"


def _folders(root: Path) -> tuple[Path, Path]:
    """The folder with HEAD and the index, and the one with objects and references."""
    git = root / ".git"
    if git.is_file():  # of a worktree or a submodule
        kind, _, folder = _line(git).partition(": ")
        if kind != "gitdir":
            raise ValueError(git)
        git = root / folder
    shared = git / "commondir"
    return git, git / _line(shared) if shared.is_file() else git


def _line(path: Path) -> str:
    return read_regular_text(path, "replace", most=_MAXIMUM_LINE).strip()


def _resolved(git: Path, common: Path) -> str:
    """What HEAD means, by way of a branch; empty for a branch without commits."""
    text = _line(git / "HEAD")
    if not text.startswith("ref: "):
        return text if _OBJECT.match(text) else ""
    name = text.removeprefix("ref: ")
    if not name.startswith("refs/") or ".." in name:
        return ""
    if (common / name).is_file():
        text = _line(common / name)
        return text if _OBJECT.match(text) else ""
    return next((commit for commit, ref in _packed(common) if ref == name), "")


def _packed(common: Path) -> Iterator[tuple[str, str]]:
    packed = common / "packed-refs"
    if not packed.is_file():
        return
    for line in read_regular_text(packed, "replace", most=_MAXIMUM_REFS).splitlines():
        commit, _, name = line.partition(" ")
        if _OBJECT.match(commit):
            yield commit, name


def _is_clean(root: Path, git: Path, common: Path, commit: str) -> bool:
    executable = program("git")
    if executable is None:
        return False
    with temporary_folder() as own:
        _write_repository(own, common, commit)
        index = own / "index"
        try:
            index.write_bytes(read_regular(git / "index", _MAXIMUM_INDEX))
            environ = {
                "PATH": "/usr/local/bin:/usr/bin:/bin",
                "LC_ALL": "C",
                "HOME": str(own),
                "GIT_DIR": str(own),
                "GIT_WORK_TREE": str(root),
                "GIT_INDEX_FILE": str(index),
                "GIT_CONFIG_NOSYSTEM": "1",
                "GIT_CONFIG_GLOBAL": "/dev/null",
                "GIT_ATTR_NOSYSTEM": "1",
                "GIT_NO_LAZY_FETCH": "1",
            }
            # A submodule has a configuration of its own: none is looked into.
            _run([executable, "update-index", "-q", "--refresh", "--ignore-submodules"], environ)
            words = ["diff-index", "--quiet", "--ignore-submodules=all", "HEAD", "--"]
            return _run([executable, *words], environ) == 0
        except (OSError, subprocess.TimeoutExpired):
            return False


def _write_repository(folder: Path, common: Path, commit: str) -> None:
    """A repository without configuration that has the objects of another one."""
    (folder / "objects/info").mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "objects/info/alternates").write_text(f"{(common / 'objects').resolve()}\n")
    (folder / "HEAD").write_text(f"{commit}\n")
    hashes = (
        "repositoryformatversion = 1\n[extensions]\nobjectformat = sha256"
        if len(commit) == 64
        else "repositoryformatversion = 0"
    )
    (folder / "config").write_text(f"[core]\n{hashes}\n")


def _run(command: list[str], environ: dict[str, str]) -> int:
    return subprocess.run(
        command,
        cwd=environ["GIT_WORK_TREE"],
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=_SECONDS,
        check=False,
    ).returncode
