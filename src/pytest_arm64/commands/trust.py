"""``pytest-arm64 trust``: allows what the files of a repository cannot decide by themselves."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from ..config.trust import Widening, allowed_by, read_widenings, revoke, trust

DESCRIPTION = """\
Allow the settings in files of this repository that widen access: variables of the host,
networks, images, targets, and files outside the repository. A change of one of them has to
be allowed again.
"""
EPILOG = """\
examples:
  pytest-arm64 trust --show
  pytest-arm64 trust

exit codes:
  0  done; with --show: nothing needs trust, or all of it is allowed
  1  --show lists settings that are not allowed
  2  the files cannot be read
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    action = parser.add_mutually_exclusive_group()
    action.add_argument(
        "--show", action="store_true", help="list these settings, and allow nothing"
    )
    action.add_argument("--revoke", action="store_true", help="withdraw what was allowed")


def run_command(options: argparse.Namespace) -> int:
    """Show or record what the project in the current folder asks for.

    Returns:
        0, or 1 where ``--show`` lists what nobody has allowed.

    Raises:
        SettingsError: the files cannot be read, or the record would lie in the repository.
    """
    files, entries = read_widenings(Path.cwd())
    if options.revoke:
        _say("Withdrawn." if revoke(files) else "Nothing was allowed here.")
        return 0
    if not entries:
        _say("Nothing in the files of this project needs trust.")
        return 0
    _list(entries)
    if options.show:
        who = allowed_by(files, entries, os.environ)
        _say(f"Allowed by {who}." if who else "Not allowed: pytest-arm64 trust allows it.")
        return int(not who)
    trust(files, entries)
    _say(f"Allowed for {files.rootpath}, until one of these settings changes.")
    return 0


def _list(entries: tuple[Widening, ...]) -> None:
    for entry in entries:
        _say(f"  {entry}")


def _say(line: str) -> None:
    from ..report.matrix_output import printable

    sys.stdout.write(printable(line) + "\n")
