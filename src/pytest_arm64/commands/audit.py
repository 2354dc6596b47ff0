"""The command ``pytest-arm64 audit``: what a dependency tree looks like on ARM64."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..config.quantities import above_zero, at_least_zero
from ..errors import Arm64Error, EmptyListError, NothingToReadError, SettingsError
from ..progress import NoProgress

# What resolves is loaded while pip tells its configuration in another process.
if TYPE_CHECKING:
    from ..audit.auditor import Auditor
    from ..audit.fixes import Fixed
    from ..audit.matrix import WheelMatrix
    from ..config.project_files import ProjectFiles
    from ..config.services import Services
    from ..config.targets import Target
    from ..index.pip_config import PipConfig
    from ..inputs.service import Service
    from ..progress import Progress
    from ..sources.scan import CodeScan

UNEVALUATED = 3
"""The exit code where something could not be evaluated."""

DESCRIPTION = """\
Resolve the dependencies of a project for ARM64. Each package is shown as pure, wheel,
source or blocker, with its cause and its fix. Nothing is installed or executed, and no
container engine is needed.
"""
EPILOG = """\
examples:
  pytest-arm64 audit
  pytest-arm64 audit services/api/requirements.txt --target lambda-python3.13
  pytest-arm64 audit uv.lock --group worker --format json
  pytest-arm64 audit --explain refuses-arm

exit codes:
  0  ready: every package has a usable wheel
  1  not ready: a package has to be built from source, or blocks
  2  a path, target or setting cannot be used
  3  incomplete: something could not be determined
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument(
        "path",
        nargs="*",
        metavar="PATH",
        help="requirement file, lock, pyproject.toml or folder of a project, or a built artifact: "
        "zip:FILE, dir:FOLDER, image:REFERENCE (default: the configured services, else the "
        "project in this folder)",
    )
    parser.add_argument(
        "--target",
        action="append",
        default=[],
        metavar="A[,B...]",
        help="deployment target; repeat the option, or separate several with commas. A name may "
        "have wildcards: 'al2023-*' (default: from the settings, .python-version or "
        "requires-python)",
    )
    parser.add_argument(
        "--format",
        choices=("table", "json", "markdown", "sarif"),
        default="table",
        help="output format (default: table)",
    )
    parser.add_argument("--all", action="store_true", help="show green rows in the table too")
    parser.add_argument(
        "--extra",
        action="append",
        default=[],
        metavar="NAME",
        help="include this extra of the project",
    )
    parser.add_argument(
        "--group", action="append", default=[], metavar="NAME", help="include this dependency group"
    )
    parser.add_argument(
        "--fix",
        action="store_true",
        help="change pins in requirement files to versions that can be installed on the target "
        "and on x86_64, and show the difference",
    )
    parser.add_argument(
        "--write-baseline",
        action="store_true",
        help="write the findings to arm64-baseline.json, so that only worse ones fail a run",
    )
    parser.add_argument(
        "--report",
        default="",
        metavar="DIR",
        help="write report.json, with a predicted verdict for each service, into this folder",
    )
    parser.add_argument(
        "--no-contents",
        action="store_true",
        help="read neither source distributions nor wheels: what they hold then stays unknown",
    )
    parser.add_argument(
        "--explain",
        default="",
        metavar="RULE",
        help="explain a rule for code that assumes x86, and audit nothing",
    )
    parser.add_argument("--offline", action="store_true", help="use cached index pages only")
    parser.add_argument("--refresh", action="store_true", help="fetch index pages again")
    parser.add_argument(
        "--time-limit",
        type=above_zero,
        default=300.0,
        metavar="SECONDS",
        help="stop after this time in total (default: 300)",
    )
    parser.add_argument(
        "--search-time",
        type=at_least_zero,
        default=30.0,
        metavar="SECONDS",
        help="search this long for compatible releases, from the first conflict on, then show the "
        "nearest tree (default: 30)",
    )


def run_command(options: argparse.Namespace) -> int:
    """Audit, print, and give the exit code: 0 ready, 1 not ready, 3 could not be evaluated.

    Raises:
        SettingsError: a path, a target or a rule cannot be used.
    """
    from ..index.pip_config import host_pip_config
    from ..index.workers import in_background

    if options.explain:
        from ..sources.rules import rule_named

        print(rule_named(options.explain).explanation())  # noqa: T201
        return 0
    # pip tells its configuration while the audit is loaded; a lock seldom needs it.
    locked = bool(options.path) and all(map(_is_lock, options.path))
    config = host_pip_config if locked else in_background(host_pip_config).result
    return _audit(options, config, os.environ)


def _is_lock(path: str) -> bool:
    return path.endswith((".lock", "pylock.toml"))


def _audit(
    options: argparse.Namespace, config: Callable[[], PipConfig], environ: Mapping[str, str]
) -> int:
    from ..advisories.database import project_advisories
    from ..audit.auditor import Auditor, audit
    from ..config.project_files import read_project_files
    from ..config.services import services_at
    from ..config.target_choice import chosen_targets
    from ..config.trust import refuse_untrusted

    if options.offline and options.refresh:
        raise SettingsError(
            "--offline and --refresh exclude each other", next_step="leave one of them out"
        )
    files = read_project_files(Path.cwd())
    declared = services_at(files)
    refuse_untrusted(files, declared, environ, only=("artifact",))
    _refuse_unwritable(options, files, declared)
    services, folders, unread = _services(options, files, declared, environ)
    targets = chosen_targets(options.target, files.at(_first_folder(options)), environ)
    # A pipeline should not decide by yesterday's answers.
    refresh = options.refresh or (bool(environ.get("CI")) and not options.offline)
    with (
        _progress().step("resolve") as step,
        Auditor(
            environ,
            offline=options.offline,
            refresh=refresh,
            contents=not options.no_contents,
            time_limit=options.time_limit,
            search_limit=options.search_time,
            config=config,
            advisories=project_advisories(files),
            say=step.update,
        ) as auditor,
    ):
        matrices = list(audit(services, targets, auditor))
        fixed = (
            _fixed(services, targets, matrices, auditor, files.rootpath) if options.fix else None
        )
    code = _scanned(folders, files.rootpath)
    _show(matrices, targets, code, options.format, every=options.all)
    if options.report:
        from ..report.prediction import write_predicted

        path = write_predicted(files, matrices, options.report)
        sys.stderr.write(f"pytest-arm64: wrote {path}\n")
    if fixed is not None:
        lines = fixed.lines or ["--fix: no pin has to move, or none can; nothing was changed"]
        for text in (*fixed.differences, *(f"pytest-arm64: {line}\n" for line in lines)):
            sys.stderr.write(text)
    if options.write_baseline:
        from ..decide.baseline import write_baseline

        path = write_baseline(files.root, matrices, services=declared)
        sys.stderr.write(f"pytest-arm64: wrote {path}\n")
    for error in unread:
        sys.stderr.write(f"pytest-arm64: not audited: {error}\n")
    # A folder without a manifest is none that was asked for, unless it is configured.
    stray = NothingToReadError if options.path else EmptyListError
    grave = [error for error in unread if not isinstance(error, stray)]
    codes = [matrix.exit_code for matrix in matrices]
    return max(*codes, UNEVALUATED if grave else 0)


def _refuse_unwritable(
    options: argparse.Namespace, files: ProjectFiles, declared: Services
) -> None:
    """Refuse what could not be written after the audit."""
    report = files.rootpath / options.report
    if report.exists() and not report.is_dir():
        raise SettingsError(
            f"--report {options.report} is not a folder", next_step="name a folder: --report out"
        )
    if options.write_baseline:
        from ..decide.baseline import read_baseline

        read_baseline(files.root, declared)


def _fixed(
    services: Sequence[Service],
    targets: Sequence[Target],
    matrices: Sequence[WheelMatrix],
    auditor: Auditor,
    root: Path,
) -> Fixed:
    from ..audit.fixes import Audited, fix

    pairs = ((service, target) for service in services for target in targets)
    audited = [
        Audited(service, target, matrix)
        for (service, target), matrix in zip(pairs, matrices, strict=True)
    ]
    return fix(audited, auditor, root)


def _progress() -> Progress:
    """On a terminal only: the output of the command is often read by programs."""
    if not sys.stderr.isatty():
        return NoProgress()
    from ..report.progress import TerminalProgress

    return TerminalProgress(sys.stderr)


def _services(
    options: argparse.Namespace,
    files: ProjectFiles,
    declared: Services,
    environ: Mapping[str, str],
) -> tuple[Sequence[Service], Mapping[str, Path], Sequence[Arm64Error]]:
    """What the services ask for, and their folders by name.

    Of several services, one that cannot be read does not end it.
    """
    from ..inputs.configured import configured_service

    readers: list[tuple[Callable[[], Service], Path | None]]
    if declared.configured and not options.path:
        readers = [
            (partial(configured_service, service, files, environ), service.folder)
            for service in declared.configured
        ]
    else:
        readers = [
            (partial(_service, path, options, files, declared, environ), _folder(path))
            for path in options.path or ["."]
        ]
    services: list[Service] = []
    folders: dict[str, Path] = {}
    unread: list[Arm64Error] = []
    for read, folder in readers:
        try:
            service = read()
            service.check_lists_something()
        except Arm64Error as error:
            unread.append(error)
            continue
        services.append(service)
        if folder is not None:
            folders[service.name] = folder
    if not services:
        raise unread[0]
    return services, folders, unread


def _scanned(folders: Mapping[str, Path], root: Path) -> Sequence[CodeScan]:
    """What the code in each folder assumes; services that share one are named together."""
    from ..sources.scan import scan

    names: dict[Path, list[str]] = {}
    for name, folder in folders.items():
        names.setdefault(folder, []).append(name)
    return [scan(", ".join(names[folder]), folder, root, names) for folder in names]


def _service(
    path: str,
    options: argparse.Namespace,
    files: ProjectFiles,
    declared: Services,
    environ: Mapping[str, str],
) -> Service:
    from ..config.artifact import ZIP, read_artifact_name
    from ..inputs.service import artifact_service, read_service

    here, toml = files.rootpath, files.toml
    artifact = read_artifact_name(path, here)
    if artifact is None and path.endswith(".zip"):
        artifact = read_artifact_name(f"{ZIP}:{path}", here)
    if artifact is not None:
        return artifact_service(artifact, environ, name=path, root=here, toml=toml)
    return read_service(
        Path(path),
        environ,
        name=declared.itself.name if _absolute(path) == here else "",
        root=here,
        extras=tuple(options.extra),
        groups=tuple(options.group),
        toml=toml,
    )


def _absolute(path: str) -> Path:
    return Path(os.path.normpath(Path.cwd() / path))


def _first_folder(options: argparse.Namespace) -> Path:
    place = _absolute((options.path or ["."])[0])
    return place if place.is_dir() else place.parent


def _folder(path: str) -> Path | None:
    """The folder of a project or of its file; None for an artifact."""
    place = _absolute(path)
    if place.suffix == ".zip" or not place.exists():
        return None
    return place if place.is_dir() else place.parent


def _show(
    matrices: Sequence[WheelMatrix],
    targets: Sequence[Target],
    code: Sequence[CodeScan],
    form: str,
    *,
    every: bool,
) -> None:
    from ..report.code_output import code_json, code_markdown, print_code
    from ..report.matrix_output import document, markdown, print_table
    from ..report.python_choice import choices_markdown, print_choices, python_choices

    choices = python_choices(matrices, targets)
    if form == "json":
        found = document(matrices)
        if choices:
            found["pythons"] = [choice.to_json() for choice in choices]
        print(json.dumps({**found, "code": code_json(code)}, indent=2))  # noqa: T201
    elif form == "sarif":
        from ..report.sarif import sarif

        print(json.dumps(sarif(matrices, code), indent=2))  # noqa: T201
    elif form == "markdown":
        sys.stdout.write(f"{markdown(matrices)}{choices_markdown(choices)}{code_markdown(code)}\n")
    else:
        from ..report.console import console_on

        console = console_on()
        print_table(console, matrices, every=every)
        print_choices(console, choices)
        print_code(console, code)
