"""Which targets a command works for: those that are named, else the repository's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ..errors import SettingsError
from .settings import default_target, read_pyproject
from .targets import Target, find_target, own_target


def chosen_targets(names: str, folder: Path, environ: Mapping[str, str]) -> Sequence[Target]:
    """The targets that are named, or the one that the repository at *folder* asks for.

    Raises:
        SettingsError: there is no such target.
    """
    table, project = read_pyproject(folder / "pyproject.toml")
    own = {
        name: own_target(name, entry)
        for name, entry in table.get("targets", {}).items()
        if isinstance(entry, dict)
    }
    wanted = names or environ.get("PYTEST_ARM64_TARGET") or table.get("target", "")
    if not wanted:
        wanted = default_target(folder, project)
    found = [find_target(name.strip(), own) for name in str(wanted).split(",") if name.strip()]
    if not found:
        raise SettingsError("--target names no target")
    return found
