"""Refuses a value of one of our options that pytest has taken for a place of tests.

pytest looks for its configuration before it knows the options of plugins. The ``api`` of
``--arm64-service api`` is a folder to it, and it begins to look there: with another root the
settings of the project are not read, and nothing says so.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from ..errors import SettingsError
from ..inside.options import OPTIONS, Kind

_CONFIGURATIONS = (
    *("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini"),
    *("pyproject.toml", "tox.ini", "setup.cfg", "setup.py"),
)
"""Files that pytest looks for (pytest 9.2, "Finding the rootdir", looked up 2026-12-01)."""


def refuse_root_by_value(config: pytest.Config, environ: Mapping[str, str]) -> None:
    """Refuse such a value where pytest may have found another root by it.

    Args:
        config: as pytest has it before conftests are loaded.
        environ: has ``PYTEST_ADDOPTS``. ``addopts`` come from the file that was found, too late.

    Raises:
        SettingsError: there is one.
    """
    if config.known_args_namespace.inifilename:
        return
    words = [*shlex.split(environ.get("PYTEST_ADDOPTS", "")), *config.invocation_params.args]
    here = Path(config.invocation_params.dir)
    others = [place for word in words for place in _place(word, here)]
    taken = []
    for name, value in _separate_values(words):
        for place in _place(value, here):
            others.remove(place)
            taken.append((name, value, place))
    start, begun = _start(others, here), _start([*others, *(p for *_, p in taken)], here)
    if start == begun or _finds_the_same(start, config, here):
        return
    typed = " ".join(f"{name} {value}" for name, value, _ in taken)
    raise SettingsError(
        f"{typed}: pytest takes what stands after a space for a place of tests when it looks for "
        f"its configuration, and begins at {config.rootpath}",
        why="options of plugins are not known to it yet",
        next_step=f"write {' '.join(f'{name}={value}' for name, value, _ in taken)}",
    )


def _separate_values(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Our options among *words* whose value is the next word, each with it."""
    valued = {option.name for option in OPTIONS if option.kind is not Kind.FLAG}
    for name, value in pairwise(words):
        if name in valued and not value.startswith("-"):
            yield name, value


def _place(word: str, here: Path) -> Iterator[Path]:
    """The folder that pytest begins at for *word*, if it exists."""
    if word.startswith("-"):
        return
    try:
        # As pytest does: links stay, for the folder above one is that of the link.
        path = Path(os.path.abspath(here / word.partition("::")[0]))  # noqa: PTH100
        if path.is_dir():
            yield path
        elif path.exists():
            yield path.parent
    except (OSError, ValueError):
        return  # no file can have this name


def _start(places: Sequence[Path], here: Path) -> Path:
    """Where pytest begins to look."""
    return Path(os.path.commonpath(places)) if places else here


def _finds_the_same(start: Path, config: pytest.Config, here: Path) -> bool:
    """Whether a search from *start* upwards certainly ends at the root that pytest has found."""
    for folder in (start, *start.parents):
        if any((folder / name).is_file() for name in _CONFIGURATIONS):
            return folder == config.rootpath
    return Path(os.path.commonpath([here, start])) == config.rootpath
