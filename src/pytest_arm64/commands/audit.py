"""``pytest-arm64 audit``: its arguments, and a start that waits for nothing twice."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument(
        "path",
        nargs="*",
        metavar="PATH",
        help="a requirement file, a lock, a pyproject.toml, a project's folder, or what is built "
        "already: zip:FILE, dir:FOLDER, image:REFERENCE "
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


def run_command(options: argparse.Namespace) -> int:
    """Audit and print; 0 ready, 1 not ready, 3 not evaluated completely.

    Raises:
        SettingsError: what is asked for cannot be used.
    """
    from ..audit.workers import in_background
    from ..environment.pipconfig import host_pip_config

    # pip tells its configuration while the audit is loaded; a lock seldom needs it.
    locked = bool(options.path) and all(map(_is_lock, options.path))
    config = host_pip_config if locked else in_background(host_pip_config).result
    from ..audit.command import run_command as run

    return run(options, config)


def _is_lock(path: str) -> bool:
    return path.endswith((".lock", "pylock.toml"))
