"""What of a project is mounted, what of that tests cannot write to, and what is never mounted."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from importlib import resources
from pathlib import Path

from .. import cache
from ..config._toml import loads
from ..config.trust import trusted_folder
from ..config.user_file import user_folder
from ..engine.container_plan import Mount
from ..errors import SettingsError
from ..isolation import Fence

WRITABLE = "PYTEST_ARM64_WRITABLE"
"""The variable with paths below the repository root that tests may write to all the same."""
_ENVIRONMENT = "pyvenv.cfg"
_DEPTH = 2
"""How many folders below the root virtual environments are looked for."""


def project_mounts(root: Path, environ: Mapping[str, str]) -> list[Mount]:
    """*root*, and what in it is read-only, in the order in which it is to be mounted."""
    protected = [str(path) for path in protected_paths(root, environ)]
    return [Mount(str(root), read_only=False), *(Mount(path) for path in protected)]


def read_only_mounts(
    root: Path, writable: Iterable[Path], environ: Mapping[str, str]
) -> list[Mount]:
    """*root* as nothing but a reader sees it, for a function's code.

    Tests can write to what exists of *writable*, folders of the tools that run them, and of what
    the user opened. A link is left out: it may lead anywhere.
    """
    opened = (root / entry for entry in environ.get(WRITABLE, "").split(os.pathsep) if entry)
    folders = {path for path in (*writable, *opened) if _lies_in(path, root)}
    return [Mount(str(root)), *(Mount(str(path), read_only=False) for path in sorted(folders))]


def _lies_in(path: Path, root: Path) -> bool:
    inside = root.resolve() / path.relative_to(root) if path.is_relative_to(root) else None
    return path.exists() and path != root and path.resolve() == inside


def protected_paths(root: Path, environ: Mapping[str, str]) -> list[Path]:
    """What exists below *root* that other programs run, or that decides what they run.

    Links are left out: what a mount would cover is where they lead to.
    """
    opened = [Path(entry) for entry in environ.get(WRITABLE, "").split(os.pathsep) if entry]
    found: list[Path] = []
    for path in sorted({*_named(root), *_environments(root), *_executed(root), *_ours(root)}):
        inside = path.relative_to(root)
        if any(entry in (inside, *inside.parents) for entry in opened):
            continue
        if not any(other in path.parents for other in found):
            found.append(path)
    return found


def refuse_root(root: Path, *, copied: bool) -> None:
    """Refuse to mount a folder that is more than a project, or that is another user's.

    Raises:
        SettingsError: *root* is, or contains, a home folder; or its owner is neither this user
            nor root, and it is not *copied*.
    """
    real = root.resolve()
    for home in _homes():
        if real in (home, *home.parents):
            where = "is your home folder" if real == home else "contains your home folder"
            raise SettingsError(
                f"the repository root would be {root}, which {where}",
                why="tests could read and write everything in it, keys and settings included",
                next_step="run `git init` in the project's folder, or move the project into one of"
                " its own",
            )
    owner = root.stat().st_uid
    if copied:
        return
    # A container of a pipeline is root in a checkout that the runner made.
    if owner not in (0, os.getuid()) and not (os.getuid() == 0 and os.environ.get("CI")):
        raise SettingsError(
            f"{root} belongs to another user ({_name_of(owner)})",
            why="another user could change the tests while they run as you",
            next_step="pass --arm64-copy, or run in a checkout of your own",
        )


def _named(root: Path) -> Iterator[Path]:
    text = resources.files("pytest_arm64.resources").joinpath("protected.toml").read_text("utf-8")
    for names in loads(text).values():
        yield from (root / name for name in names if _is_real(root / name))


def _environments(root: Path) -> Iterator[Path]:
    """Virtual environments at most ``_DEPTH`` folders below *root*."""
    folders: list[Path] = [root]
    for _ in range(_DEPTH):
        below = [folder for parent in folders for folder in _folders(parent)]
        yield from (folder for folder in below if (folder / _ENVIRONMENT).is_file())
        folders = [folder for folder in below if folder.name not in (".git", "node_modules")]


def _folders(parent: Path) -> Iterator[Path]:
    with suppress(OSError), os.scandir(parent) as entries:
        yield from (Path(e.path) for e in entries if e.is_dir(follow_symlinks=False))


def _executed(root: Path) -> Iterator[Path]:
    """What this process itself loads from: it goes on loading while tests run."""
    for place in Fence.around(root).installed:
        path = Path(place)
        environment = next((p for p in path.parents if (p / _ENVIRONMENT).is_file()), path)
        if root in environment.parents and _is_real(environment):
            yield environment
        elif root in path.parents and _is_real(path):
            yield path


def _ours(root: Path) -> Iterator[Path]:
    """Folders of ours: a pipeline may keep its caches in the checkout, to save them after it."""
    for folder in (cache.cache_folder(), user_folder(), trusted_folder()):
        place = folder.resolve()
        if place.is_relative_to(root.resolve()):
            place.mkdir(parents=True, exist_ok=True)  # before a test can create it
            yield root / place.relative_to(root.resolve())


def _is_real(path: Path) -> bool:
    return path.exists() and not path.is_symlink()


def _homes() -> Iterable[Path]:
    homes = {os.environ.get("HOME", "")}
    with suppress(KeyError):
        homes.add(pwd.getpwuid(os.getuid()).pw_dir)
    # A user without a home has / there, which is nobody's.
    return [Path(home).resolve() for home in homes if home not in ("", "/") and Path(home).is_dir()]


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
