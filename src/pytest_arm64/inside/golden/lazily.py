"""Libraries of the values at hand: never imported for their own sake."""

from __future__ import annotations

import importlib
import sys
from typing import Any

Array = Any
"""An array, or a dtype, of NumPy, which is never imported for the sake of a type."""
Value = Any
"""What a test hands over: of any type, looked at by what it has."""
Library = Any
"""A module of the user's, with whatever it has."""


def numpy() -> Library:
    """NumPy.

    Raises:
        ImportError: it is not installed.
    """
    return importlib.import_module("numpy")


def loaded(name: str) -> Library:
    """The module, if anybody has imported it: no value of its types exists otherwise."""
    return sys.modules.get(name)
