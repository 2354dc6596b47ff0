"""The command ``pytest-arm64``, for what needs no test session."""

from __future__ import annotations

import argparse
import importlib
import io
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from . import __version__
from .command_parser import CommandParser, HelpText
from .errors import Arm64Error
from .inside.errors import shown
from .isolation import Fence, keep_out
from .mirror.signals import TERMINATED, Terminated, raise_terminated
from .report.console import AUTO, coloured

_EPILOG = """\
examples:
  pytest-arm64 audit                  which dependencies have an ARM64 wheel?
                                      (needs no engine)
  pytest-arm64 doctor                 can tests run here?
  pytest --arm64 --arm64-report out   run the tests of this project on ARM64
  pytest-arm64 report out             render the report as a page and as Markdown

exit codes:
  0 done, 1 a check failed, 2 usage error, 3 incomplete (audit, abi),
  130 interrupted

Each command explains itself: pytest-arm64 COMMAND --help.
Colours follow --color, NO_COLOR and FORCE_COLOR.
"""


# Each module has DESCRIPTION, EPILOG, ``add_arguments(parser)`` and ``run_command(options)``, the
# exit code.
COMMANDS = {
    "doctor": ("check what `pytest --arm64` needs on this machine", "commands.doctor"),
    "setup": ("fix what this user may fix, and list what needs root", "commands.setup"),
    "audit": ("show which dependencies have an ARM64 wheel", "commands.audit"),
    "advisories": ("list what is known to be wrong on ARM64", "commands.advisories"),
    "abi": ("check that compiled files load on a target", "commands.abi"),
    "target": ("show the facts of a target, or read them from an image", "commands.target"),
    "golden": ("list or prune values recorded next to the tests", "commands.golden"),
    "cost": ("calculate what measured calls cost", "commands.cost"),
    "profile": ("show hot spots side by side", "commands.profile"),
    "report": ("show, compare and merge reports of runs", "commands.report"),
    "trust": ("allow settings of this repository that widen access", "commands.trust"),
    "run": ("run pytest --arm64 for a repository that you do not trust", "commands.run"),
    "cache": ("show, prune, export or import the cache", "commands.cache"),
}


_PYTESTS = "run"
"""The command whose arguments are all pytest's."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 if all is well, 1 if a check failed, 2 if it could not be asked.

    ``audit`` and ``abi`` also know 3: it could not be evaluated completely. As for a shell, 130
    is Ctrl-C, 143 SIGTERM, and 141 a reader that has seen enough.
    """
    _write_whatever_the_encoding()
    try:
        if arguments is None:  # the process is this command's alone
            keep_out(Fence.around(Path.cwd()))
            raise_terminated()
        code = _run(sys.argv[1:] if arguments is None else arguments)
        sys.stdout.flush()
    except Arm64Error as error:
        return _failed(str(error))
    except BrokenPipeError:  # whoever reads, as head does, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except Terminated:
        _failed("terminated by SIGTERM")
        return TERMINATED
    except KeyboardInterrupt:
        _failed("interrupted")
        return 128 + signal.SIGINT
    except OSError as error:
        return _failed(": ".join(filter(None, [error.strerror or str(error), error.filename])))
    return code


def _run(words: Sequence[str]) -> int:
    completing = "_ARGCOMPLETE" in os.environ and not words
    if completing:  # the shell has typed nothing for us: the line so far is in a variable
        words = os.environ.get("COMP_LINE", "").split()[1:]
    parser = CommandParser(
        takes_color=False,
        prog="pytest-arm64",
        description="Which parts of my system already run correctly on ARM64?",
        epilog=_EPILOG,
        formatter_class=HelpText,
    )
    parser.add_argument("--version", action="version", version=f"pytest-arm64 {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    chosen = next((word for word in words if not word.startswith("-")), "")
    if words and words[0] == chosen and chosen not in COMMANDS and not completing:
        from .config.suggestions import suggestion

        known = ", ".join(COMMANDS)
        hint = suggestion(chosen, COMMANDS)
        parser.error(f"unknown command {chosen!r}{hint}; choose one of {known}")
    if words and words[0].startswith("-") and chosen and not completing:
        parser.error(f"unknown option {words[0]!r}: options follow the command")
    for name, (summary, module) in COMMANDS.items():
        command = commands.add_parser(name, help=summary, takes_color=name != _PYTESTS)
        if name == chosen:  # what only one command needs is loaded for that one
            implementation = importlib.import_module(f"{__package__}.{module}")
            command.description = implementation.DESCRIPTION
            command.epilog = implementation.EPILOG
            command.formatter_class = HelpText
            implementation.add_arguments(command)
            if (
                words[1:2] in (["-h"], ["--help"]) and not completing
            ):  # `run` leaves all options to pytest
                command.print_help()
                return 0
    if completing:
        return _complete(parser)
    options = parser.parse_args(words)
    with coloured(getattr(options, "color", AUTO)):
        return int(implementation.run_command(options))


def _complete(parser: argparse.ArgumentParser) -> int:
    """Give the shell the words that may come next; it ends the process where that works."""
    with suppress(ImportError):  # the shell's part of it may be installed elsewhere
        import argcomplete

        argcomplete.autocomplete(parser)
    return 1


def _write_whatever_the_encoding() -> None:
    """What a terminal's encoding does not have is escaped, instead of ending the command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _failed(text: str) -> int:
    print(f"pytest-arm64: {shown(text)}", file=sys.stderr)  # noqa: T201 - the command's own output
    return 2


if __name__ == "__main__":
    sys.exit(main())
