"""What the directory of a wheel says: what it unpacks to, its extension modules, its libraries."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..index.archives import ArchiveError

_MOST_BYTES = 2**50
_MOST_NAMES = 4_000
_LONGEST_NAME = 250
_INSTALLED_BELOW = re.compile(r"^[^/]+\.data/(?:purelib|platlib)/")
_MODULE = re.compile(
    r"(?P<stem>(?:[^/]+/)*[^/.]+)\.(?P<tag>cpython-[\w-]+\.|pypy\w*-[\w-]+\.|abi3\.|abi3t\.)?so"
)
# auditwheel puts libraries into NAME.libs, each with eight digits of its hash.
_BUNDLED = re.compile(r"(?:^|/)[^/]+\.libs/(?P<base>[^/]+?)(?:-[0-9a-f]{8})+\.(?P<rest>[^/]+)$")


@dataclass(frozen=True)
class Listing:
    """One wheel, by its directory alone."""

    unpacked: int
    """Bytes of its files once they are installed, without byte-code."""
    modules: tuple[str, ...] = ()
    """Extension modules: paths without what differs between machines."""
    libraries: tuple[str, ...] = ()
    """Libraries that were copied into it, each with the version in its file name."""


def listing(opened: zipfile.ZipFile) -> Listing:
    """What *opened* lists.

    Raises:
        ArchiveError: it lists more names than are worth comparing.
    """
    infos = opened.infolist()
    paths = [info.filename for info in infos]
    total = sum(info.file_size for info in infos)
    return Listing(min(total, _MOST_BYTES), _limited(_modules(paths)), _limited(_libraries(paths)))


def _modules(paths: Iterable[str]) -> Iterator[str]:
    for path in paths:
        match = _MODULE.fullmatch(_INSTALLED_BELOW.sub("", path))
        if match is None:
            continue
        stem = match["stem"]
        # Without a tag, a name tells modules from libraries that they load.
        if match["tag"] or not stem.rpartition("/")[2].startswith("lib"):
            yield stem


def _libraries(paths: Iterable[str]) -> Iterator[str]:
    for path in paths:
        match = _BUNDLED.search(path)
        if match is not None:
            version = ".".join(part for part in match["rest"].split(".") if part != "so")
            yield f"{match['base']} {version}".rstrip()


def _limited(names: Iterable[str]) -> tuple[str, ...]:
    distinct = sorted({name for name in names if _harmless(name)})
    if len(distinct) > _MOST_NAMES:
        raise ArchiveError("it holds too many compiled files")
    return tuple(distinct)


def _harmless(name: str) -> bool:
    return len(name) <= _LONGEST_NAME and name.isprintable()
