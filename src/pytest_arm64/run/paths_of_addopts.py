"""Refuses ``addopts`` of a repository's files that lead outside the repository.

pytest obeys them on the host: ``--junitxml=../.bashrc`` in a pull request would be written, and
``--pastebin`` would publish what the terminal shows.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from ..config.project_files import repository_root
from ..config.trust import VARIABLE as TRUST
from ..config.trust import allows_all
from ..errors import SettingsError

_NOTHING_WRITTEN = frozenset(
    (
        *("file_or_dir", "rootdir", "confcutdir", "inifilename", "ignore", "ignore_glob"),
        *("deselect", "keyword", "markexpr", "plugins", "override_ini", "pythonwarnings"),
        # Of the session inside alone.
        *("basetemp", "log_file", "log_format", "log_cli_format", "log_file_format"),
        *(
            "log_date_format",
            "log_cli_date_format",
            "log_file_date_format",
            "usepdb_cls",
            "junitprefix",
        ),
        *("cov_source", "cov_config"),
    )
)
"""Where pytest keeps options that may look like paths, and that have the host write nothing."""
_KIND_AND_PATH = re.compile(r"[a-z]+[:=](?!//)(.+)", re.DOTALL)
"""``html:DIR``, but not an address."""


def refuse_paths_of_addopts(
    config: pytest.Config, parser: pytest.Parser, environ: Mapping[str, str]
) -> None:
    """Refuse options that lead outside the repository, unless the user has typed them.

    Raises:
        SettingsError: there is one.
    """
    if allows_all(environ):
        return
    words = [*shlex.split(environ.get("PYTEST_ADDOPTS", "")), *config.invocation_params.args]
    typed, default = (vars(parser.parse_known_args(args)) for args in (words, []))
    root = repository_root(config.rootpath).resolve()
    here = Path(config.invocation_params.dir)
    options = vars(config.known_args_namespace)
    if options.get("pastebin") and not typed.get("pastebin"):
        raise _refusal("has what is shown sent to a public site (--pastebin)")
    for name, value in options.items():
        if name in _NOTHING_WRITTEN:
            continue
        users = {*_texts(typed.get(name)), *_texts(default.get(name))}
        for text in _texts(value):
            if text not in users and not _is_inside(text, here, root):
                raise _refusal(f"names {text[:200]!r}, which is outside the repository {root}")


def _refusal(what: str) -> SettingsError:
    return SettingsError(
        f"addopts in a file of this repository {what}",
        why="anyone who changes that file, in a pull request for example, would decide what is "
        "written there",
        next_step="type the option, or name a place in the repository "
        f"(in CI, for changes that were reviewed: {TRUST}=1)",
    )


def _texts(value: object) -> Iterator[str]:
    """All texts in the value of an option, which may be a list or a table of them."""
    if isinstance(value, str | os.PathLike):
        yield os.fspath(value)
    elif isinstance(value, Mapping):
        yield from _texts([*value, *value.values()])
    elif isinstance(value, list | tuple | set | frozenset):
        for entry in value:
            yield from _texts(entry)


def _is_inside(text: str, here: Path, root: Path) -> bool:
    """Whether *text*, taken for a path of a file that is relative to *here*, is below *root*."""
    kind = _KIND_AND_PATH.fullmatch(text)
    for path in (text, *(kind.groups() if kind is not None else ())):
        # --junitxml is expanded by pytest.
        place = here / Path(os.path.expandvars(path)).expanduser()
        try:
            resolved = place.resolve()
        except (OSError, ValueError, RuntimeError):
            continue  # no file can have this name
        if not resolved.is_relative_to(root):
            return False
    return True
