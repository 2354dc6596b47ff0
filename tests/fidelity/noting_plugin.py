"""A plugin for ``-p`` whose options name files, as those of reporting plugins do."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("noting")
    group.addoption("--note-file", default="")
    group.addoption("--note-report", action="append", default=[], metavar="KIND:DIR")
