"""Zip archives whose lists of members state other sizes than the members have."""

from __future__ import annotations

import struct
import tracemalloc
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LARGE = bytes(64 << 20)
_ENTRY = b"PK\x01\x02"


def add(
    path: Path, name: str, content: bytes, *, method: int = zipfile.ZIP_DEFLATED, stated: int = 0
) -> None:
    """Append *content* as *name*; the list of members says that it has *stated* bytes."""
    with zipfile.ZipFile(path, "a", method) as archive:
        archive.writestr(name, content)
    if stated:
        _restate(path, name, 24, stated)


def state_packed(path: Path, name: str, size: int) -> None:
    """Have the list of members say that *name* is packed in *size* bytes, stored."""
    _restate(path, name, 20, size)


def _restate(path: Path, name: str, offset: int, value: int) -> None:
    data = bytearray(path.read_bytes())
    at = data.index(_ENTRY)
    while data[at + 46 : at + 46 + struct.unpack_from("<H", data, at + 28)[0]] != name.encode():
        at = data.index(_ENTRY, at + 4)
    struct.pack_into("<I", data, at + offset, value)
    path.write_bytes(data)


@contextmanager
def little_memory(most: int = 24 << 20) -> Iterator[None]:
    """Fails where more than *most* bytes are taken at once meanwhile."""
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= most
