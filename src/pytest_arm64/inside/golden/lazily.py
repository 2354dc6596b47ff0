"""Libraries of the values at hand: never imported for their own sake."""

from __future__ import annotations

import importlib
import sys
from typing import Any


def numpy() -> Any:
    """NumPy.

    Raises:
        ImportError: it is not installed.
    """
    return importlib.import_module("numpy")


def loaded(name: str) -> Any:
    """The module, if anybody has imported it: no value of its types exists otherwise."""
    return sys.modules.get(name)
