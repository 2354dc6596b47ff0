"""Where the loader finds the libraries that an artifact's files need."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

from .elf import Elf
from .filetree import FileTree
from .system import System, find_in

_TOKEN = re.compile(r"\$(?:\{(ORIGIN|LIB|PLATFORM)\}|(ORIGIN|LIB|PLATFORM))")
# Of one file; a hostile one can name thousands.
_MAXIMUM_FOLDERS = 64
_MAXIMUM_LOADERS = 200


class LibrarySearch:
    """The libraries of an artifact's *tree* and of the *system* that it is loaded on."""

    def __init__(self, tree: FileTree, system: System) -> None:
        self._tree = tree
        self._system = system
        self._all = tree.over(system.tree)
        self.own = self._names()
        """Path by soname or file name of every library that the artifact brings."""
        self._loaders = self._loaders_by_name()

    def elf(self, path: str) -> Elf | None:
        """The readable file at *path*, of the artifact or the system."""
        return self._all.elf(path)

    def find(self, name: str, path: str, elf: Elf) -> str | None:
        """Where *name* is found for the file *path*: empty for nowhere, None for not known."""
        if "/" in name:
            return self._all.real(name) if self._all.elf(name) is not None else ""
        origin = posixpath.dirname(self._all.real(path))
        own = [] if elf.runpath else list(self._expanded(elf.rpath, origin))
        later = list(self._expanded(elf.runpath, origin))
        folders = (*own, *self._system.before, *later, *self._system.after)
        place = find_in(self._all, folders, name, self._system.machine)
        if place is not None:
            return place[0]
        loaded = self._loaded_before(name, path)
        if loaded:
            return loaded
        declared = self._system.declared
        if declared is None:
            return ""
        there = declared.has(name)
        return None if there is None else f"({self._system.name})" if there else ""

    def _names(self) -> dict[str, str]:
        by_name: dict[str, str] = {}
        for path, compiled in self._tree.files.items():
            if compiled.elf is not None and compiled.elf.machine == self._system.machine:
                by_name.setdefault(posixpath.basename(path), path)
                if compiled.elf.soname:
                    by_name.setdefault(compiled.elf.soname, path)
        return by_name

    def _loaders_by_name(self) -> Mapping[str, list[tuple[str, Elf]]]:
        """By the name of a library, the artifact's files that need it."""
        loaders: defaultdict[str, list[tuple[str, Elf]]] = defaultdict(list)
        for path, compiled in self._tree.files.items():
            elf = compiled.elf
            if elf is not None and elf.machine == self._system.machine:
                for name in elf.needed:
                    loaders[name].append((path, elf))
        return loaders

    def _loaded_before(self, name: str, path: str) -> str:
        """Where *name* is found by the files that load the library at *path*; empty for nowhere.

        What loads a library loads its own needs first, and passes its ``RPATH`` on: a wheel's own
        libraries often have no path at all.
        """
        target = self.own.get(name)
        if target is None:
            return ""
        seen = {path}
        pending = [path]
        while pending and len(seen) < _MAXIMUM_LOADERS:
            library = pending.pop()
            for loader, elf in self._loaders.get(self._name_of(library), ()):
                if loader in seen:
                    continue
                seen.add(loader)
                pending.append(loader)
                origin = posixpath.dirname(self._all.real(loader))
                own = elf.runpath or elf.rpath
                inherited = "" if elf.runpath else elf.rpath
                folders = self._expanded(own if name in elf.needed else inherited, origin)
                place = find_in(self._all, folders, name, self._system.machine)
                if place is not None:
                    return place[0]
        return ""

    def _name_of(self, path: str) -> str:
        elf = self._all.elf(path)
        return (elf.soname if elf is not None else "") or posixpath.basename(path)

    def _expanded(self, path: str, origin: str) -> Iterator[str]:
        machine = self._system.machine
        library = "lib64" if machine in ("aarch64", "x86_64") else "lib"
        values = {"ORIGIN": origin, "LIB": library, "PLATFORM": machine}
        for folder in path.split(":")[:_MAXIMUM_FOLDERS]:
            expanded = _TOKEN.sub(lambda token: values[token[1] or token[2]], folder)
            if expanded.startswith("/"):
                yield posixpath.normpath(expanded)
