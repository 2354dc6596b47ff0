"""Compiled files against a system: will each of them load, and if not, for want of what?"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from itertools import chain, islice

from .declared import numbers
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
    NEWER_RELEASE,
    PAGE_SIZE,
    STATIC_TLS,
    UNKNOWN,
    UNREADABLE,
    WHEEL_TAG,
    WRONG_ARCHITECTURE,
    AbiFinding,
    AbiRecord,
    CompiledFile,
)
from .search import LibrarySearch
from .siblings import Siblings
from .static_tls import shortage
from .system import System
from .wheel_tags import promised_glibc

_OPENMP = re.compile(r"lib(gomp|omp|iomp5)\b")
# Of one file; a hostile one can name thousands.
_MAXIMUM_FINDINGS = 64
_SHOWN_COPIES = 3


def judge(artifact: str, tree: FileTree, root: str, system: System, manager: str) -> AbiRecord:
    """The record of every compiled file of *tree*, loaded on *system*.

    Args:
        artifact: what the files belong to, for people.
        tree: the files.
        root: where they lie; the record's paths are relative to it.
        system: what is there besides.
        manager: ``Target.manager``, for fixes.
    """
    return _Judge(tree, root, system, manager).record(artifact)


class _Judge:
    def __init__(self, tree: FileTree, root: str, system: System, manager: str) -> None:
        self._tree = tree
        self._root = root.rstrip("/") + "/"
        self._system = system
        self._manager = manager
        self._owners = owners(tree)
        self._search = LibrarySearch(tree, system)
        self._siblings = Siblings(tree, self._root, system.machine)

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
                needed = {name: self._search.find(name, path, elf) for name in elf.needed}
                kind, machine, versions = elf.kind, elf.machine, tuple(newest_versions(elf))
                findings += self._judge(path, elf, needed)
            shown = {k: self._relative(v or "") for k, v in needed.items()}
            files.append(
                CompiledFile(
                    self._relative(path), machine, kind, self._owner(path), shown, versions
                )
            )
        findings += self._openmp()
        findings += self._static_tls()
        findings += self._tags()
        return AbiRecord(
            artifact=artifact,
            against=self._system.name,
            machine=self._system.machine,
            looked_up=self._system.declared is None,
            files=tuple(files),
            findings=tuple(findings),
        )

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
        unmappable = self._system.pages.problem(elf.alignment, elf.congruence)
        if unmappable:
            yield self._finding(
                path,
                PAGE_SIZE,
                f"{unmappable}, and a page of the target has {self._system.page_size}",
                grave=True,
                remedy="link it with -z max-page-size=65536",
            )
        if elf.executable_stack:
            yield self._finding(
                path,
                EXECUTABLE_STACK,
                "it requires an executable stack, which glibc 2.41 and hardened kernels refuse",
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
            if name in self._search.own:
                elsewhere = self._relative(self._search.own[name])
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
                    remedy=library_fix(name, self._manager),
                )

    def _version(
        self, path: str, need: VersionNeed, needed: Mapping[str, str | None]
    ) -> Iterator[AbiFinding]:
        place = needed.get(need.library)
        if need.weak or not place:
            return  # of a library that is missing, nothing more is to be said
        provided = self._provided(need, place)
        if provided:
            yield from self._newer_release(path, need, place)
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

    def _newer_release(self, path: str, need: VersionNeed, place: str) -> Iterator[AbiFinding]:
        """That not every image in use of the target has what *need* names."""
        declared = self._system.declared
        if declared is None or self._search.elf(place) is not None:
            return
        since = declared.since(need.version)
        if since:
            yield self._finding(
                path,
                NEWER_RELEASE,
                f"it needs {need.version} of {need.library}, which older images in use do not have",
                grave=False,
                library=need.library,
                version=need.version,
                remedy=f"deploy on {since}",
            )

    def _provided(self, need: VersionNeed, place: str) -> bool | None:
        elf = self._search.elf(place)
        if elf is not None:
            return not elf.defines or need.version in elf.defines
        declared = self._system.declared
        return declared.provides(need.version) if declared is not None else None

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

    def _static_tls(self) -> Iterator[AbiFinding]:
        """Libraries that may not all be loaded into one process."""
        files = {path: c.elf for path, c in self._tree.files.items() if c.elf is not None}
        short = shortage(files, self._system.machine, self._system.loader)
        if short is not None:
            yield self._finding(
                short.largest, STATIC_TLS, short.text, grave=False, remedy=short.remedy
            )

    def _tags(self) -> Iterator[AbiFinding]:
        """Packages whose files need a newer glibc than the tags of their wheel say."""
        newest: dict[str, tuple[tuple[int, ...], str]] = {}
        for path, compiled in sorted(self._tree.files.items()):
            owner, elf = self._owners.get(path), compiled.elf
            if owner is None or elf is None or elf.machine != self._system.machine:
                continue
            for version in newest_versions(elf):
                prefix, _, number = version.rpartition("_")
                if prefix == "GLIBC" and numbers(number) > newest.get(owner.name, ((), ""))[0]:
                    newest[owner.name] = (numbers(number), path)
        tags = {owner.name: owner.tags for owner in self._owners.values()}
        for package, (needed, path) in newest.items():
            promised = promised_glibc(tags[package], self._system.machine)
            if promised is not None and needed > promised:
                told, real = (".".join(map(str, version)) for version in (promised, needed))
                yield self._finding(
                    path,
                    WHEEL_TAG,
                    f"its wheel's tag promises glibc {told}, and it needs {real}",
                    grave=False,
                    library="libc.so.6",
                    version=f"GLIBC_{real}",
                    remedy="the true tag is manylinux_"
                    f"{real.replace('.', '_')}_{self._system.machine}: tell its publisher",
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
