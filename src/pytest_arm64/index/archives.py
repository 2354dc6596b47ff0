"""Metadata out of wheels and source distributions; nothing in them is ever executed."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, BinaryIO, cast

from packaging.utils import canonicalize_name

from ..inside.zip_member import open_member
from .fetch import Readable

MAXIMUM_METADATA = 4 * 2**20
TAIL = 128 * 2**10
_MAXIMUM_UNPACKED = 512 * 2**20
_MAXIMUM_READ = 8 * 2**20
_MAXIMUM_MEMBERS = 100_000
_MAXIMUM_RANGES = 12
_MAXIMUM_RANGED = 24 * 2**20

BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    OverflowError,
    ValueError,
    LookupError,
    struct.error,
)
"""What the archive modules raise on hostile bytes."""
_BROKEN = (*BROKEN, MemoryError)


class ArchiveError(Exception):
    """An archive that cannot be read, or does not hold what it should."""


class AbsentError(ArchiveError):
    """A readable archive that does not hold what was looked for."""


class TooManyPartsError(ArchiveError):
    """What is read of a remote archive is all that may be read of it."""


def wheel_metadata(archive: BinaryIO, project: str) -> bytes:
    """``METADATA`` of *project*'s wheel.

    Raises:
        ArchiveError: it is broken, or there is not exactly one.
    """
    return _from_zip(archive, lambda name: _is_wheel_metadata(name, project))


def sdist_member_from_zip(archive: BinaryIO, project: str, wanted: str = "PKG-INFO") -> bytes:
    """The top-level file *wanted* of a zipped source distribution.

    Raises:
        ArchiveError: it is broken, or there is not exactly one.
    """
    return _from_zip(archive, lambda name: _below_top(name, project) == wanted)


def sdist_member_from_tar(
    stream: Readable, filename: str, project: str, wanted: str = "PKG-INFO"
) -> bytes:
    """The top-level file *wanted* of a source distribution, read up to there and no further.

    Raises:
        ArchiveError: it is broken, or too large.
        AbsentError: it holds none.
    """
    try:
        with tarfile.open(fileobj=_unpacked(stream, filename), mode="r|") as archive:
            looked_into = False
            for count, member in enumerate(archive):
                below = _below_top(member.name, project)
                looked_into = looked_into or below is not None
                if count > _MAXIMUM_MEMBERS:
                    raise ArchiveError("it holds too many members")
                if member.isreg() and below == wanted:
                    if member.size > MAXIMUM_METADATA:
                        raise ArchiveError(f"its {wanted} is too large")
                    content = archive.extractfile(member)
                    return content.read(MAXIMUM_METADATA) if content else b""
    except _BROKEN as error:
        raise ArchiveError(f"it cannot be read ({type(error).__name__})") from None
    if not looked_into:
        raise ArchiveError("its folder is not called as the project is")
    raise AbsentError(f"it holds no {wanted}")


@dataclass(frozen=True)
class SdistMember:
    """A regular file of a source distribution."""

    path: str
    """Below the top folder."""
    size: int
    start: bytes
    """The first four bytes."""
    read: Callable[[], bytes]
    """Gives the whole content, at most once and before the next member.

    Raises ArchiveError: it is broken, or too large.
    """


def sdist_members(
    stream: Readable, filename: str, project: str, *, limit: int = _MAXIMUM_UNPACKED
) -> Iterator[SdistMember]:
    """The files of a source distribution, in the order in which they come; links are left out.

    At most *limit* bytes are unpacked.

    Raises:
        ArchiveError: it is broken, or too large.
    """
    try:
        with tarfile.open(fileobj=_unpacked(stream, filename, limit), mode="r|") as archive:
            for count, member in enumerate(archive):
                if count > _MAXIMUM_MEMBERS:
                    raise ArchiveError("it holds too many members")
                below = _below_top(member.name, project)
                content = archive.extractfile(member) if member.isreg() else None
                if below and content is not None:
                    yield _member(below, member.size, content)
    except _BROKEN as error:
        raise ArchiveError(f"it cannot be read ({type(error).__name__})") from None


def sdist_members_of_zip(archive: BinaryIO, project: str) -> Iterator[SdistMember]:
    """The same of a zipped source distribution.

    Raises:
        ArchiveError: it is broken, or too large.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = opened.infolist()
            if len(members) > _MAXIMUM_MEMBERS:
                raise ArchiveError("it holds too many members")
            for info in members:
                below = _below_top(info.filename, project)
                if below and not info.is_dir():
                    with open_member(opened, info) as content:
                        yield _member(below, info.file_size, content)
    except _BROKEN as error:
        raise ArchiveError(f"it cannot be read ({type(error).__name__})") from None


def _member(path: str, size: int, content: IO[bytes]) -> SdistMember:
    start = content.read(4)

    def read() -> bytes:
        try:
            rest = content.read(MAXIMUM_METADATA - 3)
        except _BROKEN as error:
            raise ArchiveError(f"it cannot be read ({type(error).__name__})") from None
        if len(start) + len(rest) > MAXIMUM_METADATA:
            raise ArchiveError(f"its {path[:100]} is too large")
        return start + rest

    return SdistMember(path, size, start, read)


def _unpacked(stream: Readable, filename: str, limit: int = _MAXIMUM_UNPACKED) -> _Bounded:
    """The tar in *stream*, without its compression."""
    opener: Callable[[BinaryIO], object] = gzip.open
    if filename.lower().endswith(".tar.bz2"):
        opener = bz2.open
    elif filename.lower().endswith(".tar.xz"):
        opener = lzma.open
    return _Bounded(cast(BinaryIO, opener(cast(BinaryIO, stream))), limit)


class RangeFile(io.RawIOBase):
    """A remote file of known size whose parts are fetched when they are read; the tail is here."""

    def __init__(
        self,
        size: int,
        tail: bytes,
        fetch: Callable[[int, int], bytes],
        *,
        ranges: int = _MAXIMUM_RANGES,
    ) -> None:
        self._size = size
        self._most = ranges
        self._parts = [(size - len(tail), tail)]
        self._fetch = fetch
        self._position = 0
        self._ranges = 0
        self._bytes = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise OSError("a seek before the start")
        self._position = base + offset
        return self._position

    def read(self, size: int | None = -1, /) -> bytes:
        end = self._size if size is None or size < 0 else min(self._position + size, self._size)
        start = self._position
        if end <= start:
            return b""
        content = self._part(start, end)
        self._position = end
        return content

    def _part(self, start: int, end: int) -> bytes:
        for first, content in self._parts:
            if first <= start and end <= first + len(content):
                return content[start - first : end - first]
        # Small reads come in rows: one request serves several.
        wanted = min(max(end, start + 16 * 2**10), self._size)
        self._ranges += 1
        self._bytes += wanted - start
        if self._ranges > self._most or self._bytes > _MAXIMUM_RANGED:
            raise TooManyPartsError("too many parts of it would have to be read")
        content = self._fetch(start, wanted)
        self._parts.append((start, content))
        return content[: end - start]


def _from_zip(archive: BinaryIO, wanted: Callable[[str], bool]) -> bytes:
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [info for info in opened.infolist() if wanted(info.filename)]
            if len(members) != 1:
                kind = ArchiveError if members else AbsentError
                raise kind(f"it holds {len(members) or 'no'} such files")
            with open_member(opened, members[0]) as stream:
                content = stream.read(MAXIMUM_METADATA + 1)
    except _BROKEN as error:
        raise ArchiveError(f"it cannot be read ({type(error).__name__})") from None
    if len(content) > MAXIMUM_METADATA:
        raise ArchiveError("its metadata is too large")
    return content


def _is_wheel_metadata(name: str, project: str) -> bool:
    folder, slash, rest = name.partition("/")
    if not slash or rest != "METADATA" or not folder.endswith(".dist-info"):
        return False
    return canonicalize_name(folder.rpartition("-")[0].rpartition("-")[0]) == project


def _below_top(name: str, project: str) -> str | None:
    """The path of a member below its top folder; None where that is not called by *project*."""
    folder, _, rest = name.removeprefix("./").partition("/")
    dashes = (i for i, character in enumerate(folder) if character == "-")
    return rest if any(canonicalize_name(folder[:i]) == project for i in dashes) else None


class _Bounded(io.RawIOBase):
    """Reads at most so much in all and at once: a few bytes can unpack to terabytes."""

    def __init__(self, stream: BinaryIO, limit: int) -> None:
        self._stream = stream
        self._left = limit

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0 or size > _MAXIMUM_READ:
            raise ArchiveError("a member asks for too much at once")
        content = self._stream.read(size)
        self._left -= len(content)
        if self._left < 0:
            raise ArchiveError("it unpacks to too much")
        return content
