"""Which client of the Runtime API calls functions here: AWS's where it is installed, else ours."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from importlib.machinery import PathFinder
from pathlib import Path
from typing import NamedTuple

OWN = "pytest-arm64"
_AWS = "awslambdaric"
_NATIVE = "runtime_client"
"""The compiled half of AWS's, without which it does not work."""
_RUNTIME_FOLDER = "/var/runtime"
"""Where Lambda's own images have it."""


class RuntimeClient(NamedTuple):
    """A client of the Runtime API."""

    name: str
    """As a result has it: with the version, where it is AWS's."""
    folder: str = ""
    """Where AWS's is installed; empty for our own."""


def client_here(path: Sequence[str] | None = None) -> RuntimeClient:
    """The client for functions of this interpreter, looked for on *path*; nothing is imported."""
    folders = [*(sys.path if path is None else path), _RUNTIME_FOLDER]
    spec = PathFinder.find_spec(_AWS, folders)
    if spec is None or spec.origin is None:
        return RuntimeClient(OWN)
    folder = os.path.dirname(os.path.dirname(spec.origin))
    if PathFinder.find_spec(_NATIVE, [folder]) is None:
        return RuntimeClient(OWN)
    version = re.search(r"__version__ = \"([\w.]+)\"", Path(spec.origin).read_text("utf-8"))
    return RuntimeClient(f"{_AWS} {version[1]}" if version else _AWS, folder)
