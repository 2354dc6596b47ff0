"""What was mapped while tests ran, beside what the files had announced."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from .record import AbiRecord

PACKAGE, NEEDED, IMAGE, ELSEWHERE = "package", "needed", "image", "elsewhere"
# What an image brings, and no package.
_SYSTEM = ("/lib", "/lib64", "/usr", "/var/lang", "/var/runtime")


@dataclass(frozen=True)
class Mapped:
    """A library that a process of the tests had loaded."""

    path: str
    origin: str
    """``package``: its file was read before. ``needed``: a file announced it, and it was foreseen
    there. ``image``: the image's own, which no package announced: the interpreter's, or opened by
    name. ``elsewhere``: nobody knew of it: made by a test, or the project's own.
    """
    package: str = ""
    instead_of: str = ""
    """Where a library of its name was foreseen, which was not loaded."""


def mapped_files(record: AbiRecord, home: str, paths: Iterable[str]) -> tuple[Mapped, ...]:
    """Each of *paths*, as *record* foresaw it.

    Args:
        record: what was read of the environment, whose paths may be relative to *home* or to the
            root.
        home: an absolute folder.
        paths: absolute, as a process's maps have them.
    """
    mapped = sorted(set(paths))
    owned = {path: file.package for file in record.files for path in _absolute(file.path, home)}
    needed = {
        path: library
        for file in record.files
        for library, place in file.needed.items()
        if place
        for path in _absolute(place, home)
    }
    foreseen: dict[str, str] = {}
    for path, library in needed.items():
        if path in mapped or library not in foreseen:
            foreseen[library] = path
    return tuple(_of(mapped, owned, needed, foreseen))


def _of(
    mapped: list[str],
    owned: Mapping[str, str],
    needed: Mapping[str, str],
    foreseen: Mapping[str, str],
) -> Iterator[Mapped]:
    for path in mapped:
        if path in owned:
            yield Mapped(path, PACKAGE, owned[path])
            continue
        if path in needed:
            yield Mapped(path, NEEDED)
            continue
        other = foreseen.get(posixpath.basename(path), "")
        origin = IMAGE if path.startswith(tuple(f"{folder}/" for folder in _SYSTEM)) else ELSEWHERE
        yield Mapped(path, origin, instead_of=other if other not in mapped else "")


def _absolute(path: str, home: str) -> tuple[str, ...]:
    return (path,) if path.startswith("/") else (f"{home}/{path}", f"/{path}")
