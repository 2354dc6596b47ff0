"""The command ``pytest-arm64``, for what needs no test session."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from . import __version__
from .errors import Arm64Error

_EPILOG = """\
examples:
  pytest-arm64 doctor                 check engine, emulation, image and Python
  pytest-arm64 doctor --format json   the same for a script
  pytest-arm64 setup                  mend what this user may mend
  pytest-arm64 audit                  which dependencies have an ARM64 wheel?
  pytest-arm64 audit services/api --target lambda-python3.12,lambda-python3.13
  pytest-arm64 abi dist/*.whl         will its compiled files load there?
  pytest-arm64 report out             render out/report.json as a page and as Markdown
  pytest-arm64 cost x86.json arm.json --memory 512MB
                                      what the measured calls cost on Lambda
  pytest --arm64                      run the tests of this project on ARM64
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 if all is well, 1 if a check failed, 2 if it could not be asked.

    ``audit`` and ``abi`` also know 3: it could not be evaluated completely.
    """
    parser = argparse.ArgumentParser(
        prog="pytest-arm64",
        description="Which parts of my system already run correctly on ARM64?",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"pytest-arm64 {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    doctor = commands.add_parser("doctor", help="check what `pytest --arm64` needs on this machine")
    doctor.add_argument("--format", choices=("table", "json"), default="table")
    commands.add_parser("setup", help="mend what can be mended, and say what needs root")
    _add_audit(commands.add_parser("audit", help="the wheel matrix of a dependency tree"))
    from .binary import command as abi
    from .cost import command as cost

    abi.add_arguments(commands.add_parser("abi", help="whether compiled files load on a target"))
    cost.add_arguments(commands.add_parser("cost", help="what measured calls cost, and why"))
    _add_report(commands.add_parser("report", help="show, compare and merge reports of runs"))
    options = parser.parse_args(arguments)
    try:
        if options.command == "abi":
            return abi.run_command(options)
        if options.command == "cost":
            return cost.run_command(options)
        if options.command == "audit":
            from .audit.command import run_command

            return run_command(options)
        if options.command == "report":
            from .report.command import run_command as run_report

            return run_report(options)
        return _doctor(options.format) if options.command == "doctor" else _setup()
    except Arm64Error as error:
        print(f"pytest-arm64: {error}", file=sys.stderr)  # noqa: T201
        return 2


def _add_audit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "path",
        nargs="*",
        metavar="PATH",
        help="a requirement file, a lock, a pyproject.toml, or a project's folder "
        "(default: the services that are configured here, else the project here)",
    )
    parser.add_argument("--target", default="", metavar="A[,B…]", help="what it is deployed to")
    parser.add_argument("--format", choices=("table", "json", "markdown", "sarif"), default="table")
    parser.add_argument("--all", action="store_true", help="show green rows in the table too")
    parser.add_argument(
        "--extra", action="append", default=[], metavar="NAME", help="with this extra of it"
    )
    parser.add_argument(
        "--group", action="append", default=[], metavar="NAME", help="with this dependency group"
    )
    parser.add_argument(
        "--fix",
        action="store_true",
        help="move pins in requirement files to releases with a wheel, and show the difference",
    )
    parser.add_argument(
        "--write-baseline",
        action="store_true",
        help="keep the findings in arm64-baseline.json, so that only worse ones fail a run",
    )
    parser.add_argument(
        "--report",
        default="",
        metavar="DIR",
        help="write report.json into this folder: what the audit alone predicts of each service",
    )
    parser.add_argument("--offline", action="store_true", help="use kept index pages only")
    parser.add_argument("--refresh", action="store_true", help="ask the indexes anew")
    parser.add_argument(
        "--time-limit", type=float, default=300.0, metavar="SECONDS", help="for everything"
    )


def _add_report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "what",
        nargs="*",
        metavar="REPORT",
        help="a folder that --arm64-report named; or: diff A B; or: merge A B… --output DIR",
    )
    parser.add_argument(
        "--format",
        choices=("files", "html", "markdown", "decisions"),
        default="files",
        help="write report.html and report.md (default), or print one; decisions: the boundaries",
    )
    parser.add_argument("--output", default="", metavar="DIR", help="where to write")
    parser.add_argument(
        "--check",
        action="store_true",
        help="exit 1 if a service is neither compatible nor behind a sound boundary",
    )


def _doctor(form: str) -> int:
    from .doctor import FAILED, examine, settings_here

    checks = list(examine(settings_here(Path.cwd())))
    failed = any(check.state == FAILED for check in checks)
    if form == "json":
        document = {"format": 1, "usable": not failed, "checks": [asdict(c) for c in checks]}
        print(json.dumps(document, indent=2))  # noqa: T201
    else:
        from .report.checks import show_checks

        show_checks(checks, sys.stdout)
    return int(failed)


def _setup() -> int:
    from .doctor import settings_here
    from .mend import LEFT, mend
    from .report.checks import show_actions
    from .report.progress import TerminalProgress

    actions = list(mend(settings_here(Path.cwd()), TerminalProgress(sys.stdout)))
    show_actions(actions, sys.stdout)
    return int(any(action.state == LEFT for action in actions))


if __name__ == "__main__":
    sys.exit(main())
