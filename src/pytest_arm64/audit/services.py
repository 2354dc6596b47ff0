"""Which services a repository has: those that it configures, or the repository itself."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import SettingsError
from ..targets import suggestion
from .inputs.service import Service, read_service

_KEYS = (
    *("requirements", "test-requirements", "tests", "memory", "env", "network"),
    *("monthly-cost", "boundary", "target"),
)


def configured_services(
    rootpath: Path, table: Mapping[str, Any], environ: Mapping[str, str] = os.environ
) -> Iterator[Service]:
    """Services of ``[tool.pytest-arm64]``: those with a table, and folders that a pattern names.

    Args:
        rootpath: the folder of the ``pyproject.toml``.
        table: its ``[tool.pytest-arm64]``.
        environ: variables for ``${NAME}`` in requirement files.

    Raises:
        SettingsError: a table is wrong, or a service's files cannot be read.
    """
    named: set[Path] = set()
    for name, entry in table.get("service", {}).items():
        where = f"[tool.pytest-arm64.service.{name}]"
        files = tuple(rootpath / file for file in _requirements(name, entry, where))
        if not files:
            raise SettingsError(
                f"{where} names no requirements",
                next_step='requirements = "services/NAME/requirements.txt"',
            )
        named |= {file.parent for file in files}
        yield read_service(files[0], environ, name=name, root=rootpath, requirements=_plain(files))
    for pattern in table.get("services", []):
        for folder in sorted(_folders(rootpath, pattern) - named):
            yield read_service(folder, environ, root=rootpath)


def repository_service(
    rootpath: Path, requirements: tuple[Path, ...], environ: Mapping[str, str] = os.environ
) -> Service:
    """The repository as the one service that it is where none is configured.

    Raises:
        SettingsError: it has no file that says what is deployed, or one that cannot be read.
    """
    return read_service(rootpath, environ, root=rootpath, requirements=requirements)


def _plain(files: tuple[Path, ...]) -> tuple[Path, ...]:
    """Requirement files; a lone lock or project file decides by itself."""
    return () if len(files) == 1 and files[0].suffix in (".toml", ".lock") else files


def _requirements(name: str, entry: object, where: str) -> list[str]:
    if not isinstance(entry, dict):
        raise SettingsError(f"[tool.pytest-arm64.service] {name} must be a table")
    for key in entry:
        if key not in _KEYS:
            raise SettingsError(f"{where} has no key {key!r}{suggestion(key, _KEYS)}")
    listed = entry.get("requirements", [])
    listed = [listed] if isinstance(listed, str) else listed
    if not isinstance(listed, list) or not all(isinstance(file, str) for file in listed):
        raise SettingsError(f"{where} requirements must be a file or a list of files")
    return listed


def _folders(rootpath: Path, pattern: str) -> set[Path]:
    try:
        found = {path for path in rootpath.glob(pattern) if path.is_dir()}
    except (ValueError, NotImplementedError, OSError, IndexError):
        raise SettingsError(f"services: {pattern!r} is no pattern of folders") from None
    if not found:
        raise SettingsError(f"services: {pattern!r} names no folder below {rootpath}")
    return found
