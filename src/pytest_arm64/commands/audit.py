"""The command ``pytest-arm64 audit``: what a dependency tree looks like on ARM64."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..config.quantities import above_zero, at_least_zero
from ..contents.packager_view import PACKAGERS
from ..errors import EmptyListError, NothingToReadError, SettingsError
from ..progress import NoProgress

# What resolves is loaded while pip tells its configuration in another process.
if TYPE_CHECKING:
    from ..audit.auditor import Auditor
    from ..audit.fixes import Fixed
    from ..audit.matrix import WheelMatrix
    from ..config.project_files import ProjectFiles
    from ..config.services import Services
    from ..config.targets import Target
    from ..decide.drift import Drift
    from ..index.pip_config import PipConfig
    from ..inputs.named import Naming
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
  pytest-arm64 audit --against main.lock
  pytest-arm64 audit --packager sam --packager uv --target lambda-zip-python3.12
  pytest-arm64 audit --explain refuses-arm

exit codes:
  0  ready: every package has a usable wheel
  1  not ready: a package has to be built from source, or blocks, or a packager
     does not pack what the target needs
  2  a path, target or setting cannot be used
  3  incomplete: something could not be determined

  With --against: 0 nothing became worse; 1 a package lost its wheel or began to
  be compiled, or all became too large for the target; 3 something could be
  evaluated before and cannot now.
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
    parser.add_argument("--dry-run", action="store_true", help="show what --fix would change")
    parser.add_argument(
        "--packager",
        action="append",
        default=[],
        choices=PACKAGERS,
        metavar="TOOL",
        help="say what TOOL would put into a zip on an x86_64 host, and where that differs from "
        f"what the target needs: {', '.join(PACKAGERS)}; repeat the option for several",
    )
    parser.add_argument(
        "--against",
        default="",
        metavar="FILE",
        help="compare with an earlier lock or requirement file, and fail only for what became "
        "worse: git show main:uv.lock > main.lock; pytest-arm64 audit --against main.lock",
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
    from ..config.target_choice import chosen_targets, target_of_all
    from ..config.trust import refuse_untrusted
    from ..inputs.named import Naming, named_services, with_targets

    if options.offline and options.refresh:
        raise SettingsError(
            "--offline and --refresh exclude each other", next_step="leave one of them out"
        )
    if options.packager and options.against:
        raise SettingsError(
            "--packager and --against exclude each other",
            why="--against shows what became worse and nothing else",
            next_step="leave one of them out",
        )
    files = read_project_files(Path.cwd())
    declared = services_at(files)
    refuse_untrusted(files, declared, environ, only=("artifact",))
    _refuse_unwritable(options, files, declared)
    naming = Naming(
        *(files, declared, environ),
        *map(tuple, (options.path, options.extra, options.group)),
    )
    named = named_services(naming)
    targets = chosen_targets(options.target, files.at(naming.first_folder), environ)
    chosen = bool(target_of_all(",".join(options.target), environ))
    asked = with_targets(named, naming, targets, chosen=chosen)
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
        matrices = list(audit(asked, auditor))
        if options.packager:
            from ..decide.packagers import packaged

            matrices = packaged(options.packager, asked, matrices, auditor)
        fixed = _fixed(options, asked, matrices, auditor, files.rootpath)
        drifts = _drifts(options.against, asked, matrices, auditor, naming)
    code = _scanned(named.folders, files.rootpath)
    # Where services have targets of their own, nothing is compared between those.
    compared = targets if {target.name for _, target in asked} == {t.name for t in targets} else ()
    _show(matrices, drifts, compared, code, options.format, every=options.all)
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
    for error in named.unread:
        sys.stderr.write(f"pytest-arm64: not audited: {error}\n")
    # A folder without a manifest is none that was asked for, unless it is configured.
    stray = NothingToReadError if options.path else EmptyListError
    grave = [error for error in named.unread if not isinstance(error, stray)]
    codes = [judged.exit_code for judged in drifts or matrices]
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
    options: argparse.Namespace,
    asked: Sequence[tuple[Service, Target]],
    matrices: Sequence[WheelMatrix],
    auditor: Auditor,
    root: Path,
) -> Fixed | None:
    if not (options.fix or options.dry_run):
        return None
    from ..audit.fixes import Audited, fix

    audited = [
        Audited(service, target, matrix)
        for (service, target), matrix in zip(asked, matrices, strict=True)
    ]
    return fix(audited, auditor, root, write=not options.dry_run)


def _drifts(
    against: str,
    asked: Sequence[tuple[Service, Target]],
    matrices: Sequence[WheelMatrix],
    auditor: Auditor,
    naming: Naming,
) -> Sequence[Drift]:
    """What is worse than in the file *against*, on each target; empty where none is named.

    Raises:
        SettingsError: it cannot be compared with what is audited.
    """
    from datetime import date

    from ..audit.auditor import audit
    from ..decide.allowances import read_allowances
    from ..decide.drift import drift
    from ..inputs.named import earlier_service

    if not against:
        return ()
    names = {service.name for service, _ in asked}
    if len(names) > 1:
        raise SettingsError(
            f"--against {against} compares one project, and {len(names)} are audited",
            next_step="name the one whose file it is: pytest-arm64 audit PATH --against FILE",
        )
    service = asked[0][0]
    allowances = read_allowances(naming.files.table, naming.declared)
    allowed = {
        allowance.package
        for allowance in allowances
        if allowance.covers(service.name, allowance.package) and not allowance.expired(date.today())
    }
    earlier = earlier_service(against, service, naming)
    before = audit([(earlier, target) for _, target in asked], auditor)
    return [drift(old, new, against, allowed) for old, new in zip(before, matrices, strict=True)]


def _progress() -> Progress:
    """On a terminal only: the output of the command is often read by programs."""
    if not sys.stderr.isatty():
        return NoProgress()
    from ..report.progress import TerminalProgress

    return TerminalProgress(sys.stderr)


def _scanned(folders: Mapping[str, Path], root: Path) -> Sequence[CodeScan]:
    """What the code in each folder assumes; services that share one are named together."""
    from ..sources.scan import scan

    names: dict[Path, list[str]] = {}
    for name, folder in folders.items():
        names.setdefault(folder, []).append(name)
    return [scan(", ".join(names[folder]), folder, root, names) for folder in names]


def _show(
    matrices: Sequence[WheelMatrix],
    drifts: Sequence[Drift],
    targets: Sequence[Target],
    code: Sequence[CodeScan],
    form: str,
    *,
    every: bool,
) -> None:
    from ..report.code_output import code_json, code_markdown, print_code
    from ..report.drift_output import drifts_json, drifts_markdown, print_drifts
    from ..report.matrix_output import document, markdown, print_table
    from ..report.python_choice import choices_markdown, print_choices, python_choices

    choices = python_choices(matrices, targets)
    if form == "json":
        found = document(matrices)
        if choices:
            found["pythons"] = [choice.to_json() for choice in choices]
        if drifts:
            found["drift"] = drifts_json(drifts)
        print(json.dumps({**found, "code": code_json(code)}, indent=2))  # noqa: T201
    elif form == "sarif":
        from ..report.sarif import sarif

        print(json.dumps(sarif(matrices, code, drifts), indent=2))  # noqa: T201
    elif form == "markdown" and drifts:
        sys.stdout.write(drifts_markdown(drifts))
    elif form == "markdown":
        sys.stdout.write(f"{markdown(matrices)}{choices_markdown(choices)}{code_markdown(code)}\n")
    else:
        from ..report.console import console_on

        console = console_on()
        if drifts:
            print_drifts(console, drifts)
            return
        print_table(console, matrices, every=every)
        print_choices(console, choices)
        print_code(console, code)
