"""Tells code of the project from that of installed packages."""

from __future__ import annotations

import os
from functools import cache
from types import CodeType

_OURS = os.path.dirname(os.path.abspath(__file__)) + os.sep
_STANDARD = os.path.dirname(os.__file__) + os.sep
_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")


def code_of(function: object) -> CodeType | None:
    """The code of a Python function or method; None for any other callable."""
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    return code if isinstance(code, CodeType) else None


def is_of_project(function: object) -> bool:
    """Whether *function* is written in a file that no package has installed."""
    code = code_of(function)
    return code is not None and is_project_file(code.co_filename)


@cache
def is_project_file(path: str) -> bool:
    """Whether the module at *path* is one that no package has installed."""
    return (
        os.path.isabs(path)
        and not path.startswith((_OURS, _STANDARD))
        and not any(folder in path for folder in _INSTALLED)
    )


def is_standard_file(path: str) -> bool:
    """Whether the module at *path* belongs to the standard library."""
    return path.startswith(_STANDARD) and not any(folder in path for folder in _INSTALLED)
