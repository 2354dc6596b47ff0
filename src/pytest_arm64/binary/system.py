"""What a target gives to a compiled file: libraries with their versions, and where they lie.

Looked up in the image, where there is one; otherwise what the target declares, which leaves
questions open.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from typing import ClassVar

from ..config.targets import IMAGE, ZIP, Target
from ..records import Layout, decode, encode
from .declared import Declared, numbers
from .elf import Elf, VersionNeed
from .filetree import Compiled, FileTree
from .pages import MUSL, Pages

_DEFAULT_FOLDERS = ("/lib64", "/usr/lib64", "/lib", "/usr/lib")
_MUSL_FOLDERS = ("/lib", "/usr/local/lib", "/usr/lib")
_DEBIAN_NAMES = {"aarch64": "aarch64-linux-gnu", "x86_64": "x86_64-linux-gnu"}


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
    def pages(self) -> Pages:
        """Its pages, and the loader that maps files into them."""
        return Pages(self.page_size, self.loader)

    @cached_property
    def loader(self) -> str:
        """Version of glibc, ``musl``, or empty where that is not known."""
        if self.declared is not None:
            return self.declared.glibc
        libc = self.find("libc.so.6")
        if libc is not None:
            found = [version.removeprefix("GLIBC_") for version in libc[1].defines]
            return max(found, key=numbers, default="")
        musl = f"/lib/ld-musl-{self.machine}.so.1"
        return MUSL if musl in self.tree.files or musl in self.tree.links else ""

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

    JSON: ClassVar[Layout] = Layout(name="record of libraries")

    name: str
    machine: str
    page_size: int
    before: tuple[str, ...]
    after: tuple[str, ...]
    links: Mapping[str, str]
    files: Mapping[str, Elf]


def declared_system(target: Target, machine: str = "aarch64") -> System:
    """What *target* declares; nothing was looked at."""
    return System(
        name=f"declared data of {target.name}{_deployed(target)}",
        machine=machine,
        page_size=target.facts.page_size,
        before=target.library_path,
        declared=Declared(target.glibc, target.facts),
    )


def _deployed(target: Target) -> str:
    """How a function is deployed, where the target's name says something else."""
    named = ZIP if "-zip-" in target.name else IMAGE
    return f" as {target.package}" if target.package not in ("", named) else ""


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
