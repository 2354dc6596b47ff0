"""TOML reading on every supported Python."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TOMLDecodeError = tomllib.TOMLDecodeError
Table = Mapping[str, Any]
"""A table of a TOML document: whoever reads a value from it checks its type."""


class UnreadableTomlError(TOMLDecodeError):
    """TOML that the parser gives up on."""

    def __init__(self, reason: str) -> None:
        # The parser's own class wants a position since Python 3.14, and warns without one.
        ValueError.__init__(self, reason)


def loads(text: str) -> dict[str, Any]:
    """The tables of *text*.

    Raises:
        TOMLDecodeError: it is not TOML, or nested too deeply to be read.
    """
    try:
        tables: dict[str, Any] = tomllib.loads(text)
    except RecursionError:
        raise UnreadableTomlError("nested too deeply") from None
    except TOMLDecodeError:
        raise
    except ValueError:  # by `int`, for security
        raise UnreadableTomlError("a number has too many digits") from None
    return tables
