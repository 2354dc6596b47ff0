"""Files of local indexes and link folders, as pip in the builder needs them.

They are copied: a mounted folder would show a build all that is in it, such as the socket of an
engine. Only a mirror of the user's own pip configuration that is too large to copy is mounted.
"""

from __future__ import annotations

import re
import tarfile
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from ..errors import InstallError
from ..index.simple import SDIST_ENDINGS

MAXIMUM_COPY = 2 * 2**30
_PAGES = (".html", ".htm")
_DISTRIBUTIONS = (".whl", *SDIST_ENDINGS)
_HREF = re.compile(rb"""href\s*=\s*["']?([^"'\s>#?]+)""", re.IGNORECASE)
_MAXIMUM_PAGE = 32 * 2**20
_CHUNK = 2**20


def link_files(folders: Iterable[Path], root: Path) -> dict[str, Path]:
    """Distributions and pages in link *folders* that files of the project at *root* name, by path.

    Links that lead out of the folder and of the project are left out.
    """
    files = {}
    for folder in folders:
        tops = (folder.resolve(), root.resolve())
        for path in _in(folder, (*_DISTRIBUTIONS, *_PAGES)):
            if any(path.resolve().is_relative_to(top) for top in tops):
                files[str(path)] = path
    return files


def index_files(folders: Iterable[Path]) -> dict[str, Path]:
    """Pages and distributions of the local indexes in *folders*, which the user's pip names."""
    files: dict[str, Path] = {}
    for folder in folders:
        for place in (folder, *_listed(folder)):
            files |= {str(path): path for path in _in(place, (*_DISTRIBUTIONS, *_PAGES))}
    for page in [path for path in files.values() if path.name.endswith(_PAGES)]:
        files |= {str(path): path for path in _linked(page)}
    return files


@lru_cache(maxsize=8)
def mounted_folders(folders: tuple[str, ...]) -> tuple[str, ...]:
    """Folders to mount for the local indexes in *folders*: none where a copy is small enough.

    Raises:
        InstallError: something in them is neither a file nor a folder.
    """
    files = index_files(map(Path, folders))
    if _size_of(files) <= MAXIMUM_COPY:
        return ()
    tops: list[str] = []
    for folder in (*folders, *sorted({str(path.parent) for path in files.values()})):
        if not any(Path(folder).is_relative_to(top) for top in tops):
            tops.append(folder)
    for top in tops:
        for place in (Path(top), *(p for p in _listed(Path(top)) if p.is_dir())):
            _check_plain(place)
    return tuple(tops)


def _check_plain(folder: Path) -> None:
    """Raise where a socket, a device or a pipe is in *folder*: no mirror of packages has one."""
    for path in _listed(folder):
        if path.exists() and not path.is_file() and not path.is_dir():
            raise InstallError(
                f"the local index {folder} is not mounted: {path.name!r} is neither a file nor a "
                "folder",
                why="a build could reach it, such as the socket of a container engine",
                next_step="serve the packages over HTTP, or from a folder of their own",
            )


def _size_of(files: Mapping[str, Path]) -> int:
    try:
        return sum(path.stat().st_size for path in files.values())
    except OSError as error:
        raise InstallError(f"a local distribution cannot be read: {error}") from None


def copy_of_files(files: Mapping[str, Path]) -> Iterator[bytes]:
    """A tar stream of *files* by their paths in the container; their folders must be there.

    Raises:
        InstallError: they are too large, or one cannot be read.
    """
    try:
        sizes = {name: path.stat().st_size for name, path in files.items()}
        if sum(sizes.values()) > MAXIMUM_COPY:
            raise InstallError(
                f"local indexes hold more than {MAXIMUM_COPY >> 30} GiB of distributions",
                why="a build gets copies of them",
                next_step="serve them over HTTP, or keep there only what this project needs",
            )
        for name, path in files.items():
            info = tarfile.TarInfo(name.lstrip("/"))
            info.size, info.mode = sizes[name], 0o644
            yield info.tobuf(tarfile.PAX_FORMAT)
            with path.open("rb") as stream:
                left = info.size
                while left:
                    # A file that is written meanwhile goes in at the length that it had.
                    chunk = stream.read(min(_CHUNK, left)) or bytes(min(_CHUNK, left))
                    left -= len(chunk)
                    yield chunk
            yield bytes(-info.size % tarfile.BLOCKSIZE)
    except OSError as error:
        raise InstallError(f"a local distribution cannot be read: {error}") from None
    yield bytes(2 * tarfile.BLOCKSIZE)


def _in(folder: Path, endings: tuple[str, ...]) -> Iterator[Path]:
    return (path for path in _listed(folder) if path.name.endswith(endings) and path.is_file())


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _linked(page: Path) -> Iterator[Path]:
    """Distributions of this machine that *page* links to."""
    try:
        with page.open("rb") as stream:
            hrefs = _HREF.findall(stream.read(_MAXIMUM_PAGE))
    except OSError:
        return
    for href in hrefs:
        name = urllib.parse.unquote(href.decode("utf-8", "replace")).removeprefix("file://")
        if "://" not in name and "\0" not in name:
            path = (page.parent / name).resolve()
            if path.name.endswith(_DISTRIBUTIONS) and path.is_file():
                yield path
