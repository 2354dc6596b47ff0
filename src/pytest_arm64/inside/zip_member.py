"""Reads members of zip archives from strangers: what is said of their size is not believed."""

from __future__ import annotations

import zipfile
from typing import IO

METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""The others unpack without a limit, or take memory before the first byte."""


def open_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> IO[bytes]:
    """A stream of *info*, of which ``read(n)`` takes memory for n bytes.

    Raises:
        BadZipFile: it is packed by another method than deflate, or is damaged.
    """
    if info.compress_type not in METHODS:
        raise zipfile.BadZipFile(f"{info.filename[:100]!r} is not packed by deflate")
    return archive.open(info)


def read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """The content of *info*, which ``ZipFile.read`` unpacks whole before it looks at the size.

    Raises:
        BadZipFile: as `open_member`, or it does not have the size that the archive states.
    """
    with open_member(archive, info) as stream:
        return stream.read(info.file_size + 1)
