"""The packages of a system, from its package manager's own files; nothing of it is started."""

from __future__ import annotations

import sqlite3
import struct
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing

_MAXIMUM_PACKAGES = 20_000
_MAXIMUM_TAGS = 2_000
_MAXIMUM_VALUE = 256
# Of ten thousand instructions each.
_MAXIMUM_STEPS = 2_000
# Tags of rpm's headers. Source: rpm, docs/manual/tags.md, read 2026-11-30.
_NAME, _VERSION, _RELEASE = 1000, 1001, 1002


def debian_packages(status: str) -> Mapping[str, str]:
    """Version by name of what dpkg's ``status`` file says is installed."""
    found = {}
    for block in status.split("\n\n"):
        fields = _fields(block, ": ")
        if "Package" in fields and fields.get("Status", "").endswith(" installed"):
            found[fields["Package"]] = fields.get("Version", "")
    return _bounded(found)


def alpine_packages(installed: str) -> Mapping[str, str]:
    """Version by name of what apk's ``installed`` file lists."""
    found = {}
    for block in installed.split("\n\n"):
        fields = _fields(block, ":")
        if "P" in fields:
            found[fields["P"]] = fields.get("V", "")
    return _bounded(found)


def rpm_packages(database: bytes) -> Mapping[str, str]:
    """Version and release by name of what rpm's database, a file of SQLite, holds.

    A database that cannot be read has no packages.
    """
    with tempfile.NamedTemporaryFile(suffix=".sqlite") as file:
        file.write(database)
        file.flush()
        try:
            with closing(sqlite3.connect(f"file:{file.name}?mode=ro&immutable=1", uri=True)) as db:
                _limit(db)
                rows = db.execute("SELECT blob FROM Packages LIMIT ?", (_MAXIMUM_PACKAGES,))
                return _bounded(dict(filter(None, (_rpm_package(row[0]) for row in rows))))
        except sqlite3.Error:
            return {}


def _limit(database: sqlite3.Connection) -> None:
    """The schema comes from a stranger: a view in a table's place may compute for ever."""
    database.execute("PRAGMA trusted_schema = OFF")
    steps = iter(range(_MAXIMUM_STEPS))
    database.set_progress_handler(lambda: next(steps, None) is None, 10_000)


def _rpm_package(header: object) -> tuple[str, str] | None:
    """Name and version in a header of rpm; None where it has none."""
    if not isinstance(header, bytes):
        return None
    values = dict(_rpm_texts(header))
    if _NAME not in values:
        return None
    return values[_NAME], f"{values.get(_VERSION, '')}-{values.get(_RELEASE, '')}"


def _rpm_texts(header: bytes) -> Iterator[tuple[int, str]]:
    """The texts of *header* by tag. Source: rpm, docs/manual/format_header.md, read 2026-11-30."""
    try:
        count, _ = struct.unpack_from(">II", header)
        start = 8 + 16 * count
        for number in range(min(count, _MAXIMUM_TAGS)):
            tag, _, offset, _ = struct.unpack_from(">IIII", header, 8 + 16 * number)
            if tag in (_NAME, _VERSION, _RELEASE):
                value = header[start + offset : start + offset + _MAXIMUM_VALUE]
                yield tag, value.partition(b"\0")[0].decode("utf-8", "replace")
    except struct.error:
        return


def _fields(block: str, separator: str) -> Mapping[str, str]:
    pairs = (line.partition(separator) for line in block.splitlines() if not line.startswith(" "))
    return {name: value for name, found, value in pairs if found}


def _bounded(packages: Mapping[str, str]) -> Mapping[str, str]:
    shown = sorted(packages.items())[:_MAXIMUM_PACKAGES]
    return {name[:_MAXIMUM_VALUE]: version[:_MAXIMUM_VALUE] for name, version in shown}
