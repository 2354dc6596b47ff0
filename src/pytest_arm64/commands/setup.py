"""``pytest-arm64 setup``: mends what this user may mend."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command has none."""


def run_command(options: argparse.Namespace) -> int:  # noqa: ARG001
    """Mend and tell; 1 if something is left that needs somebody else."""
    from ..doctor import settings_here
    from ..mend import LEFT, mend
    from ..report.checks import show_actions
    from ..report.progress import TerminalProgress

    actions = list(mend(settings_here(Path.cwd()), TerminalProgress(sys.stdout)))
    show_actions(actions, sys.stdout)
    return int(any(action.state == LEFT for action in actions))
