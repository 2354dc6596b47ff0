"""What one release depends on, as its metadata say it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from .simple import WHEEL, IndexFile

_MAXIMUM_REQUIREMENTS = 5_000
_MAXIMUM_REQUIREMENT = 4_000  # characters; below the digits that `int` takes


class MetadataError(Exception):
    """The metadata of a file cannot be had; the text says why."""


@dataclass(frozen=True)
class Metadata:
    """Dependencies of one release."""

    requires: tuple[str, ...] = ()
    requires_python: str = ""
    doubt: str = ""
    """Why the dependencies may be others on the target; empty where they are certain."""

    def parsed(self) -> tuple[Requirement, ...]:
        """Requirements; what is none is left out (``doubt`` tells of it)."""
        return tuple(r for r in map(parse_requirement, self.requires) if r is not None)


def requirement_of(text: str) -> Requirement:
    """*text* as a requirement.

    Raises:
        ValueError: it is not one. Of numbers with too many digits packaging would say so only
            when they are compared, and not with an error of its own.
        RecursionError: it is nested too deeply.
    """
    if len(text) > _MAXIMUM_REQUIREMENT:
        raise ValueError(f"it has more than {_MAXIMUM_REQUIREMENT:,} characters")
    return Requirement(text)


@lru_cache(maxsize=20_000)
def parse_requirement(text: str) -> Requirement | None:
    """*text* as a requirement, None where it is none."""
    try:
        return requirement_of(text)
    except (ValueError, RecursionError):
        return None


def parse_metadata(content: bytes, project: str, file: IndexFile) -> Metadata:
    """Core metadata as bytes, checked to be those of *project*.

    Raises:
        MetadataError: they are another's.
    """
    # Loaded where an index answered: a lock needs none of it.
    from packaging.metadata import parse_email

    raw, unparsed = parse_email(content)
    wanted = raw.get("requires_dist") or list(map(str, unparsed.get("requires-dist", ())))
    name = canonicalize_name(raw.get("name", ""))
    if name != project:
        raise MetadataError(f"{file.name}: its metadata is of {name[:80]!r}")
    try:
        same = Version(raw.get("version", "")) == Version(file.version)
    except ValueError:
        same = False
    if not same:
        raise MetadataError(f"{file.name}: its metadata is of another version")
    requires = tuple(" ".join(v.split()) for v in wanted[:_MAXIMUM_REQUIREMENTS])
    broken = [v for v in requires if parse_requirement(v) is None]
    doubt = f"{broken[0][:100]!r} is not a requirement" if broken else ""
    if "requires-dist" in unparsed or len(wanted) > _MAXIMUM_REQUIREMENTS:
        doubt = doubt or "not all of its requirements can be read"
    if file.kind != WHEEL:
        doubt = _sdist_doubt(raw.get("metadata_version", ""), raw.get("dynamic", [])) or doubt
    return Metadata(requires, raw.get("requires_python", "")[:300].strip(), doubt)


def _sdist_doubt(version: str, dynamic: Sequence[str]) -> str:
    """PEP 643: only from metadata 2.2 on does a source distribution say what is certain."""
    try:
        old = Version(version) < Version("2.2")
    except ValueError:
        old = True
    if old:
        return "its dependencies are only known after it is built (no PEP 643 metadata)"
    if "requires-dist" in map(str.lower, dynamic):
        return "its dependencies are only known after it is built (they are dynamic)"
    return ""
