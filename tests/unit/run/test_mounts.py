"""What of a project tests cannot write to, and which folders are never mounted."""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import platformdirs
import pytest

from pytest_arm64 import cache
from pytest_arm64.engine.container_plan import Mount
from pytest_arm64.errors import SettingsError
from pytest_arm64.run import mounts
from pytest_arm64.run.mounts import (
    WRITABLE,
    project_mounts,
    protected_paths,
    read_only_mounts,
    refuse_root,
)
from pytest_arm64.run.tool_folders import tool_folders
from unit.support import write

if TYPE_CHECKING:
    from collections.abc import Mapping

FILES = {
    ".git/HEAD": "",
    ".github/workflows/ci.yml": "",
    ".gitlab-ci.yml": "",
    ".vscode/tasks.json": "",
    ".pre-commit-config.yaml": "",
    ".envrc": "",
    ".venv/pyvenv.cfg": "",
    "services/api/env/pyvenv.cfg": "",
    "tools/env/pyvenv.cfg": "",
    "src/package/.git-is-not-here": "",
    "tests/test_it.py": "",
}
PROTECTED = {
    *(".git", ".github", ".gitlab-ci.yml", ".vscode", ".pre-commit-config.yaml", ".envrc"),
    *(".venv", "tools/env"),
}


def names(root: Path, environ: Mapping[str, str] | None = None) -> set[str]:
    return {str(path.relative_to(root)) for path in protected_paths(root, environ or {})}


def test_repository_pipelines_editors_and_environments_are_read_only(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    assert names(tmp_path) == PROTECTED
    mounted = project_mounts(tmp_path, {})
    assert (mounted[0].path, mounted[0].read_only) == (str(tmp_path), False)
    assert {mount.path for mount in mounted[1:]} == {str(tmp_path / name) for name in PROTECTED}
    assert all(mount.read_only for mount in mounted[1:])


def test_a_functions_code_is_read_only_but_for_folders_of_tools(tmp_path: Path) -> None:
    root = tmp_path / "repo"
    write(root, {**FILES, "sub/.pytest_cache/README.md": "", "out/x": ""})
    (tmp_path / "keys").mkdir()
    # What a test may have left: a link to where it could not write.
    (root / ".hypothesis").symlink_to(tmp_path / "keys")
    (root / "linked").symlink_to(tmp_path / "keys")
    writable = [root / "sub/.pytest_cache", root / ".hypothesis", root / "missing", root]
    opened = os.pathsep.join(["out", "linked", "../keys", str(tmp_path / "keys"), "missing"])
    mounted = read_only_mounts(root, writable, {WRITABLE: opened})
    assert mounted[0] == Mount(str(root), read_only=True)
    assert [(mount.path, mount.read_only) for mount in mounted[1:]] == [
        (str(root / "out"), False),
        (str(root / "sub/.pytest_cache"), False),
    ]


def test_a_folder_behind_a_link_is_not_opened(tmp_path: Path) -> None:
    root = tmp_path / "repo"
    write(tmp_path, {"keys/.pytest_cache/x": "", "repo/a": ""})
    (root / "sub").symlink_to(tmp_path / "keys")
    assert len(read_only_mounts(root, [root / "sub/.pytest_cache"], {})) == 1


def test_the_cache_of_pytest_is_created_as_pytest_does_it(tmp_path: Path) -> None:
    assert list(tool_folders(tmp_path)) == [tmp_path / ".pytest_cache", tmp_path / ".hypothesis"]
    assert [path.name for path in tmp_path.iterdir()] == [".pytest_cache"]
    ignored = tmp_path / ".pytest_cache/.gitignore"
    assert ignored.read_text("ascii") == "*\n"
    ignored.unlink()
    list(tool_folders(tmp_path))
    assert not ignored.exists()  # a folder that is there is as it is


def test_the_file_git_of_a_worktree_is_read_only(tmp_path: Path) -> None:
    write(tmp_path, {".git": "gitdir: ../repository/.git/worktrees/this\n"})
    assert names(tmp_path) == {".git"}


def test_a_link_is_not_mounted(tmp_path: Path) -> None:
    """A repository may have one that leads to any folder of the host."""
    (tmp_path / ".github").symlink_to("/etc")
    (tmp_path / ".venv").symlink_to("/usr")
    assert names(tmp_path) == set()


def test_what_the_user_opens_is_writable(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    opened = os.pathsep.join([".git", "tools"])
    assert names(tmp_path, {WRITABLE: opened}) == PROTECTED - {".git", "tools/env"}


@pytest.mark.parametrize("folder", ["venvs/deep/down/host", "host", "vendor"])
def test_where_this_process_loads_from_is_read_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    site = tmp_path / folder / "lib/python3.11/site-packages"
    write(site, {"docker.py": ""})
    if folder != "vendor":
        write(tmp_path / folder, {"pyvenv.cfg": ""})
    fence = SimpleNamespace(around=lambda _: SimpleNamespace(installed=[str(site)]))
    monkeypatch.setattr(mounts, "Fence", fence)
    assert names(tmp_path) == {folder if folder != "vendor" else str(site.relative_to(tmp_path))}


def test_a_project_of_ones_own_is_mounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    project = tmp_path / "project"
    project.mkdir()
    refuse_root(project, copied=False)


def test_a_home_folder_is_not_mounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "homes/me"
    home.mkdir(parents=True)
    (tmp_path / "link").symlink_to(home)
    monkeypatch.setenv("HOME", str(home))
    for root in (home, home.parent, tmp_path / "link"):
        with pytest.raises(SettingsError) as caught:
            refuse_root(root, copied=False)
        assert "home folder" in caught.value.what
        assert "git init" in caught.value.next_step
        with pytest.raises(SettingsError):
            refuse_root(root, copied=True)
    monkeypatch.setenv("HOME", str(tmp_path / "link"))
    with pytest.raises(SettingsError):
        refuse_root(home, copied=False)


def test_the_home_folder_of_the_account_counts_whatever_the_variable_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = SimpleNamespace(pw_dir=str(tmp_path), pw_name="me")
    monkeypatch.setattr(pwd, "getpwuid", lambda _: account)
    monkeypatch.setenv("HOME", "/nowhere")
    with pytest.raises(SettingsError):
        refuse_root(tmp_path, copied=False)


@pytest.mark.parametrize(
    ("caller", "owner", "pipeline", "refused"),
    [
        (1000, 1000, False, False),
        (1000, 0, False, False),
        (1000, 1001, False, True),
        (1000, 1001, True, True),
        (0, 1000, False, True),
        (0, 1000, True, False),
    ],
)
def test_another_users_folder_is_not_mounted(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caller: int,
    owner: int,
    pipeline: bool,
    refused: bool,
) -> None:
    monkeypatch.setattr(os, "getuid", lambda: caller)
    monkeypatch.setattr(
        Path, "stat", lambda self, **_: SimpleNamespace(st_uid=owner, st_mode=0o40755)
    )
    monkeypatch.setenv("CI", "true" if pipeline else "")
    if not refused:
        refuse_root(tmp_path, copied=False)
        return
    with pytest.raises(SettingsError) as caught:
        refuse_root(tmp_path, copied=False)
    assert "another user" in caught.value.what
    assert "--arm64-copy" in caught.value.next_step
    refuse_root(tmp_path, copied=True)


def test_caches_and_records_in_the_checkout_are_read_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As pipelines have them that save folders of the checkout."""
    root = write(tmp_path / "root", {"test_it.py": ""})
    monkeypatch.setattr(cache, "cache_folder", lambda: root / ".cache/pytest-arm64")
    monkeypatch.setattr(platformdirs, "user_data_dir", lambda *_, **__: str(root / ".data"))
    monkeypatch.setattr(platformdirs, "user_config_dir", lambda *_, **__: str(root / ".config"))
    assert names(root) == {".cache/pytest-arm64", ".data/trusted", ".config"}
    assert (root / ".cache/pytest-arm64").is_dir()


@pytest.mark.parametrize("linked", ["root", "cache"])
def test_a_cache_that_is_in_the_checkout_by_a_link_is_read_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, linked: str
) -> None:
    real = write(tmp_path / "real", {"test_it.py": ""})
    (tmp_path / "link").symlink_to(real)
    root, place = (tmp_path / "link", real) if linked == "root" else (real, tmp_path / "link")
    monkeypatch.setattr(cache, "cache_folder", lambda: place / "cache")
    assert names(root) == {"cache"}
