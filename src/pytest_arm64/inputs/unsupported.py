"""Files that say what is deployed and are not read here, with the command that exports them."""

from __future__ import annotations

from pathlib import Path

from ..errors import NothingToReadError, SettingsError

_CONDA = "list what pip installs in a requirements.txt"
_EXPORTS = {
    "Pipfile": "pipenv requirements > requirements.txt",
    "Pipfile.lock": "pipenv requirements > requirements.txt",
    "pdm.lock": "pdm export -f pylock -o pylock.toml",
    "environment.yml": _CONDA,
    "environment.yaml": _CONDA,
    "conda-lock.yml": _CONDA,
    "pixi.lock": _CONDA,
    "pixi.toml": _CONDA,
    "setup.py": "name the project's folder instead",
    "setup.cfg": "name the project's folder instead",
}
_LOCKS = ("pdm.lock", "Pipfile.lock", "pixi.lock", "conda-lock.yml")
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
    return NothingToReadError(
        f"{folder} has no {', '.join(names)}",
        next_step="name the file that lists what is deployed: pytest-arm64 audit FILE",
    )
