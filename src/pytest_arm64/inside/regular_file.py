"""Reads files that others have written: regular ones of bounded size, and waits for nothing."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

MOST_BYTES = 64 << 20
_LEAST = 64 << 10
"""Read at a time; files of ``/proc`` say that they have no bytes."""


class UnfitFileError(OSError):
    """What is there is no regular file, or is too large."""


def read_regular(path: str | os.PathLike[str], most: int = MOST_BYTES) -> bytes:
    """The content of the regular file *path*, or of the one that it links to.

    A pipe is not waited for, and a link to a device such as ``/dev/zero`` is not read.

    Raises:
        OSError: it cannot be opened.
        UnfitFileError: it is no regular file, or larger than *most* bytes.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except ValueError:  # a NUL, or what the file system's encoding does not have
        raise UnfitFileError(errno.EINVAL, "no file can have this name", str(path)) from None
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise UnfitFileError(errno.EINVAL, "it is not a regular file", str(Path(path)))
        content = _read(file, min(status.st_size, most), most + 1)
    if len(content) > most:
        raise UnfitFileError(errno.EFBIG, f"it is larger than {most >> 20} MiB", str(Path(path)))
    return content


def _read(file: BinaryIO, expected: int, most: int) -> bytes:
    """Up to *most* bytes; ``read`` sets aside what it is asked for, be the file small."""
    parts: list[bytes] = []
    while most > 0 and (part := file.read(min(max(expected + 1, _LEAST), most))):
        parts.append(part)
        most -= len(part)
    return b"".join(parts)


def read_regular_text(
    path: str | os.PathLike[str], errors: str = "strict", *, most: int = MOST_BYTES
) -> str:
    """The text of the regular file *path* in UTF-8, without a byte order mark.

    Raises:
        OSError: as ``read_regular``.
        UnicodeDecodeError: it is not UTF-8, and *errors* is strict.
    """
    return read_regular(path, most).decode("utf-8-sig", errors)
