"""Compiled files of a folder, an archive or an image, by the path at which they would lie.

Nothing is unpacked beside the archive and nothing that is read is executed. Links are followed
inside the tree only.
"""

from __future__ import annotations

import contextlib
import mmap
import posixpath
import stat
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TypeVar

from ..errors import ArtifactError
from ..index.archives import BROKEN
from ..inside.zip_member import open_member
from ..walking import paths_below
from .elf import MAGIC, Buffer, Elf, ElfError, read_elf

MAXIMUM_MEMBERS = 400_000
MAXIMUM_MEMBER = 4 * 2**30
MAXIMUM_TOTAL = 16 * 2**30
MAXIMUM_TABLES = 128 * 2**20
"""Bytes of memory for what is read of all files: some 100,000 ordinary libraries."""
MAXIMUM_TEXTS = 64 * 2**20
"""Characters of all configuration files and packages' own descriptions."""
_MAXIMUM_TEXT = 4 * 2**20
_MAXIMUM_LINKS = 40
_IN_MEMORY = 32 * 2**20
_LOADER_CONFIGURATION = ("/etc/ld.so.conf", "/etc/ld.so.conf.d/")
_SYSTEM_TEXTS = frozenset(
    ["/etc/os-release", "/usr/lib/os-release", "/var/lib/dpkg/status", "/lib/apk/db/installed"]
)
_PACKAGE_FILES = (".dist-info/WHEEL", ".dist-info/RECORD", ".dist-info/METADATA")

T = TypeVar("T")


@dataclass(frozen=True)
class Compiled:
    """A file that begins like an ELF file; exactly one of ``elf`` and ``problem`` is there."""

    elf: Elf | None
    problem: str = ""


@dataclass(frozen=True)
class FileTree:
    """Absolute paths of compiled files and links, and the loader's configuration."""

    files: Mapping[str, Compiled] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    """Targets of symbolic links, as they are written."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """Content of the loader's configuration, and of packages' own descriptions."""
    size: int = 0
    """Bytes of all files, whatever they are."""

    def over(self, below: FileTree) -> FileTree:
        """This tree laid over *below*."""
        return FileTree(
            {**below.files, **self.files},
            {**below.links, **self.links},
            {**below.texts, **self.texts},
        )

    def real(self, path: str) -> str:
        """*path* with all links followed, none of them out of the tree; empty for a loop."""
        pending = [part for part in path.split("/") if part][::-1]
        resolved = ""
        followed = 0
        while pending:
            part = pending.pop()
            if part == "..":
                resolved = resolved.rpartition("/")[0]
                continue
            if part == ".":
                continue
            here = f"{resolved}/{part}"
            target = self.links.get(here)
            if target is None:
                resolved = here
                continue
            followed += 1
            if followed > _MAXIMUM_LINKS:
                return ""
            if target.startswith("/"):
                resolved = ""
            pending += [step for step in target.split("/") if step][::-1]
        return resolved

    def elf(self, path: str) -> Elf | None:
        """The readable ELF file at *path*, over links; None where it is missing."""
        compiled = self.files.get(path) or self.files.get(self.real(path))
        return compiled.elf if compiled is not None else None


@dataclass
class _Reading:
    at: str
    use: Callable[[str, Buffer], None] | None
    only: Collection[str] | None
    files: dict[str, Compiled] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    total: int = 0
    weight: int = 0
    text_size: int = 0

    def path(self, name: str) -> str:
        return posixpath.normpath(f"{self.at}/{name}".replace("//", "/"))

    def wants(self, path: str) -> bool:
        return self.only is None or path in self.only

    def count(self, size: int) -> None:
        self.total += size
        members = len(self.files) + len(self.links)
        if size > MAXIMUM_MEMBER or self.total > MAXIMUM_TOTAL or members > MAXIMUM_MEMBERS:
            raise ArtifactError("it unpacks to more than can be looked at")

    def add_text(self, path: str, content: bytes) -> None:
        self.text_size += len(content)
        if self.text_size > MAXIMUM_TEXTS:
            raise ArtifactError("its packages describe themselves at too great a length")
        self.texts[path] = _text(content)

    def add(self, path: str, data: Buffer) -> None:
        try:
            elf = read_elf(data)
            self.weight += elf.weight
            self.files[path] = Compiled(elf)
        except ElfError as error:
            self.files[path] = Compiled(None, str(error))
        if self.weight > MAXIMUM_TABLES:
            raise ArtifactError("its compiled files have larger tables than can be looked at")
        if self.use is not None:
            self.use(path, data)

    def tree(self) -> FileTree:
        return FileTree(self.files, self.links, self.texts, self.total)


Use = Callable[[str, Buffer], None]


def folder_tree(
    folder: Path, at: str, use: Use | None = None, only: Collection[str] | None = None
) -> FileTree:
    """Everything below *folder*, as if it lay at the absolute path *at*.

    *use*, here and below, is called with each compiled file while its content is at hand; *only*
    are the paths to read, where not all of them.

    Raises:
        ArtifactError: it cannot be read.
    """
    reading = _Reading(at, use, only)
    try:
        for path in sorted(paths_below(folder)):
            name = reading.path(path.relative_to(folder).as_posix())
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                reading.count(0)
                reading.links[name] = str(path.readlink())
            elif stat.S_ISREG(mode) and reading.wants(name):
                with path.open("rb") as stream:
                    _take(reading, name, stream)
    except OSError as error:
        raise ArtifactError(f"{folder} cannot be read: {error}") from None
    return reading.tree()


def zip_tree(
    archive: Path, at: str, use: Use | None = None, only: Collection[str] | None = None
) -> FileTree:
    """Every member of the zip file or wheel *archive*, as if it were unpacked at *at*.

    A wheel's ``NAME.data/purelib`` and ``platlib`` are laid where an installer lays them.

    Raises:
        ArtifactError: it cannot be read.
    """
    reading = _Reading(at, use, only)
    with reading_errors(archive), zipfile.ZipFile(archive) as opened:
        for info in opened.infolist():
            if not info.filename or info.filename.endswith("/"):  # is_dir() fails without a name
                continue
            reading.count(info.file_size)
            mode = info.external_attr >> 16
            name = reading.path(_site_name(info.filename))
            if not reading.wants(name):
                continue
            with open_member(opened, info) as stream:
                if stat.S_ISLNK(mode):
                    reading.links[name] = _text(stream.read(4096))
                elif _is_text(name):
                    reading.add_text(name, stream.read(_MAXIMUM_TEXT))
                elif stream.read(4) == MAGIC:
                    with _spooled(stream, info.file_size) as data:
                        reading.add(name, data)
    return reading.tree()


def tar_tree(
    archive: IO[bytes], at: str, use: Use | None = None, only: Collection[str] | None = None
) -> FileTree:
    """Every member of the uncompressed tar file *archive*, as if it were unpacked at *at*.

    Raises:
        ArtifactError: it cannot be read.
    """
    reading = _Reading(at, use, only)
    archive.seek(0)
    with (
        reading_errors("the archive"),
        tarfile.open(fileobj=archive, mode="r:") as opened,
        mmap.mmap(archive.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
        memoryview(mapped) as view,
    ):
        for member in opened:
            name = reading.path(member.name)
            reading.count(member.size)
            if member.issym():
                reading.links[name] = member.linkname
            elif member.islnk():
                reading.links[name] = reading.path(member.linkname)
            elif member.isreg() and not member.issparse() and reading.wants(name):
                start = member.offset_data
                with view[start : start + member.size] as data:
                    _see(reading, name, data)
    return reading.tree()


def _take(reading: _Reading, name: str, stream: IO[bytes]) -> None:
    size = stream.seek(0, 2)
    reading.count(size)
    stream.seek(0)
    if size < 4 or (not _is_text(name) and stream.read(4) != MAGIC):
        return
    with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        _see(reading, name, data)


def _see(reading: _Reading, name: str, data: Buffer) -> None:
    if _is_text(name):
        reading.add_text(name, bytes(data[:_MAXIMUM_TEXT]))
    elif bytes(data[:4]) == MAGIC:
        reading.add(name, data)


def _is_text(name: str) -> bool:
    return (
        name.startswith(_LOADER_CONFIGURATION)
        or name.endswith(_PACKAGE_FILES)
        or name in _SYSTEM_TEXTS
    )


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace")


def _site_name(name: str) -> str:
    top, _, rest = name.partition("/")
    scheme, _, inner = rest.partition("/")
    return inner if top.endswith(".data") and scheme in ("purelib", "platlib") else name


@contextlib.contextmanager
def _spooled(stream: IO[bytes], announced: int) -> Iterator[Buffer]:
    """The whole of a member whose first bytes were read already; never more than announced."""
    if announced <= _IN_MEMORY:
        yield MAGIC + stream.read(announced)
        return
    with tempfile.TemporaryFile() as spool:
        spool.write(MAGIC)
        while chunk := stream.read(2**20):
            spool.write(chunk)
        spool.flush()
        with mmap.mmap(spool.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield data


@contextlib.contextmanager
def reading_errors(what: object) -> Iterator[None]:
    """What reading the archive or file *what* raises, as an ArtifactError that names it."""
    try:
        yield
    except BROKEN as error:
        raise ArtifactError(
            f"{what} cannot be read: {error}",
            next_step="check that it is whole and of the right kind: a wheel, zip, tar or folder",
        ) from None
