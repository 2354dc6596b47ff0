"""``pytest-arm64 trust``: allows what the files of a repository cannot decide by themselves."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from ..config.trust import Widening, allowed_by, read_widenings, revoke, trust


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.description = (
        "Allow the settings of this project's files that need it: variables of the host, networks, "
        "images, targets, and files outside of the repository. A change of one needs it again."
    )
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--show", action="store_true", help="list them; allow nothing")
    action.add_argument("--revoke", action="store_true", help="forget what was allowed")


def run_command(options: argparse.Namespace) -> int:
    """Show or record what the project in the current folder asks for.

    Returns:
        0, or 1 where ``--show`` lists what nobody has allowed.

    Raises:
        SettingsError: the files cannot be read, or the record would lie in the repository.
    """
    files, entries = read_widenings(Path.cwd())
    if options.revoke:
        _say("Forgotten." if revoke(files) else "Nothing was allowed here.")
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
