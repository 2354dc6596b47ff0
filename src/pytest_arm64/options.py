"""Adds our options to pytest's command line."""

from __future__ import annotations

import argparse
from collections.abc import Callable

import pytest

from .inside.options import OPTIONS, Kind, OwnOption


def add_options(parser: pytest.Parser) -> None:
    """Add the group ``arm64``."""
    group = parser.getgroup("arm64", "running on ARM64 (Graviton)")
    for option in OPTIONS:
        if option.kind is Kind.FLAG:
            group.addoption(option.name, action="store_true", help=option.help)
        elif option.kind is Kind.CHOICE:
            group.addoption(option.name, choices=option.choices, help=option.help)
        elif option.kind is Kind.LIST:
            group.addoption(
                option.name,
                action="append",
                default=[],
                metavar=option.metavar,
                help=option.help,
            )
        else:
            group.addoption(
                option.name, type=_checked(option), metavar=option.metavar, help=option.help
            )


def _checked(option: OwnOption) -> Callable[[str], str]:
    """What argparse calls with a value of *option*: it stays as it was typed."""

    def text(value: str) -> str:
        if option.check is not None:
            try:
                option.check(value)
            except ValueError as error:
                raise argparse.ArgumentTypeError(str(error)) from None
        return value

    return text
