"""Addresses: as paths of this machine, as pip spells them, and as they may be shown."""

from __future__ import annotations

import re
import urllib.parse
from pathlib import Path, PurePosixPath

from .pip_config import strip_credentials

_ADDRESS = re.compile(r"""\b[a-z][a-z0-9+.-]{0,20}://[^\s"'<>]+""", re.IGNORECASE)
_REST = re.compile(r"://[^\n]*")


def file_path(url: str) -> Path:
    """The path that a ``file://`` address names."""
    return Path(urllib.parse.unquote(urllib.parse.urlsplit(url).path))


def subdirectory_of(url: str) -> str:
    """The folder within an archive or a repository that *url* names; empty for its top.

    One that leads out of it counts as none.
    """
    folder = urllib.parse.parse_qs(urllib.parse.urlsplit(url).fragment).get("subdirectory", [""])[0]
    path = PurePosixPath(folder)
    return "" if path.is_absolute() or ".." in path.parts or not path.parts else str(path)


def shown(url: str) -> str:
    """*url* as it may be shown: no credentials, no query."""
    return strip_credentials(url).partition("?")[0].partition("#")[0]


def public(place: str) -> str:
    """*place*, a path or an address, as it may be written: without user, password and query.

    The fragment stays where it names a folder of a repository or an archive.
    """
    if "://" not in place:
        return place
    address, mark, fragment = strip_credentials(place).partition("#")
    kept = mark + fragment if fragment.startswith("subdirectory=") else ""
    return address.partition("?")[0] + kept.partition("&")[0]


def scrubbed(text: str) -> str:
    """What a program said, each address in it without user, password, query and fragment."""
    return _ADDRESS.sub(lambda match: shown(match[0]), text)


def masked(text: str) -> str:
    """*text* that cannot be read, such as a broken line, without what may be a password in it."""
    return _REST.sub("://…", text)


def git_address(url: str, revision: str, subdirectory: str) -> str:
    """A place in a repository as pip spells it: ``git+URL@revision#subdirectory=folder``."""
    address = url if url.startswith("git+") else f"git+{url}"
    address += f"@{revision}" if revision else ""
    return address + (f"#subdirectory={subdirectory}" if subdirectory else "")
