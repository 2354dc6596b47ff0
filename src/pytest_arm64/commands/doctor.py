"""``pytest-arm64 doctor``: shows what a run needs and whether it is there."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

DESCRIPTION = """\
Check what `pytest --arm64` needs: an engine, ARM64 execution, an image, Python, disk
space and clocks. A failed check comes with the command that fixes it.
"""
EPILOG = """\
examples:
  pytest-arm64 doctor
  pytest-arm64 doctor --format json

exit codes:
  0  tests can run (a warning does not fail)
  1  a check failed
  2  the settings of this project cannot be used
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument(
        "--format", choices=("table", "json"), default="table", help="output (default: table)"
    )


def run_command(options: argparse.Namespace) -> int:
    """Check and print; 1 if a check failed."""
    from ..setup.doctor import FAILED, examine, settings_here

    checks = list(examine(settings_here(Path.cwd())))
    failed = any(check.state == FAILED for check in checks)
    if options.format == "json":
        document = {"format": 1, "usable": not failed, "checks": [asdict(c) for c in checks]}
        print(json.dumps(document, indent=2))  # noqa: T201
    else:
        from ..report.checks import show_checks

        show_checks(checks, sys.stdout)
    return int(failed)
