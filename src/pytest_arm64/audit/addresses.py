"""Addresses of files: as paths of this machine, and as they may be shown."""

from __future__ import annotations

import urllib.parse
from pathlib import Path

from ..environment.pipconfig import strip_credentials


def file_path(url: str) -> Path:
    """The path that a ``file://`` address names."""
    return Path(urllib.parse.unquote(urllib.parse.urlsplit(url).path))


def shown(url: str) -> str:
    """*url* as it may be shown: no credentials, no query."""
    return strip_credentials(url).partition("?")[0].partition("#")[0]
