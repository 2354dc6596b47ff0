"""Which members of a wheel are compiled for x86-64 Linux, where none is for ARM64.

Names say which members to look at, their first bytes what they are. Wheels come from strangers:
entries, reads and what is unpacked are bounded.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import BinaryIO, cast

from ..binary.elf import elf_machine
from ..index.archives import BROKEN, ArchiveError, TooManyPartsError
from .sdist_rules import BESIDE

_X86, _ARM = "x86_64", "aarch64"
_LARGEST_READ = 8 * 2**20
_MAXIMUM_MEMBERS = 100_000
_MOST_READ = 24
"""Members of one archive of which the first bytes are read."""
_MOST_ARCHIVES = 4
_LARGEST_PACKED = 4 * 2**20
_LARGEST_ARCHIVE = 16 * 2**20
_START = 64
_START_OF_STATIC = 64 * 2**10
_LARGE = 16 * 2**10
"""Bytes from which a file without suffix is looked at, wherever it lies."""
_SMALLEST = 64  # the header of an ELF file

_ENTRY = b"PK\x01\x02"
_LIBRARY = re.compile(r"\.(?:so(?:\.\d+)*|a|node)$")
_PROGRAM = re.compile(r"[^.]+|.*\.(?:\d[\w-]*|bin|elf|run|out|x86_64|amd64|x64|linux\w*|appimage)")
_PLACE = re.compile(r"(?:^|/)bin/|linux|x86_64|amd64|x64")
_FOR_ARM = re.compile(r"aarch64|arm64|armv8")
_ELSEWHERE = re.compile(
    r"(?<![a-z])(?:mac|macos|macosx|osx|darwin|ios|win|windows|android|freebsd|openbsd|netbsd"
    r"|sunos|solaris|aix)(?![a-z])"
)
_ZIP = re.compile(r"\.(?:jar|zip|whl|war|nar)$")
_PACKED = re.compile(r"\.(?:jar|zip|whl|war|nar|tar|tgz|gz|xz|bz2|zst|7z)$")
# A member of a static library begins with an ELF header right after its own, which ends so.
_STATIC = re.compile(rb"`\n(\x7fELF[\x00-\xff]{16})")


def x86_members(wheel: BinaryIO) -> tuple[str, ...]:
    """The first compiled files for x86-64 Linux in *wheel*, if it has none for ARM64.

    Raises:
        ArchiveError: it is broken, or too large.
        FetchError: a part of it cannot be had.
    """
    with opened_wheel(wheel) as opened:
        return x86_members_of(opened)


@contextmanager
def opened_wheel(wheel: BinaryIO) -> Iterator[zipfile.ZipFile]:
    """*wheel*, whose directory has no more bytes and entries than are worth reading.

    Raises:
        ArchiveError: it is broken, or too large.
        FetchError: a part of it cannot be had.
    """
    try:
        with zipfile.ZipFile(_frugal(wheel)) as opened:
            yield opened
    except (*BROKEN, MemoryError) as error:
        raise ArchiveError(f"it cannot be read ({type(error).__name__})") from None


def x86_members_of(opened: zipfile.ZipFile) -> tuple[str, ...]:
    """The same of a wheel that is open."""
    try:
        return _of_both(opened)
    except _ForArm:
        return ()


class _ForArm(Exception):  # noqa: N818 - the answer, from however deep
    """There is a compiled file for ARM64, or what may be one and is not read."""


def _of_both(opened: zipfile.ZipFile) -> tuple[str, ...]:
    """Of its own members and of those of the archives in it."""
    members = list(_worth_looking_at(opened))
    x86 = list(_x86_of(opened, members))
    for archive in _archives(members):
        x86 += _x86_inside(opened, archive)
    return tuple(x86)


def _x86_inside(opened: zipfile.ZipFile, archive: zipfile.ZipInfo) -> list[str]:
    """Of the members of an archive in it; none of one that cannot be read."""
    try:
        content = io.BytesIO(_read(opened, archive, _LARGEST_ARCHIVE))
        with zipfile.ZipFile(_frugal(content)) as inner:
            members = _x86_of(inner, _worth_looking_at(inner))
            return [f"{_shown(archive)}!/{name}" for name in members]
    except (*BROKEN, ArchiveError, MemoryError):
        if _FOR_ARM.search(archive.filename.lower()):
            raise _ForArm from None
        return []


def _worth_looking_at(opened: zipfile.ZipFile) -> Iterator[zipfile.ZipInfo]:
    for info in opened.infolist():
        path = info.filename.lower()
        folders = PurePosixPath(path).parts[:-1]
        # Not is_dir(): before Python 3.11.4 it fails for a name without characters.
        if path.endswith("/") or info.file_size < _SMALLEST or _ELSEWHERE.search(path):
            continue
        if not BESIDE.intersection(folders) and not path.partition("/")[0].endswith(".dist-info"):
            yield info


def _x86_of(opened: zipfile.ZipFile, members: Iterable[zipfile.ZipInfo]) -> Iterator[str]:
    """Those of *members* that are compiled for x86-64 Linux.

    Raises:
        _ForArm: one is for ARM64.
    """
    suspects = [info for info in members if _may_be_compiled(info)]
    suspects.sort(key=lambda info: not _FOR_ARM.search(info.filename.lower()))
    for number, info in enumerate(_spread(suspects)):
        try:
            machine = _machine(opened, info)
        except TooManyPartsError:
            if any(_FOR_ARM.search(i.filename.lower()) for i in suspects[number:]):
                raise _ForArm from None
            return
        if machine == _ARM:
            raise _ForArm
        if machine == _X86:
            yield _shown(info)


def _spread(suspects: list[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    """As many of them as are read: the first ones, and some of all others."""
    first, rest = suspects[: _MOST_READ // 2], suspects[_MOST_READ // 2 :]
    return first + rest[:: len(rest) // (_MOST_READ // 2) + 1]


def _may_be_compiled(info: zipfile.ZipInfo) -> bool:
    path = info.filename.lower()
    name = path.rpartition("/")[2]
    if _LIBRARY.search(name):
        return True
    if not _PROGRAM.fullmatch(name):
        return False
    executable = bool(info.external_attr >> 16 & 0o111)
    return executable or info.file_size >= _LARGE or bool(_PLACE.search(path))


def _machine(opened: zipfile.ZipFile, info: zipfile.ZipInfo) -> str:
    """What *info* is compiled for; empty for what is not compiled."""
    static = info.filename.lower().endswith(".a")
    start = _read(opened, info, _START_OF_STATIC if static else _START)
    if static:
        first = _STATIC.search(start)
        start = first[1] if first else b""
    return elf_machine(start)


def _read(opened: zipfile.ZipFile, info: zipfile.ZipInfo, size: int) -> bytes:
    # The other methods of compression ask for memory before the first byte.
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return b""
    with opened.open(info) as content:
        return content.read(size)


def _archives(members: Iterable[zipfile.ZipInfo]) -> Iterator[zipfile.ZipInfo]:
    """The archives among *members* that are unpacked.

    Raises:
        _ForArm: one that is not is for ARM64 by its name.
    """
    left = _MOST_ARCHIVES
    for info in members:
        name = info.filename.lower()
        small = info.compress_size <= _LARGEST_PACKED and info.file_size <= _LARGEST_ARCHIVE
        if left and small and _ZIP.search(name):
            left -= 1
            yield info
        elif _PACKED.search(name) and _FOR_ARM.search(name):
            raise _ForArm


def _shown(info: zipfile.ZipInfo) -> str:
    name = info.filename if len(info.filename) <= 120 else f"…{info.filename[-119:]}"
    return "".join(c if c.isprintable() else "?" for c in name)


def _frugal(archive: BinaryIO) -> BinaryIO:
    return cast(BinaryIO, _Frugal(archive))


class _Frugal:
    """An archive whose directory has no more bytes and entries than are worth reading."""

    def __init__(self, archive: BinaryIO) -> None:
        self._archive = archive
        self.seek, self.tell = archive.seek, archive.tell

    def seekable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        wanted = size if 0 <= size <= _LARGEST_READ else _LARGEST_READ + 1
        content = self._archive.read(wanted)
        if len(content) > _LARGEST_READ or content.count(_ENTRY) > _MAXIMUM_MEMBERS:
            raise ArchiveError("its directory is too large")
        return content
