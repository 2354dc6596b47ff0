"""``pytest-arm64 setup``: mends what this user may mend; ``--init`` proposes a configuration."""

from __future__ import annotations

import argparse
import sys
from itertools import groupby
from pathlib import Path

from ..inside.counted import counted

DESCRIPTION = """\
Fix what `pytest-arm64 doctor` reports, as far as this user may: start Podman's socket,
register the emulator, pull the image. With --init, propose a configuration instead.
"""
EPILOG = """\
examples:
  pytest-arm64 setup
  pytest-arm64 setup --init
  pytest-arm64 setup --init --write

exit codes:
  0  nothing is left to do
  1  something needs root, or a person
  2  pyproject.toml or the engine cannot be used
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument(
        "--init",
        action="store_true",
        help="propose services for [tool.pytest-arm64] from the files of this repository, and list "
        "x86-specific settings",
    )
    parser.add_argument(
        "--write",
        action="store_true",
        help="with --init: write the proposed change to pyproject.toml",
    )


def run_command(options: argparse.Namespace) -> int:
    """Mend and tell; 1 if something is left that needs somebody else.

    Raises:
        SettingsError: ``pyproject.toml`` cannot be read, or not be changed.
    """
    if options.init or options.write:
        return propose(Path.cwd(), write=options.write)
    from ..report.checks import show_actions
    from ..report.progress import TerminalProgress
    from ..setup.doctor import settings_here
    from ..setup.mend import LEFT, mend

    actions = list(mend(settings_here(Path.cwd()), TerminalProgress(sys.stdout)))
    show_actions(actions, sys.stdout)
    return int(any(action.state == LEFT for action in actions))


def propose(root: Path, *, write: bool) -> int:
    """Show what *root*'s files suggest, and make the change where *write* says so; 0.

    Raises:
        SettingsError: ``pyproject.toml`` cannot be read, or not be changed.
    """
    from ..setup.proposed_services import musl_images, proposed_services
    from ..setup.pyproject_change import NAME, change_of
    from ..setup.x86_pins import x86_pins

    services = proposed_services(root)
    pins = x86_pins(root)
    change = change_of(root, services)
    if not services:
        _say("No separate services found; this folder is treated as one service.")
    for service in services:
        where = "" if service.found == service.requirements else f" (from {service.found})"
        _say(f"{service.name}: {service.requirements}{where}")
    for note in musl_images(root):
        _say(f"note: {note}")
    if pins:
        _say(f"\n{counted(len(pins), 'x86-specific setting')} found:")
    for _, group in groupby(pins, lambda pin: (pin.path, pin.kind)):
        first, *others = group
        more = f" (and {len(others)} more of that kind in this file)" if others else ""
        _say(f"  {first}{more}")
        _say(f"    → {first.remedy}")
    if not change.diff:
        _say(f"\n{NAME} needs no change.")
        return 0
    _say("")
    for line in change.diff.splitlines():
        _say(line)
    if write:
        change.write()
        _say(f"\nwrote {change.path}")
    else:
        _say("\nNothing was written. To write this change: pytest-arm64 setup --init --write")
    return 0


def _say(line: str) -> None:
    from ..report.matrix_output import printable

    for part in line.split("\n"):
        sys.stdout.write(printable(part) + "\n")
