"""What builds have told of source distributions that say nothing certain of themselves, kept.

It holds for the machine and the Python of the build: another may depend on other packages.
"""

from __future__ import annotations

from dataclasses import asdict

from .. import cache
from ..index.metadata import Metadata
from ..index.simple import IndexFile

_KIND = "built-metadata"


def keep_built_metadata(file: IndexFile, machine: str, python: str, metadata: Metadata) -> None:
    """Keep *metadata* of the wheel that *file* became on *machine* for *python* (``3.12``)."""
    if file.sha256:
        cache.store(_KIND, _key(file, machine, python), asdict(metadata))


def kept_built_metadata(file: IndexFile, machine: str, python: str) -> Metadata | None:
    """What was kept of *file*; None where nothing was, or nothing that can be read."""
    record = cache.load(_KIND, _key(file, machine, python)) if file.sha256 else None
    if record is None:
        return None
    requires, wanted = record.get("requires"), record.get("requires_python")
    if not isinstance(requires, list) or not isinstance(wanted, str):
        return None
    return Metadata(tuple(map(str, requires)), wanted)


def _key(file: IndexFile, machine: str, python: str) -> str:
    return cache.digest([file.sha256, machine, python])
