"""``pytest-arm64 run``: ``pytest --arm64`` for a repository that is not trusted."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..config.project_files import repository_root
from ..isolation import Fence, keep_out

DESCRIPTION = """\
Run `pytest --arm64` and import nothing of the repository on the host: not even plugins
that its files name with -p, or modules on its pythonpath. All arguments are pytest's.
"""
EPILOG = """\
examples:
  pytest-arm64 run
  pytest-arm64 run -k greeting tests/test_orders.py

exit codes:
  those of pytest: 0 all passed, 1 a test failed, 2 interrupted,
  3 internal error, 4 usage error, 5 no test was collected
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command: all of them are pytest's."""
    parser.usage = "pytest-arm64 run [PYTEST ARGUMENTS]"
    parser.prefix_chars = "\0"  # no word is an option of this command
    parser.add_argument("arguments", nargs="*", metavar="PYTEST ARGUMENTS")


def run_command(options: argparse.Namespace) -> int:
    """Run; pytest's exit code."""
    # pytest applies the repository's configuration before it loads an installed plugin.
    for root in sorted(_roots(options.arguments)):
        keep_out(Fence.around(root))
    import pytest

    return int(pytest.main(["--arm64", *options.arguments]))


def _roots(words: Sequence[str]) -> Iterable[Path]:
    """The repositories of the working directory and of all paths among *words*."""
    here = Path.cwd()
    named = {here / word.partition("::")[0] for word in words if not word.startswith("-")}
    named |= {here / word.partition("=")[2] for word in words if word.startswith("-")}
    named |= {here / word[2:] for word in words if word.startswith("-")}  # -cFILE
    places = {path if path.is_dir() else path.parent for path in named if path.exists()}
    return {repository_root(place) for place in {here, *places}}
