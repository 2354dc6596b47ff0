"""The metadata of a file from the cheapest trustworthy place that has them."""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from .addresses import file_path, shown
from .archives import (
    MAXIMUM_METADATA,
    TAIL,
    ArchiveError,
    RangeFile,
    SdistMember,
    sdist_member_from_tar,
    sdist_member_from_zip,
    sdist_members,
    sdist_members_of_zip,
    wheel_metadata,
)
from .fetch import Fetcher, FetchError, Readable, Reply
from .metadata import Metadata, MetadataError, parse_metadata
from .simple import WHEEL, IndexFile

MAXIMUM_ARCHIVE = 600 * 2**20
_WHOLE_WHEEL = 8 * 2**20
_TAIL_OF_CONTENT = 32 * 2**10
_RANGES_OF_CONTENT = 40
_NO_SUCH_RANGE = 416
_CONTENT_RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15})\Z")


def read_metadata(fetcher: Fetcher, project: str, file: IndexFile) -> Metadata:
    """Metadata of *file*: separate (PEP 658), in the wheel's tail, or in the archive.

    Raises:
        MetadataError: none of the ways led to it.
    """
    try:
        if file.kind == WHEEL:
            return parse_metadata(_of_wheel(fetcher, project, file), project, file)
        return parse_metadata(read_sdist_member(fetcher, project, file), project, file)
    except (ArchiveError, FetchError, OSError) as error:
        raise MetadataError(f"{file.name}: {error}") from None


def _of_wheel(fetcher: Fetcher, project: str, file: IndexFile) -> bytes:
    if file.metadata:
        content = _separate(fetcher, file)
        if content is not None:
            return content
    if file.url.startswith("file:"):
        with file_path(file.url).open("rb") as stream:
            return wheel_metadata(stream, project)
    try:
        content = _from_tail(fetcher, project, file)
    except ArchiveError:
        content = None
    if content is not None:
        return content
    with _whole(fetcher, file) as archive:
        return wheel_metadata(archive, project)


def _separate(fetcher: Fetcher, file: IndexFile) -> bytes | None:
    try:
        reply = fetcher.get(file.url + ".metadata", limit=MAXIMUM_METADATA)
    except FetchError:
        return None
    if reply.status != 200:
        return None
    if file.metadata != "?" and hashlib.sha256(reply.body).hexdigest() != file.metadata:
        return None
    return reply.body


def _from_tail(fetcher: Fetcher, project: str, file: IndexFile) -> bytes | None:
    """From the end of the wheel, where archives keep their directory; None without ranges."""
    archive = _in_parts(fetcher, file, TAIL)
    return wheel_metadata(cast(BinaryIO, archive), project) if archive is not None else None


@contextmanager
def wheel_content(fetcher: Fetcher, file: IndexFile) -> Iterator[BinaryIO]:
    """A wheel as an open file, of which only what is read is fetched; 32 KiB of its end first.

    From a server that sends no parts, a wheel of up to 8 MiB is fetched as a whole.

    Raises:
        ArchiveError: more would have to be read than may be.
        FetchError: it cannot be had.
    """
    if file.url.startswith("file:"):
        with file_path(file.url).open("rb") as stream:
            yield stream
        return
    archive = _in_parts(fetcher, file, _TAIL_OF_CONTENT, ranges=_RANGES_OF_CONTENT)
    if archive is not None:
        yield cast(BinaryIO, archive)
        return
    with _whole(fetcher, file, limit=_WHOLE_WHEEL, purpose="fetched as a whole") as whole:
        yield whole


def _in_parts(fetcher: Fetcher, file: IndexFile, tail_size: int, **how: int) -> RangeFile | None:
    """*file*, of which the end is fetched; None where the server sends no parts of it."""
    with fetcher.open(file.url, headers=_ranged(f"-{tail_size}")) as (reply, stream):
        extent = _extent(reply)
        if reply.status >= 400 and reply.status != _NO_SUCH_RANGE:
            raise FetchError(f"{shown(file.url)} returned {reply.status}")
        if extent is None:
            return None
        start, end, size = extent
        length = end - start + 1
        tail = _read(stream, length) if length <= tail_size and end == size - 1 else b""
        if len(tail) != length:
            return None

    def part(start: int, end: int) -> bytes:
        reply = fetcher.get(file.url, headers=_ranged(f"{start}-{end - 1}"), limit=end - start)
        if _extent(reply) != (start, end - 1, size) or len(reply.body) != end - start:
            raise ArchiveError("the server sent other parts than the requested ones")
        return reply.body

    return RangeFile(size, tail, part, **how)


def read_sdist_member(
    fetcher: Fetcher, project: str, file: IndexFile, wanted: str = "PKG-INFO"
) -> bytes:
    """The top-level file *wanted* of a source distribution; nothing of it is executed.

    Raises:
        ArchiveError: it is broken; AbsentError where it holds no such file.
        FetchError: it cannot be had.
    """
    if file.name.lower().endswith(".zip"):
        with _whole(fetcher, file) as archive:
            return sdist_member_from_zip(archive, project, wanted)
    with fetcher.open(file.url) as (reply, stream):
        if reply.status != 200:
            raise FetchError(f"{shown(file.url)} returned {reply.status}")
        return sdist_member_from_tar(stream, file.name, project, wanted)


@contextmanager
def sdist_content(
    fetcher: Fetcher, project: str, file: IndexFile, *, limit: int
) -> Iterator[Iterator[SdistMember]]:
    """The members of a source distribution as they arrive; nothing of it is executed.

    Who reads to the end has read what the index's hash says. A zip is fetched as a whole, of a
    tar no more than is read, and at most *limit* bytes of it are unpacked.

    Raises:
        ArchiveError: it is broken, too large, or another than the index says.
        FetchError: it cannot be had.
    """
    if file.name.lower().endswith(".zip"):
        with _whole(fetcher, file) as archive:
            yield sdist_members_of_zip(archive, project)
        return
    with fetcher.open(file.url) as (reply, stream):
        if reply.status != 200:
            raise FetchError(f"{shown(file.url)} returned {reply.status}")
        yield _checked(_Hashing(stream), project, file, limit)


def _checked(stream: _Hashing, project: str, file: IndexFile, limit: int) -> Iterator[SdistMember]:
    yield from sdist_members(stream, file.name, project, limit=limit)
    while stream.length <= MAXIMUM_ARCHIVE and stream.read(2**20):
        pass
    if file.sha256 and stream.digest.hexdigest() != file.sha256:
        raise ArchiveError("it is not what the index says: its hash is another")


class _Hashing:
    """A stream that counts and hashes what is read of it."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self.digest = hashlib.sha256()
        self.length = 0

    def read(self, size: int = -1, /) -> bytes:
        content = self._stream.read(size)
        self.digest.update(content)
        self.length += len(content)
        return content


@contextmanager
def _whole(
    fetcher: Fetcher,
    file: IndexFile,
    *,
    limit: int = MAXIMUM_ARCHIVE,
    purpose: str = "read for its metadata",
) -> Iterator[BinaryIO]:
    """The whole file, checked against its hash."""
    # Not a spooled one: before Python 3.11 those cannot be read as archives.
    with tempfile.TemporaryFile() as archive:
        digest = hashlib.sha256()
        length = 0
        with fetcher.open(file.url) as (reply, stream):
            if reply.status != 200:
                raise FetchError(f"{shown(file.url)} returned {reply.status}")
            while chunk := stream.read(2**20):
                length += len(chunk)
                if length > limit:
                    raise FetchError(f"{shown(file.url)} is too large to be {purpose}")
                digest.update(chunk)
                archive.write(chunk)
        if file.sha256 and digest.hexdigest() != file.sha256:
            raise FetchError("it is not what the index says: its hash is another")
        archive.seek(0)
        yield cast(BinaryIO, archive)


def _ranged(extent: str) -> dict[str, str]:
    return {"Range": f"bytes={extent}", "Accept-Encoding": "identity"}


def _extent(reply: Reply) -> tuple[int, int, int] | None:
    extent = _CONTENT_RANGE.match(reply.headers.get("content-range", ""))
    if reply.status != 206 or not extent:
        return None
    start, end, size = map(int, extent.groups())
    honest = 0 <= start <= end < size <= 64 * 2**30
    return (start, end, size) if honest else None


def _read(stream: Readable, size: int) -> bytes:
    """At most a little more than *size*, so that too much can be told."""
    content = bytearray()
    while len(content) <= size and (chunk := stream.read(65536)):
        content += chunk
    return bytes(content)
