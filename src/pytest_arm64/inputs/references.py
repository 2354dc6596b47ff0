"""What a requirement's text names: a project, a path or an address, by pip's rules."""

from __future__ import annotations

import os
import re
import urllib.parse
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement

from ..config.boundary import is_there
from ..index.metadata import requirement_of
from ..index.simple import SDIST_ENDINGS

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_DIRECT = re.compile(r"[\w.-]+\s*(?:\[[^\[\]]*\]\s*)?@\s*(\S+)")
_EXTRAS = re.compile(r"([^\[\]]*)\[([^\[\]]*)\]\Z")


@dataclass(frozen=True)
class DirectReference:
    """A path or an address in the place of a requirement."""

    address: str
    """As it is written, without extras and marker."""
    place: Path | None
    """Where it leads to on this machine; None for what is elsewhere."""
    extras: str = ""
    """With their brackets."""
    marker: str = ""

    @property
    def name(self) -> str:
        """The project's name as far as the address says it."""
        egg = re.search(r"[#&]egg=([A-Za-z0-9._-]+)", self.address)
        return egg[1] if egg else _name_in(self.address)

    @property
    def url(self) -> str:
        return self.place.as_uri() if self.place is not None else self.address

    def __str__(self) -> str:
        return self.as_requirement_of(self.name)

    def as_requirement_of(self, name: str, *, direct: bool = True) -> str:
        """What PEP 508 writes for it; without the address where it is not *direct*."""
        marker = f" ; {self.marker}" if self.marker else ""
        return f"{name}{self.extras}{f' @ {self.url}' if direct else ''}{marker}"


def reference_in(text: str, base: Path, *, editable: bool = False) -> DirectReference | None:
    """The path or address that *text* consists of; None where it names a project.

    As for pip, a path begins with a dot, or has a separator and is there; after ``-e``, any
    folder that is there is one.
    """
    is_url = _SCHEME.match(text) is not None
    # A semicolon may be a part of an address.
    body, _, marker = text.partition("; ") if is_url else text.partition(";")
    if is_url and body.endswith(" ;"):
        body = body[:-2]
    body = body.strip()
    address, extras = body, ""
    bracketed = _EXTRAS.match(body)
    if bracketed and "#" not in body:
        address, extras = bracketed[1], f"[{bracketed[2]}]"
    place = _place(address, base)
    if not is_url:
        dotted = address.partition("#")[0].partition("/")[0] in (".", "..")
        named = dotted or ((editable or "/" in address) and _exists(place))
        if not named:
            return None
    return DirectReference(address, place, extras, marker.strip())


def local_place(text: str, base: Path, *, editable: bool = False) -> Path | None:
    """The path on this machine that *text* names, by itself or after ``NAME @``."""
    reference = reference_in(text, base, editable=editable)
    if reference is None:
        direct = _DIRECT.match(text)
        return _place(direct[1], base) if direct and _SCHEME.match(direct[1]) else None
    return reference.place


def pep508(text: str) -> Requirement | None:
    """*text* as a requirement of a project, with a marker where pip accepts one.

    Other than PEP 508, pip takes a marker that follows an address without a blank.
    """
    for spelling in (text, text.replace(";", " ;", 1)):
        try:
            return requirement_of(spelling)
        except (ValueError, RecursionError):
            continue
    return None


def _place(address: str, base: Path) -> Path | None:
    """The path that *address* names on this machine."""
    if "\0" in address:
        return None
    if _SCHEME.match(address):
        try:
            parts = urllib.parse.urlsplit(address)
        except ValueError:
            return None
        if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
            return None
        name = urllib.parse.unquote(parts.path)
        if "\0" in name:
            return None
    else:
        name = address.partition("#")[0]
    return Path(os.path.normpath(base / name)) if name else None


def _exists(place: Path | None) -> bool:
    return place is not None and is_there(place, Path.exists)


def _name_in(address: str) -> str:
    """The project's name as far as the last part of a path or an address says it."""
    last = re.split(r"[?#]", address)[0].rstrip("/").rpartition("/")[2].partition("@")[0]
    if last.endswith(".whl"):
        last = last.partition("-")[0]
    for ending in (*SDIST_ENDINGS, ".git"):
        if last.endswith(ending):
            last = re.sub(r"-\d.*$", "", last[: -len(ending)])
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", last).strip("-._")
    return name or "unnamed-reference"
