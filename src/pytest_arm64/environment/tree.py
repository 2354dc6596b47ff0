"""Where things live inside, and tar streams that put them there."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from ..errors import InstallError
from ..inputs.project_files import walk

HOME = "/opt/pytest-arm64"
ENV = f"{HOME}/env"
"""Deployed packages: a virtual environment."""
TESTS = f"{HOME}/tests"
"""Test packages: a prefix whose site directory comes after the deployed one."""
INSIDE = f"{HOME}/inside"
OUT = f"{HOME}/out"
"""Results and what the host hands in: an anonymous volume of the calling user."""
RESULTS = f"{OUT}/results"
"""``$PYTEST_ARM64_OUT`` of the sessions inside."""
RECORD = f"{HOME}/record.json"
ABI = f"{HOME}/abi.json"
PYTHON = f"{ENV}/bin/python"


class Owner(NamedTuple):
    """Whose a file in a container is, by number."""

    uid: int = 0
    gid: int = 0


SITES_LABEL = "pytest-arm64.sites"
"""Of an environment image: folders of an artifact from which it imports, as a JSON list."""
MAXIMUM_COPY = 512 * 2**20


@dataclass(frozen=True)
class TarEntry:
    """One member of a tar stream: a file, a link (``link``), or a folder (``content`` None)."""

    content: bytes | None = None
    mode: int = 0o644
    link: str = ""
    uid: int = 0
    gid: int = 0


def tar_of(entries: Mapping[str, TarEntry]) -> bytes:
    """A tar of *entries* by path; parents must be there already or be entries themselves."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, entry in entries.items():
            info = tarfile.TarInfo(name.lstrip("/"))
            info.mode, info.uid, info.gid = entry.mode, entry.uid, entry.gid
            if entry.link:
                info.type, info.linkname = tarfile.SYMTYPE, entry.link
                archive.addfile(info)
            elif entry.content is None:
                info.type = tarfile.DIRTYPE
                info.mode = entry.mode if entry.mode != 0o644 else 0o755
                archive.addfile(info)
            else:
                info.size = len(entry.content)
                archive.addfile(info, io.BytesIO(entry.content))
    return buffer.getvalue()


def with_parents(
    entries: Mapping[str, TarEntry], *, uid: int = 0, gid: int = 0
) -> dict[str, TarEntry]:
    """*entries*, with a folder entry before each for the parents that are not among them."""
    complete: dict[str, TarEntry] = {}
    for name, entry in entries.items():
        for parent in reversed(PurePosixPath(name).parents):
            path = str(parent)
            if path not in ("/", ".") and path not in entries:
                complete.setdefault(path, TarEntry(mode=0o755, uid=uid, gid=gid))
        complete[name] = entry
    return complete


def copy_of(
    folder: Path, *, below: Path = Path("/"), uid: int = 0, gid: int = 0, writable: bool = True
) -> Iterator[bytes]:
    """A tar stream of *folder*, named relative to *below*, without version control and caches.

    If it is not *writable*, everybody can read it and nobody can write to it.

    Raises:
        InstallError: the copy would be larger than 512 MiB.
    """
    sink = _Sink()
    total = 0
    with tarfile.open(fileobj=sink, mode="w|", format=tarfile.PAX_FORMAT) as archive:
        for path in walk(folder):
            # The folder itself may be a link; what lies below it is taken as it is.
            source = path.resolve() if path == folder else path
            try:
                info = archive.gettarinfo(source, path.relative_to(below).as_posix())
            except FileNotFoundError:
                if path == folder:
                    raise
                continue  # gone since its folder was listed
            if info is None or not (info.isreg() or info.isdir() or info.issym() or info.islnk()):
                continue
            info.uid, info.gid, info.uname, info.gname = uid, gid, "", ""
            if not writable:
                executable = info.isdir() or info.mode & 0o100
                info.mode = (info.mode | (0o555 if executable else 0o444)) & ~0o222
            total += info.size
            if total > MAXIMUM_COPY:
                raise InstallError(
                    f"{folder} is larger than {MAXIMUM_COPY >> 20} MiB",
                    why="it has to be copied, because the engine does not see this machine's files"
                    " or because it is built",
                    next_step="run pytest in a smaller folder, or move data out of the project",
                )
            if info.isreg():
                with path.open("rb") as stream:
                    archive.addfile(info, _Padded(stream))
            else:
                archive.addfile(info)
            yield from sink.taken()
    yield from sink.taken()


class _Padded(io.RawIOBase):
    """A file that is written meanwhile, at the length it had, with zeros for what is gone."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        return self._stream.read(size).ljust(size, b"\0")


class _Sink(io.RawIOBase):
    def __init__(self) -> None:
        self._chunks: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        chunk = bytes(data)  # type: ignore[call-overload]  # any buffer
        self._chunks.append(chunk)
        return len(chunk)

    def taken(self) -> Iterable[bytes]:
        chunks, self._chunks = self._chunks, []
        return chunks
