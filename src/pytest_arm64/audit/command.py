"""The command ``pytest-arm64 audit``."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from .._toml import TOMLDecodeError, loads
from ..errors import SettingsError
from ..settings import default_target
from ..targets import Target, find_target, own_target
from .matrix import FORMAT, WheelMatrix
from .run import audit


def run_command(options: argparse.Namespace, environ: Mapping[str, str] = os.environ) -> int:
    """Audit, print, and give the exit code: 0 ready, 1 not ready, 3 could not be evaluated.

    Raises:
        SettingsError: a path or a target cannot be used.
    """
    paths = [Path(path) for path in options.path or ["."]]
    matrices = list(
        audit(
            paths,
            chosen_targets(options.target, paths[0], environ),
            environ=environ,
            offline=options.offline,
            refresh=options.refresh,
            time_limit=options.time_limit,
        )
    )
    _show(matrices, options.format, every=options.all)
    return max(matrix.exit_code for matrix in matrices)


def chosen_targets(names: str, path: Path, environ: Mapping[str, str]) -> Sequence[Target]:
    """The targets that are named, or the one that the repository at *path* asks for.

    Raises:
        SettingsError: there is no such target.
    """
    folder = Path(os.path.normpath(Path.cwd() / path))
    folder = folder if folder.is_dir() else folder.parent
    try:
        data = loads((folder / "pyproject.toml").read_text("utf-8"))
    except (OSError, UnicodeDecodeError, TOMLDecodeError):
        data = {}
    table = data.get("tool", {}).get("pytest-arm64", {})
    own = {
        name: own_target(name, entry)
        for name, entry in table.get("targets", {}).items()
        if isinstance(entry, dict)
    }
    wanted = names or environ.get("PYTEST_ARM64_TARGET") or table.get("target", "")
    if not wanted:
        wanted = default_target(folder, data.get("project", {}))
    found = [find_target(name, own) for name in str(wanted).split(",") if name]
    if not found:
        raise SettingsError("--target names no target")
    return found


def _show(matrices: Sequence[WheelMatrix], form: str, *, every: bool) -> None:
    from ..report.matrix import markdown, print_table

    if form == "json":
        documents = [matrix.to_json() for matrix in matrices]
        several = {"format": FORMAT, "matrices": documents}
        print(json.dumps(documents[0] if len(documents) == 1 else several, indent=2))  # noqa: T201
    elif form == "markdown":
        sys.stdout.write(markdown(matrices) + "\n")
    else:
        from rich.console import Console

        print_table(Console(), matrices, every=every)
