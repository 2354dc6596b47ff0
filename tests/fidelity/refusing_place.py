"""A plugin: no place is ever opened, for runs that must end before; named by ``-p``."""

from __future__ import annotations

import pytest


@pytest.hookimpl(optionalhook=True)
def pytest_arm64_place() -> object:
    """Called on the host where something would be built."""
    raise AssertionError("something would have been built")
