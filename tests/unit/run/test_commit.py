"""The commit of a project whose repository names programs that git would run."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from pytest_arm64.run.commit import commit_of
from unit.support import write


def git(folder: Path, *words: str) -> str:
    environ = {"HOME": str(folder), "PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1"}
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.com")
    done = subprocess.run(
        ["git", *identity, *words],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    write(root, {"a.txt": "a\n", "sub/b.bin": "b\n", "script.sh": "#!/bin/sh\n"})
    git(root, "init", "-q", "-b", "main")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "first")
    return root


def test_a_clean_checkout(repository: Path) -> None:
    assert commit_of(repository) == git(repository, "rev-parse", "HEAD")


def test_another_time_of_a_file_is_no_change(repository: Path) -> None:
    os.utime(repository / "a.txt", (1, 1))
    assert commit_of(repository) == git(repository, "rev-parse", "HEAD")


@pytest.mark.parametrize("change", ["content", "removed", "mode", "staged"])
def test_a_changed_file(repository: Path, change: str) -> None:
    if change == "removed":
        (repository / "a.txt").unlink()
    elif change == "mode":
        (repository / "script.sh").chmod(0o755)
    else:
        (repository / "a.txt").write_text("other\n")
    if change == "staged":
        git(repository, "add", ".")
    assert commit_of(repository) == git(repository, "rev-parse", "HEAD") + "-dirty"


def test_an_untracked_file_is_no_change(repository: Path) -> None:
    (repository / "new.txt").write_text("")
    assert commit_of(repository) == git(repository, "rev-parse", "HEAD")


def test_packed_references_worktrees_and_detached_heads(repository: Path, tmp_path: Path) -> None:
    head = git(repository, "rev-parse", "HEAD")
    git(repository, "pack-refs", "--all")
    assert commit_of(repository) == head
    git(repository, "worktree", "add", "-q", "-b", "other", str(tmp_path / "tree"))
    assert commit_of(tmp_path / "tree") == head
    git(repository, "checkout", "-q", "--detach")
    assert commit_of(repository) == head


def test_no_repository_and_no_commit(tmp_path: Path) -> None:
    assert commit_of(tmp_path) == ""
    git(tmp_path, "init", "-q")
    assert commit_of(tmp_path) == ""
    (tmp_path / ".git/HEAD").write_text("ref: ../../../etc/passwd\n")
    assert commit_of(tmp_path) == ""


@pytest.mark.parametrize(
    "setting",
    [
        "core.fsmonitor",
        "filter.evil.clean",
        "filter.evil.process",
        "diff.evil.textconv",
        "submodule",
    ],
)
def test_no_program_of_the_repository_is_run(
    repository: Path, tmp_path: Path, setting: str
) -> None:
    canary = tmp_path / "executed"
    hostile = tmp_path / "hostile.sh"
    hostile.write_text(f"#!/bin/sh\ntouch {canary}\ncat\n")
    hostile.chmod(0o755)
    write(repository, {".gitattributes": "* filter=evil diff=evil\n"})
    target = repository
    if setting == "submodule":
        target = repository / "part"
        write(target, {"c.txt": "c\n"})
        git(target, "init", "-q")
        git(target, "add", ".")
        git(target, "commit", "-q", "-m", "part")
        git(repository, "add", "part")
        git(repository, "commit", "-q", "-m", "part")
        setting = "core.fsmonitor"
    git(target, "config", setting, str(hostile))
    git(target, "config", "extensions.worktreeConfig", "true")
    for name in ("post-index-change", "fsmonitor-watchman"):
        write(repository, {f".git/hooks/{name}": hostile.read_text()})
        (repository / ".git/hooks" / name).chmod(0o755)
    os.utime(repository / "a.txt", (1, 1))
    (repository / "sub/b.bin").write_text("other\n")
    commit_of(repository)
    assert not canary.exists()


@pytest.mark.parametrize("name", ["HEAD", "index", "packed-refs", "refs/heads/main"])
@pytest.mark.parametrize("what", ["pipe", "endless"])
def test_what_is_no_file_is_not_waited_for(tmp_path: Path, name: str, what: str) -> None:
    git = tmp_path / ".git"
    (git / "refs/heads").mkdir(parents=True)
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    (git / "refs/heads/main").write_text("a" * 40 + "\n")
    if name == "packed-refs":
        (git / "refs/heads/main").unlink()
    (git / name).unlink(missing_ok=True)
    if what == "pipe":
        os.mkfifo(git / name)
    else:
        (git / name).symlink_to("/dev/zero")
    assert commit_of(tmp_path) in ("", "a" * 40 + "-dirty")
