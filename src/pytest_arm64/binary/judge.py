"""Compiled files against a system: will each of them load, and if not, for want of what?"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import chain, islice

from .elf import Elf, VersionNeed
from .filetree import FileTree
from .fixes import library_fix, version_fix
from .packages import owners
from .record import (
    ABI_MISMATCH,
    DUPLICATE_OPENMP,
    EXECUTABLE,
    EXECUTABLE_STACK,
    LOAD_ORDER,
    MISSING_LIBRARY,
    NATIVE_IN_PURE,
    PAGE_SIZE,
    UNKNOWN,
    UNREADABLE,
    WRONG_ARCHITECTURE,
    AbiFinding,
    AbiRecord,
    CompiledFile,
)
from .siblings import Siblings
from .system import System, find_in

_TOKEN = re.compile(r"\$(?:\{(ORIGIN|LIB|PLATFORM)\}|(ORIGIN|LIB|PLATFORM))")
_OPENMP = re.compile(r"lib(gomp|omp|iomp5)\b")
# Of one file; a hostile one can name thousands.
_MAXIMUM_FINDINGS = 64
_MAXIMUM_FOLDERS = 64
_SHOWN_COPIES = 3
_MAXIMUM_LOADERS = 200


def judge(artifact: str, tree: FileTree, root: str, system: System, recipe: str) -> AbiRecord:
    """The record of every compiled file of *tree*, loaded on *system*.

    Args:
        artifact: what the files belong to, for people.
        tree: the files.
        root: where they lie; the record's paths are relative to it.
        system: what is there besides.
        recipe: name of the target's package manager, for fixes.
    """
    return _Judge(tree, root, system, recipe).record(artifact)


class _Judge:
    def __init__(self, tree: FileTree, root: str, system: System, recipe: str) -> None:
        self._tree = tree
        self._root = root.rstrip("/") + "/"
        self._system = system
        self._recipe = recipe
        self._all = tree.over(system.tree)
        self._owners = owners(tree)
        self._by_name = self._names()
        self._siblings = Siblings(tree, self._root, system.machine)
        self._loaders = self._loaders_by_name()

    def record(self, artifact: str) -> AbiRecord:
        files, findings = [], []
        needed: Mapping[str, str | None]
        versions: tuple[str, ...]
        for path, compiled in sorted(self._tree.files.items()):
            if compiled.elf is None:
                kind, machine, needed, versions = UNREADABLE, "", {}, ()
                findings.append(self._finding(path, UNREADABLE, compiled.problem, grave=True))
            else:
                elf = compiled.elf
                needed = {name: self._find(name, path, elf) for name in elf.needed}
                kind, machine, versions = elf.kind, elf.machine, tuple(newest_versions(elf))
                findings += self._judge(path, elf, needed)
            shown = {k: self._relative(v or "") for k, v in needed.items()}
            files.append(
                CompiledFile(
                    self._relative(path), machine, kind, self._owner(path), shown, versions
                )
            )
        findings += self._openmp()
        return AbiRecord(
            artifact=artifact,
            against=self._system.name,
            machine=self._system.machine,
            looked_up=self._system.declared is None,
            files=tuple(files),
            findings=tuple(findings),
        )

    def _names(self) -> dict[str, str]:
        """Path by soname or file name of every library that the artifact brings."""
        by_name: dict[str, str] = {}
        for path, compiled in self._tree.files.items():
            if compiled.elf is not None and compiled.elf.machine == self._system.machine:
                by_name.setdefault(posixpath.basename(path), path)
                if compiled.elf.soname:
                    by_name.setdefault(compiled.elf.soname, path)
        return by_name

    def _owner(self, path: str) -> str:
        owner = self._owners.get(path)
        return owner.name if owner is not None else ""

    def _finding(
        self,
        path: str,
        kind: str,
        text: str,
        *,
        grave: bool,
        library: str = "",
        version: str = "",
        remedy: str = "",
    ) -> AbiFinding:
        owner, shown = self._owner(path), self._relative(path)
        return AbiFinding(shown, kind, text, grave, owner, library, version, remedy=remedy)

    def _relative(self, path: str) -> str:
        return path.removeprefix(self._root)

    def _judge(self, path: str, elf: Elf, needed: Mapping[str, str | None]) -> Iterator[AbiFinding]:
        owner = self._owners.get(path)
        if owner is not None and owner.pure:
            yield self._finding(
                path,
                NATIVE_IN_PURE,
                f"a compiled file for {elf.machine} in a wheel that says it is for any machine",
                grave=False,
            )
        if elf.kind in ("object", "core"):
            return
        if elf.machine != self._system.machine:
            yield self._of_another_machine(path, elf)
            return
        if elf.kind == "executable":
            yield self._finding(path, EXECUTABLE, "a program, run as it is", grave=False)
        if 0 < elf.alignment < self._system.page_size or elf.alignment & (elf.alignment - 1):
            yield self._finding(
                path,
                PAGE_SIZE,
                f"its segments are aligned to {elf.alignment} bytes, and a page of the target has "
                f"{self._system.page_size}",
                grave=True,
                remedy="link it with -z max-page-size=65536",
            )
        if elf.executable_stack:
            yield self._finding(
                path,
                EXECUTABLE_STACK,
                "it asks for an executable stack, which glibc 2.41 and hardened kernels refuse",
                grave=False,
                remedy="link it with -z noexecstack",
            )
        yield from islice(self._libraries(path, needed), _MAXIMUM_FINDINGS)
        versions = (self._version(path, need, needed) for need in elf.needs)
        yield from islice(chain.from_iterable(versions), _MAXIMUM_FINDINGS)

    def _of_another_machine(self, path: str, elf: Elf) -> AbiFinding:
        excuse = self._siblings.excuse(path, elf)
        return self._finding(
            path,
            WRONG_ARCHITECTURE,
            f"it is for {elf.machine}, not {self._system.machine}"
            + (f" ({excuse})" if excuse else ""),
            grave=not excuse,
            remedy="" if excuse else "install a build for this machine, or build it from source",
        )

    def _libraries(self, path: str, needed: Mapping[str, str | None]) -> Iterator[AbiFinding]:
        for name, place in needed.items():
            if place:
                continue
            if name in self._by_name:
                elsewhere = self._relative(self._by_name[name])
                yield self._finding(
                    path,
                    LOAD_ORDER,
                    f"it needs {name}, which is found only after {elsewhere} was loaded",
                    grave=False,
                    library=name,
                )
            elif place is None:
                yield self._finding(
                    path,
                    UNKNOWN,
                    f"whether {name} is there was not declared",
                    grave=False,
                    library=name,
                    remedy="look into the image: pytest-arm64 abi --image IMAGE",
                )
            else:
                yield self._finding(
                    path,
                    MISSING_LIBRARY,
                    f"{name} is not in the image",
                    grave=True,
                    library=name,
                    remedy=library_fix(name, self._recipe),
                )

    def _version(
        self, path: str, need: VersionNeed, needed: Mapping[str, str | None]
    ) -> Iterator[AbiFinding]:
        place = needed.get(need.library)
        if need.weak or not place:
            return  # of a library that is missing, nothing more is to be said
        provided = self._provided(need, place)
        if provided:
            return
        if provided is None:
            yield self._finding(
                path,
                UNKNOWN,
                f"whether {need.library} has {need.version} was not declared",
                grave=False,
                library=need.library,
                version=need.version,
            )
            return
        yield self._finding(
            path,
            ABI_MISMATCH,
            f"it needs {need.version} of {need.library}, which the target does not have",
            grave=True,
            library=need.library,
            version=need.version,
            remedy=version_fix(need.version),
        )

    def _provided(self, need: VersionNeed, place: str) -> bool | None:
        elf = self._all.elf(place)
        if elf is not None:
            return not elf.defines or need.version in elf.defines
        declared = self._system.declared
        return declared.provides(need.version) if declared is not None else None

    def _find(self, name: str, path: str, elf: Elf) -> str | None:
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
        target = self._by_name.get(name)
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

    def _openmp(self) -> Iterator[AbiFinding]:
        """Copies of OpenMP's runtime: each has its own threads and static thread-local storage."""
        copies = [
            path
            for path, compiled in sorted(self._tree.files.items())
            if compiled.elf is not None
            and compiled.elf.machine == self._system.machine
            and _OPENMP.match(posixpath.basename(path))
        ]
        for path in copies if len(copies) > 1 else ():
            near = [self._relative(other) for other in copies[: _SHOWN_COPIES + 1] if other != path]
            others = ", ".join(near[:_SHOWN_COPIES])
            yield self._finding(
                path,
                DUPLICATE_OPENMP,
                f"there are {len(copies)} OpenMP runtimes (also {others}): loaded together they "
                "can run out of static TLS",
                grave=False,
            )


def newest_versions(elf: Elf) -> Iterator[str]:
    """Of each kind of version that *elf* needs, the newest."""
    newest: dict[str, tuple[tuple[int, ...], str]] = {}
    for need in elf.needs:
        prefix, _, number = need.version.rpartition("_")
        if re.fullmatch(r"\d+(\.\d+)*", number):
            rank = (tuple(map(int, number.split("."))), need.version)
            newest[prefix] = max(newest.get(prefix, rank), rank)
    return iter(sorted(version for _, version in newest.values()))
