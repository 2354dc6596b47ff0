"""What a target gives to a compiled file: libraries with their versions, and where they lie.

Looked up in the image, where there is one; otherwise what the target declares, which leaves
questions open.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from typing import ClassVar

from ..config.targets import Target
from ..records import Layout, decode, encode
from .elf import Elf, VersionNeed
from .filetree import Compiled, FileTree

_DEFAULT_FOLDERS = ("/lib64", "/usr/lib64", "/lib", "/usr/lib")
_MUSL_FOLDERS = ("/lib", "/usr/local/lib", "/usr/lib")
_DEBIAN_NAMES = {"aarch64": "aarch64-linux-gnu", "x86_64": "x86_64-linux-gnu"}
# Part of glibc 2.34 for all architectures, and of libgcc and libstdc++, which every image has
# that has Python or its package manager.
_OF_GLIBC = frozenset(
    [
        *("libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1"),
        *("libutil.so.1", "libresolv.so.2", "libanl.so.1", "ld-linux-aarch64.so.1"),
        *("ld-linux-x86-64.so.2", "libthread_db.so.1", "libBrokenLocale.so.1"),
    ]
)
_VERSION = re.compile(r"(GLIBC|GLIBCXX|CXXABI|GCC|ZLIB)_(\d+(?:\.\d+)*)\Z")
# The version of glibc in which a marker without a number appeared.
_MARKERS = {"GLIBC_ABI_DT_RELR": (2, 36), "GLIBC_ABI_DT_X86_64_PLT": (2, 42)}


@dataclass(frozen=True)
class Declared:
    """Newest versions by prefix (``GLIBC``: ``2.34``), and libraries that are there or not."""

    versions: Mapping[str, str]
    there: frozenset[str] = frozenset()
    lacks: frozenset[str] = frozenset()

    def has(self, library: str) -> bool | None:
        """Whether *library* is there; None where nothing was declared about it."""
        if library in self.lacks:
            return False
        if library in self.there:
            return True
        if library in _OF_GLIBC:
            return bool(self.versions.get("GLIBC")) or None
        prefix = {"libstdc++.so.6": "GLIBCXX", "libgcc_s.so.1": "GCC"}.get(library, "")
        return bool(self.versions.get(prefix)) or None

    def provides(self, version: str) -> bool | None:
        """Whether symbols of *version* are there; None where that is not known."""
        wanted: tuple[int, ...]
        if version in _MARKERS:
            prefix, wanted = "GLIBC", _MARKERS[version]
        else:
            match = _VERSION.match(version)
            if match is None:
                return None
            prefix, wanted = match[1], _numbers(match[2])
        newest = _numbers(self.versions.get(prefix, ""))
        return newest >= wanted if newest else None


@dataclass(frozen=True)
class System:
    """One target's side of every comparison."""

    name: str
    """What it is, for people: an image with its id, or a target's declared data."""
    machine: str
    page_size: int
    tree: FileTree = field(default_factory=FileTree)
    before: tuple[str, ...] = ()
    """Folders of ``LD_LIBRARY_PATH``."""
    after: tuple[str, ...] = ()
    """Folders that the loader searches last."""
    declared: Declared | None = None

    @cached_property
    def everywhere(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.before, *self.after)))

    def find(self, library: str) -> tuple[str, Elf] | None:
        """Path and content of *library* where the loader finds it without further hints."""
        return find_in(self.tree, self.everywhere, library, self.machine)

    def lacks(self, need: VersionNeed) -> bool:
        """Whether it is certain that *need* is not met by the system's own library."""
        if self.declared is not None:
            return self.declared.provides(need.version) is False
        library = self.find(need.library)
        return (
            library is not None
            and bool(library[1].defines)
            and need.version not in library[1].defines
        )

    def to_json(self) -> dict[str, object]:
        """The looked-up side, for the cache."""
        files = {p: c.elf for p, c in self.tree.files.items() if c.elf is not None}
        stored = _Stored(
            *(self.name, self.machine, self.page_size, self.before, self.after),
            *(self.tree.links, files),
        )
        return dict(encode(stored))

    @classmethod
    def from_json(cls, data: object) -> System:
        """What ``to_json`` gave.

        Raises:
            ValueError: it is damaged.
        """
        stored = decode(_Stored, data)
        files = {path: Compiled(elf) for path, elf in stored.files.items()}
        tree = FileTree(files, stored.links)
        return cls(stored.name, stored.machine, stored.page_size, tree, stored.before, stored.after)


@dataclass(frozen=True)
class _Stored:
    """A system as the cache has it."""

    JSON: ClassVar = Layout(name="record of libraries")

    name: str
    machine: str
    page_size: int
    before: tuple[str, ...]
    after: tuple[str, ...]
    links: Mapping[str, str]
    files: Mapping[str, Elf]


def declared_system(target: Target, machine: str = "aarch64") -> System:
    """What *target* declares; nothing was looked at."""
    versions = {"GLIBC": target.glibc, **dict(target.symbols)}
    return System(
        name=f"declared data of {target.name}",
        machine=machine,
        page_size=4096,
        before=target.library_path,
        declared=Declared(versions, frozenset(target.has), frozenset(target.lacks)),
    )


def looked_up_system(
    tree: FileTree, *, name: str, machine: str, page_size: int, library_path: str
) -> System:
    """The system in *tree*, a whole file system; what the loader cannot reach is left out.

    *library_path* is the image's ``LD_LIBRARY_PATH``.
    """
    before = tuple(folder for folder in library_path.split(":") if folder.startswith("/"))
    after = tuple(dict.fromkeys(_search_path(tree, machine)))
    folders = {tree.real(folder) for folder in (*before, *after)}
    files = {p: c for p, c in tree.files.items() if posixpath.dirname(p) in folders}
    # A library may be a link to elsewhere (/etc/alternatives).
    for path in tree.links:
        if posixpath.dirname(path) in folders:
            real = tree.real(path)
            if real in tree.files:
                files[real] = tree.files[real]
    return System(name, machine, page_size, FileTree(files, tree.links), before, after)


def find_in(
    tree: FileTree, folders: Iterable[str], library: str, machine: str
) -> tuple[str, Elf] | None:
    """The first *library* for *machine* in *folders*; as the loader, over those for others."""
    for folder in folders:
        path = f"{folder.rstrip('/')}/{library}"
        elf = tree.elf(path)
        if elf is not None and elf.machine == machine:
            return tree.real(path), elf
    return None


def _search_path(tree: FileTree, machine: str) -> Iterator[str]:
    if "/etc/ld.so.conf" not in tree.texts and any(
        path.startswith("/lib/ld-musl-") for path in (*tree.files, *tree.links)
    ):
        yield from _MUSL_FOLDERS
        return
    yield from _configured(tree, "/etc/ld.so.conf", ())
    name = _DEBIAN_NAMES.get(machine)
    if name:
        yield from (f"/lib/{name}", f"/usr/lib/{name}")
    yield from _DEFAULT_FOLDERS


def _configured(tree: FileTree, path: str, parents: Sequence[str]) -> Iterator[str]:
    """Folders of the configuration file *path*, included files in their order."""
    for line in tree.texts.get(path, "").splitlines():
        words = line.partition("#")[0].split()
        if words[:1] == ["include"]:
            for pattern in words[1:]:
                full = posixpath.normpath(posixpath.join(posixpath.dirname(path), pattern))
                for other in sorted(tree.texts):
                    if fnmatchcase(other, full) and other not in (path, *parents):
                        yield from _configured(tree, other, (path, *parents))
        elif words and words[0].startswith("/"):
            yield words[0]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split("."))) if re.fullmatch(r"[\d.]*\d", version) else ()
