"""The command ``pytest-arm64 audit``."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..artifact import ZIP, read_artifact_name
from ..environment.pipconfig import PipConfig
from ..errors import SettingsError
from ..settings import default_target, read_pyproject, repository_root
from ..targets import Target, find_target, own_target
from .inputs.service import Service, artifact_service, read_service
from .matrix import WheelMatrix
from .run import Auditor, audit
from .services import configured_services


def run_command(
    options: argparse.Namespace,
    config: Callable[[], PipConfig],
    environ: Mapping[str, str] = os.environ,
) -> int:
    """Audit, print, and give the exit code: 0 ready, 1 not ready, 3 could not be evaluated.

    Raises:
        SettingsError: a path or a target cannot be used.
    """
    here = Path.cwd()
    table, _ = read_pyproject(here / "pyproject.toml")
    services = list(_services(options, here, table, environ))
    targets = chosen_targets(options.target, _first_folder(options), environ)
    if options.offline and options.refresh:
        raise SettingsError("--offline and --refresh contradict each other")
    # A pipeline should not decide by yesterday's answers.
    refresh = options.refresh or (bool(environ.get("CI")) and not options.offline)
    with Auditor(
        environ,
        offline=options.offline,
        refresh=refresh,
        time_limit=options.time_limit,
        config=config,
    ) as auditor:
        matrices = list(audit(services, targets, auditor))
    _show(matrices, options.format, every=options.all)
    if options.report:
        from ..report.predict import write_predicted

        sys.stderr.write(f"pytest-arm64: wrote {write_predicted(here, matrices, options.report)}\n")
    if options.fix:
        from .fixes import fix

        for difference in fix(matrices, here):
            sys.stderr.write(difference)
    if options.write_baseline:
        from .baseline import write_baseline

        path = write_baseline(repository_root(here), matrices)
        sys.stderr.write(f"pytest-arm64: wrote {path}\n")
    return max(matrix.exit_code for matrix in matrices)


def _services(
    options: argparse.Namespace, here: Path, table: Mapping[str, Any], environ: Mapping[str, str]
) -> Iterator[Service]:
    configured = "service" in table or "services" in table
    if configured and not options.path:
        yield from configured_services(here, environ)
        return
    for path in options.path or ["."]:
        artifact = read_artifact_name(path, here)
        if artifact is None and path.endswith(".zip"):
            artifact = read_artifact_name(f"{ZIP}:{path}", here)
        if artifact is not None:
            yield artifact_service(artifact, environ, name=path, root=here)
            continue
        yield read_service(
            Path(path),
            environ,
            root=here,
            extras=tuple(options.extra),
            groups=tuple(options.group),
        )


def _first_folder(options: argparse.Namespace) -> Path:
    place = Path(os.path.normpath(Path.cwd() / (options.path or ["."])[0]))
    return place if place.is_dir() else place.parent


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


def _show(matrices: Sequence[WheelMatrix], form: str, *, every: bool) -> None:
    from ..report.matrix import document, markdown, print_table

    if form == "json":
        print(json.dumps(document(matrices), indent=2))  # noqa: T201
    elif form == "sarif":
        from ..report.sarif import sarif

        print(json.dumps(sarif(matrices), indent=2))  # noqa: T201
    elif form == "markdown":
        sys.stdout.write(markdown(matrices) + "\n")
    else:
        from rich.console import Console

        print_table(Console(), matrices, every=every)
