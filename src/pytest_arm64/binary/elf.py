"""One ELF file: what it is, what it needs, what it provides, as the loader would read it.

Every table is found through the program headers, as the loader finds it; sections may be missing
or lie. Files come from strangers: each read is bounded, and whatever does not add up is an
``ElfError``. This reader scans thousands of files; what it finds wrong, ``second_reader`` confirms.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from .pages import congruence

Buffer = bytes | memoryview | mmap.mmap

MAGIC = b"\x7fELF"
_MAXIMUM_TAGS = 4096
_MAXIMUM_NEEDED = 1024
_MAXIMUM_VERSIONS = 4096
_MAXIMUM_RELOCATIONS = 4_000_000
_MAXIMUM_PATH = 4096
_MAXIMUM_NAME = 1024
# Of all names of a file: of 1,617 libraries of a Debian 12 the most was 1.1 KiB (2026-11-30).
_MAXIMUM_NAMES = 64 * 2**10
_ENTRY = 300

_KINDS = {1: "object", 2: "executable", 3: "library", 4: "core"}
_MACHINES = {
    (3, "<"): "i386",
    (8, ">"): "mips",
    (8, "<"): "mipsel",
    (20, ">"): "ppc",
    (21, ">"): "ppc64",
    (21, "<"): "ppc64le",
    (22, ">"): "s390x",
    (40, "<"): "arm",
    (62, "<"): "x86_64",
    (183, "<"): "aarch64",
    (183, ">"): "aarch64_be",
    (243, "<"): "riscv64",
    (258, "<"): "loongarch64",
}
_PT_LOAD, _PT_DYNAMIC, _PT_INTERP, _PT_TLS, _PT_GNU_STACK = 1, 2, 3, 7, 0x6474E551
_DT_NULL, _DT_NEEDED, _DT_STRTAB = 0, 1, 5
_DT_SONAME, _DT_RPATH, _DT_RUNPATH = 14, 15, 29
_DT_VERDEF, _DT_VERDEFNUM = 0x6FFFFFFC, 0x6FFFFFFD
_DT_VERNEED, _DT_VERNEEDNUM = 0x6FFFFFFE, 0x6FFFFFFF
_DT_FLAGS, _DF_STATIC_TLS = 30, 0x10
_DT_RELA, _DT_RELASZ, _RELOCATION = 7, 8, 24
_AARCH64, _TPREL = 183, 1030  # R_AARCH64_TLS_TPREL. Source: Arm, ELF for AArch64 (aaelf64)
_DT_FLAGS_1, _DF_1_PIE = 0x6FFFFFFB, 0x08000000
_LINUX_ABIS = (0, 3)  # System V, which Linux uses, and GNU
_EXECUTE = 1
_WEAK = 2
_BASE = 1


class ElfError(Exception):
    """It begins like an ELF file and cannot be read as one."""


@dataclass(frozen=True)
class VersionNeed:
    """A version of symbols that must be found in a library."""

    library: str
    version: str
    weak: bool = False
    """Its absence is only warned of by the loader."""


@dataclass(frozen=True)
class Elf:
    """Everything about one file that decides whether it loads."""

    machine: str
    """As ``uname -m`` names it where that is known."""
    bits: int
    kind: str
    """library, executable, object or core; a position-independent program is an executable."""
    interpreter: str = ""
    soname: str = ""
    needed: tuple[str, ...] = ()
    rpath: str = ""
    runpath: str = ""
    needs: tuple[VersionNeed, ...] = ()
    defines: tuple[str, ...] = ()
    """Versions of symbols that it provides."""
    alignment: int = 0
    """Smallest alignment of a loaded segment, in bytes; less than a page cannot be mapped."""
    executable_stack: bool = False
    congruence: int = 0
    """Bytes within which address and offset of every loaded segment agree; 0 where always."""
    tls: int = 0
    """Bytes of thread-local storage that each thread has for it, aligned."""
    static_tls: bool = False
    """Whether that must be static, which a process that runs has little of."""

    @property
    def weight(self) -> int:
        """About how many bytes of memory its tables take."""
        libraries = {need.library for need in self.needs}
        versions = [need.version for need in self.needs]
        names = (*self.needed, *self.defines, *libraries, *versions)
        return sum(map(len, names), _ENTRY * (len(names) + 1))


def read_elf(data: Buffer) -> Elf:
    """What the ELF file *data* is.

    Raises:
        ElfError: it is damaged.
    """
    return _File(data).describe()


def elf_machine(start: Buffer) -> str:
    """The machine of the Linux file that begins with *start*; empty where that is no ELF file.

    Twenty bytes decide; a file for another system, like FreeBSD, does not count.
    """
    ident = bytes(start[:20])
    if len(ident) < 20 or ident[:4] != MAGIC or ident[5] not in (1, 2):
        return ""
    if ident[7] not in _LINUX_ABIS:
        return ""
    order = "<" if ident[5] == 1 else ">"
    (machine,) = struct.unpack_from(f"{order}H", ident, 18)
    return _MACHINES.get((machine, order), f"machine {machine}")


class _File:
    def __init__(self, data: Buffer) -> None:
        self._data = data
        self._size = len(data)
        ident = bytes(data[:16])
        if ident[:4] != MAGIC or len(ident) < 16:
            raise ElfError("it is not an ELF file")
        if ident[4] not in (1, 2) or ident[5] not in (1, 2):
            raise ElfError("its class or byte order is unknown")
        self._wide = ident[4] == 2
        self._order = "<" if ident[5] == 1 else ">"
        words = "QQQ" if self._wide else "III"
        header = self._unpack(f"HHI{words}IHHHHHH", 16)
        self._type, self._machine, program_headers = header[0], header[1], header[4]
        size, count = header[8], header[9]
        self._segments = list(self._program_headers(program_headers, size, count))
        self._loads = [s for s in self._segments if s[0] == _PT_LOAD]
        self._tags = list(self._dynamic())
        self._values = dict(self._tags)
        self._names = 0
        self._strings = self._offset(self._values[_DT_STRTAB]) if _DT_STRTAB in self._values else -1

    def describe(self) -> Elf:
        interpreter = next(
            (self._string(s[2], s[4]) for s in self._segments if s[0] == _PT_INTERP), ""
        )
        kind = _KINDS.get(self._type, f"type {self._type}")
        if kind == "library" and self._values.get(_DT_FLAGS_1, 0) & _DF_1_PIE:
            kind = "executable"
        return Elf(
            machine=_MACHINES.get((self._machine, self._order), f"machine {self._machine}"),
            bits=64 if self._wide else 32,
            kind=kind,
            interpreter=interpreter,
            soname=self._text(_DT_SONAME),
            needed=tuple(self._needed()),
            rpath=self._text(_DT_RPATH, _MAXIMUM_PATH),
            runpath=self._text(_DT_RUNPATH, _MAXIMUM_PATH),
            needs=tuple(self._version_needs()),
            defines=tuple(self._version_definitions()),
            alignment=min((s[5] for s in self._loads), default=0),
            congruence=self._congruence(),
            tls=next((_aligned(s[6], s[5]) for s in self._segments if s[0] == _PT_TLS), 0),
            static_tls=self._needs_static_tls(),
            executable_stack=any(s[0] == _PT_GNU_STACK and s[1] & _EXECUTE for s in self._segments),
        )

    def _needs_static_tls(self) -> bool:
        """Whether its thread-local storage must be static.

        Linkers for AArch64 often leave the flag out; the relocation is what glibc goes by.
        """
        if self._values.get(_DT_FLAGS, 0) & _DF_STATIC_TLS:
            return True
        if (self._machine, self._wide) != (_AARCH64, True) or _DT_RELA not in self._values:
            return False
        if not any(segment[0] == _PT_TLS for segment in self._segments):
            return False
        size = min(self._values.get(_DT_RELASZ, 0), _MAXIMUM_RELOCATIONS * _RELOCATION)
        if not size:
            return False
        start = self._offset(self._values[_DT_RELA])
        table = bytes(self._data[start : start + size])
        low, high = table[8::_RELOCATION], table[9::_RELOCATION]
        place = low.find(_TPREL & 255)
        while place >= 0:
            if high[place : place + 1] == bytes([_TPREL >> 8]):
                return True
            place = low.find(_TPREL & 255, place + 1)
        return False

    def _congruence(self) -> int:
        found = (congruence(address, offset) for _, _, offset, address, *_ in self._loads)
        return min(filter(None, found), default=0)

    def _unpack(self, form: str, offset: int) -> tuple[int, ...]:
        try:
            return struct.unpack_from(self._order + form, self._data, offset)
        except (struct.error, OverflowError):
            raise ElfError("it ends before what it announces") from None

    def _program_headers(
        self, offset: int, size: int, count: int
    ) -> Iterator[tuple[int, int, int, int, int, int, int]]:
        """Type, flags, offset, address, size in the file, alignment, size in memory."""
        for number in range(count):
            place = offset + number * size
            if self._wide:
                kind, flags, start, address, _, length, size_there, align = self._unpack(
                    "IIQQQQQQ", place
                )
            else:
                kind, start, address, _, length, size_there, flags, align = self._unpack(
                    "IIIIIIII", place
                )
            yield kind, flags, start, address, length, align, size_there

    def _dynamic(self) -> Iterator[tuple[int, int]]:
        form, size = ("qQ", 16) if self._wide else ("iI", 8)
        for kind, _, start, _, length, *_ in self._segments:
            if kind != _PT_DYNAMIC:
                continue
            for number in range(length // size):
                tag, value = self._unpack(form, start + number * size)
                if tag == _DT_NULL:
                    return
                if number >= _MAXIMUM_TAGS:
                    raise ElfError("its dynamic table has no end")
                yield tag, value
            return

    def _offset(self, address: int) -> int:
        for _, _, start, begin, length, *_ in self._loads:
            if begin <= address < begin + length:
                return start + address - begin
        raise ElfError("a table of it lies in no segment")

    def _needed(self) -> Iterator[str]:
        values = [value for tag, value in self._tags if tag == _DT_NEEDED]
        if len(values) > _MAXIMUM_NEEDED:
            raise ElfError(f"it needs {len(values)} libraries")
        yield from map(self._name, values)

    def _text(self, tag: int, limit: int = _MAXIMUM_NAME) -> str:
        return self._name(self._values[tag], limit) if tag in self._values else ""

    def _name(self, index: int, limit: int = _MAXIMUM_NAME) -> str:
        if self._strings < 0:
            raise ElfError("it has no table of strings")
        name = self._string(self._strings + index, limit)
        # Tables may name the same bytes thousands of times.
        self._names += len(name)
        if self._names > _MAXIMUM_NAMES:
            raise ElfError("its names are too long to be names")
        return name

    def _string(self, offset: int, limit: int) -> str:
        limit = min(limit, _MAXIMUM_PATH)
        content, end, _ = bytes(self._data[offset : offset + limit]).partition(b"\0")
        if not end:
            raise ElfError("a name in it has no end")
        return content.decode("utf-8", "backslashreplace")

    def _version_needs(self) -> Iterator[VersionNeed]:
        if _DT_VERNEED not in self._values:
            return
        place = self._offset(self._values[_DT_VERNEED])
        budget = _MAXIMUM_VERSIONS
        for _ in range(self._values.get(_DT_VERNEEDNUM, 0)):
            _, count, file, first, following = self._unpack("HHIII", place)
            library, entry = self._name(file), place + first
            for _ in range(count):
                budget -= 1
                _, flags, _, name, behind = self._unpack("IHHII", entry)
                yield VersionNeed(library, self._name(name), bool(flags & _WEAK))
                if budget < 0:
                    raise ElfError("its table of needed versions has no end")
                entry += behind
                if not behind:
                    break
            place += following
            budget -= 1
            if not following:
                return
            if budget < 0:
                raise ElfError("its table of needed versions has no end")

    def _version_definitions(self) -> Iterator[str]:
        if _DT_VERDEF not in self._values:
            return
        place = self._offset(self._values[_DT_VERDEF])
        for number in range(self._values.get(_DT_VERDEFNUM, 0)):
            if number >= _MAXIMUM_VERSIONS:
                raise ElfError("its table of versions has no end")
            _, flags, _, _, _, first, following = self._unpack("HHHHIII", place)
            if not flags & _BASE:  # the base names the file itself
                (name,) = self._unpack("I", place + first)
                yield self._name(name)
            if not following:
                return
            place += following


def _aligned(size: int, alignment: int) -> int:
    return -(-size // alignment) * alignment if alignment > 1 else size
