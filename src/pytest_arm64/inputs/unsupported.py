"""Files that say what is deployed and are not read here, with the command that exports them."""

from __future__ import annotations

import re
import shlex
from itertools import islice
from pathlib import Path

from ..config.boundary import is_there
from ..errors import NothingToReadError, SettingsError
from ..wording import first_of
from .project_files import walk

_LIST_NAME = re.compile(r"(?:.*[-_.])?req(?:uirement)?s?(?:[-_.].*)?\.txt", re.IGNORECASE)
_MOST_ENTRIES = 5_000
_SHOWN = 3
_CONDA = (
    "list what pip installs: conda run -n NAME python -m pip list --format=freeze > "
    "requirements.txt"
)
_PIXI = "list what pip installs: pixi run python -m pip list --format=freeze > requirements.txt"
_EXPORTS = {
    "Pipfile": "pipenv lock, and name Pipfile.lock",
    "environment.yml": _CONDA,
    "environment.yaml": _CONDA,
    "conda-lock.yml": _CONDA,
    "pixi.lock": _PIXI,
    "pixi.toml": _PIXI,
    "setup.py": "name the project's folder instead",
    "setup.cfg": "name the project's folder instead",
}
_LOCKS = ("pixi.lock", "conda-lock.yml")
# What a requirement file may be called is not fixed; these are something else for certain.
_OTHER_KINDS = frozenset(
    [
        *(".json", ".yml", ".yaml", ".toml", ".lock", ".cfg", ".ini", ".xml", ".html", ".csv"),
        *(".py", ".pyi", ".ipynb", ".md", ".rst", ".sh", ".js", ".ts", ".nix", ".log"),
        *(".whl", ".gz", ".tgz", ".bz2", ".xz", ".tar", ".png", ".svg", ".pdf", ".so"),
    ]
)
_OTHER_NAMES = ("Dockerfile", "Makefile", "LICENSE", "README")


def refuse_unsupported(path: Path) -> None:
    """Refuse a file of a kind that is not read here.

    Raises:
        NothingToReadError: it lists no packages at all.
        SettingsError: it does, and another tool has to export them.
    """
    name = path.name
    if name in _EXPORTS:
        raise SettingsError(f"{path}: {name} files are not read", next_step=_EXPORTS[name])
    if path.suffix.lower() in _OTHER_KINDS or name in _OTHER_NAMES:
        kind = f"a {path.suffix} file" if path.suffix else f"a {name}"
        raise NothingToReadError(
            f"{path} is {kind}, not a requirement file",
            next_step="name a requirement file, a lock, a pyproject.toml, or a project's folder",
        )


def unread_locks(folder: Path) -> list[str]:
    """Notes on the locks in *folder* that are not read."""
    return [
        f"{name} was not read: the versions that it locks may be others ({_EXPORTS[name]})"
        for name in _LOCKS
        if (folder / name).is_file()
    ]


def nothing_to_read(folder: Path, names: tuple[str, ...]) -> NothingToReadError:
    """The error for a *folder* without any of the files called *names*."""
    unread = next((name for name in _EXPORTS if (folder / name).is_file()), "")
    if unread:
        return NothingToReadError(
            f"{folder} has a {unread}, which is not read", next_step=_EXPORTS[unread]
        )
    below = _lists_below(folder, names)
    if below:
        return NothingToReadError(
            f"{folder} has no {', '.join(names)}",
            why=f"below it there is {first_of(below, _SHOWN)}",
            next_step=f"pytest-arm64 audit {shlex.quote(below[0])}, or pytest-arm64 setup --init, "
            "which proposes settings for services",
        )
    return NothingToReadError(
        f"{folder} has no {', '.join(names)}",
        next_step="name the file that lists what is deployed: pytest-arm64 audit FILE",
    )


def _lists_below(folder: Path, names: tuple[str, ...]) -> list[str]:
    """Files below *folder* that may list what is deployed, the nearest first."""
    found = [
        path.relative_to(folder)
        for path in islice(walk(folder), _MOST_ENTRIES)
        if (path.name in names or _LIST_NAME.fullmatch(path.name)) and is_there(path, Path.is_file)
    ]
    return [path.as_posix() for path in sorted(found, key=lambda path: (len(path.parts), path))]
