"""What the settings say of a service's function, for the fixture that calls it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict

RECORD = "function"
"""Its key among the records of a session."""
DEFAULT_TIMEOUT = 3.0
"""Seconds that a function has for which nothing is configured (AWS, "Configure Lambda function
timeout", read 2026-11-30)."""


class FunctionRecord(TypedDict):
    """One function."""

    handler: str
    """``module.function``; empty where nothing is configured."""
    root: str
    """The folder of its code: working folder, and first on its path."""
    timeout: float
    """Seconds that one call may take."""
    defaults: Mapping[str, str]
    """Variables that Lambda sets, where those of the test have no other value."""
    environment: Mapping[str, str]
    """Variables that this function alone has."""
    hidden: Sequence[str]
    """Folders whose packages the function does not see: those of the tests."""
