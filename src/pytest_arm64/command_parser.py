"""The parser of ``pytest-arm64``: a refusal names the nearest valid word and the next command."""

from __future__ import annotations

import argparse
import re
import sys
import textwrap
from collections.abc import Iterable
from typing import Any, NoReturn

from .config.suggestions import suggestion
from .report.console import AUTO, COLORS


class HelpText(argparse.RawDescriptionHelpFormatter):
    """Fills sentences to the width of the terminal, and leaves lists of examples as they are."""

    # Not public: argparse names formatters to choose from, and none of them does both.
    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if text.startswith("examples:"):
            return super()._fill_text(text, width, indent)
        return textwrap.fill(" ".join(text.split()), width, initial_indent=indent)


class CommandParser(argparse.ArgumentParser):
    """Understands options only as they are spelled: an abbreviation may mean another one later."""

    # *settings* are those of the base class, which has too many.
    def __init__(self, *, takes_color: bool = True, **settings: Any) -> None:
        super().__init__(**settings, allow_abbrev=False)
        if takes_color:  # no default: an action would put it in the place of its command's value
            self.add_argument(
                "--color",
                choices=COLORS,
                default=argparse.SUPPRESS,
                help=f"use colours (default: {AUTO}, by terminal, NO_COLOR and FORCE_COLOR)",
            )

    def error(self, message: str) -> NoReturn:
        """Print the usage, *message* and the command that explains more; exit with 2."""
        self.print_usage(sys.stderr)
        self.exit(2, f"{self.prog}: error: {message}\n  next step: {self.prog} --help\n")

    def parse_known_args(  # type: ignore[override]  # the base class has three overloads of it
        self, args: Iterable[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Refuse what this command does not know: argparse would, in the name of the first."""
        parsed, unknown = super().parse_known_args(
            None if args is None else list(args), namespace or argparse.Namespace()
        )
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}{self._nearest(unknown)}")
        return parsed, unknown

    def _nearest(self, unknown: Iterable[str]) -> str:
        options = re.findall(r"--[\w-]+", self.format_usage())
        words = (word.partition("=")[0] for word in unknown if word.startswith("-"))
        return next(filter(None, (suggestion(word, options) for word in words)), "")

    # Not public: without it a refusal lists the choices, and does not name the nearest one.
    def _check_value(self, action: argparse.Action, value: object) -> None:
        try:
            super()._check_value(action, value)
        except argparse.ArgumentError as error:
            near = suggestion(str(value), map(str, action.choices or ()))
            raise argparse.ArgumentError(action, f"{error.message}{near}") from None
