"""ELF files as pyelftools reads them: the second opinion on what the first reader reports.

Imported only when there is something to confirm. Files come from strangers, and pyelftools follows
chains without a bound: it reads through a stream that ends after so many reads and bytes.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, NamedTuple, cast

from elftools.construct.lib.container import Container
from elftools.elf.descriptions import describe_reloc_type
from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerDefSection, GNUVerNeedSection
from elftools.elf.sections import StringTableSection
from elftools.elf.segments import Segment as ElfSegment

from .elf import Buffer

_MAXIMUM_READS = 40_000
_MAXIMUM_BYTES = 256 * 2**20
_MAXIMUM_SYMBOLS = 4_000_000
_MAXIMUM_RELOCATIONS = 4_000_000
_SHOWN_SYMBOLS = 8
_SYMBOL, _RELOCATION = struct.Struct("<IBBHQQ"), struct.Struct("<QQq")
_GLOBAL = 1
_MACHINES = {"aarch64": "EM_AARCH64", "x86_64": "EM_X86_64"}


class Import(NamedTuple):
    """A symbol that the file takes from another library."""

    name: str
    place: str
    """The section and type of a relocation that uses it; empty where none was seen."""


class Segment(NamedTuple):
    """A part of the file that the loader maps; all in bytes."""

    alignment: int
    address: int
    offset: int


@dataclass(frozen=True)
class SecondReading:
    """What pyelftools says of a file."""

    problem: str = ""
    """Why it cannot be read; then nothing else is known."""
    machine: str = ""
    """The constant of the ELF header, ``EM_X86_64``."""
    wide: bool = False
    """64 bits, little-endian."""
    segments: tuple[Segment, ...] = ()
    """Those that are loaded."""
    needed: tuple[str, ...] = ()
    versions: frozenset[tuple[str, str]] = frozenset()
    """Library and version of each need."""
    imports: Mapping[tuple[str, str], tuple[Import, ...]] = field(default_factory=dict)
    """Of each need that was asked for, some of its symbols."""

    def is_for(self, machine: str) -> bool:
        """Whether the file is for *machine*, as ``uname -m`` names it."""
        return self.wide and self.machine == _MACHINES.get(machine)


def read_again(data: Buffer, needs: frozenset[tuple[str, str]] = frozenset()) -> SecondReading:
    """What pyelftools says of the ELF file *data*, with the symbols of *needs*."""
    try:
        return _read(ELFFile(cast("IO[bytes]", _Bounded(data))), data, needs)
    except Exception as error:  # noqa: BLE001  (pyelftools raises anything on damaged files)
        return SecondReading(problem=str(error) or type(error).__name__)


def undefined_names(data: Buffer) -> Iterator[str]:
    """Symbols that the loader must find elsewhere for the ELF file *data*; weak ones are not.

    Nothing of a file that cannot be read, or is not of 64 bits and little-endian.
    """
    with contextlib.suppress(Exception):  # pyelftools raises anything on damaged files
        elf = ELFFile(cast("IO[bytes]", _Bounded(data)))
        dynamic = next((s for s in elf.iter_segments() if isinstance(s, DynamicSegment)), None)
        if dynamic is None or elf.elfclass != 64 or not elf.little_endian:
            return
        symbols, strings = _offset(dynamic, "DT_SYMTAB"), _offset(dynamic, "DT_STRTAB")
        section = elf.get_section_by_name(".dynsym")
        count = section["sh_size"] // _SYMBOL.size if section else dynamic.num_symbols()
        end = min(symbols + min(count, _MAXIMUM_SYMBOLS) * _SYMBOL.size, len(data))
        if symbols < 0 or strings < 0:
            return
        table = bytes(data[symbols : end - (end - symbols) % _SYMBOL.size])
        names = _Strings(elf.stream, strings)
        for name, info, _, index, _, _ in _SYMBOL.iter_unpack(table):
            if index == 0 and name and info >> 4 == _GLOBAL:
                yield names.get_string(name)


def _read(elf: ELFFile, data: Buffer, needs: frozenset[tuple[str, str]]) -> SecondReading:
    segments = list(elf.iter_segments())
    dynamic = next((s for s in segments if isinstance(s, DynamicSegment)), None)
    needed: tuple[str, ...] = ()
    indexes: dict[tuple[str, str], int] = {}
    imports: dict[tuple[str, str], tuple[Import, ...]] = {}
    wide = elf.elfclass == 64 and elf.little_endian
    if dynamic is not None:
        needed = tuple(str(vars(tag)["needed"]) for tag in dynamic.iter_tags("DT_NEEDED"))
        indexes = dict(_version_needs(elf, dynamic))
        _read_definitions(elf, dynamic)
        for need in needs & indexes.keys() if wide else ():
            with contextlib.suppress(Exception):  # names explain; the need itself was read
                imports[need] = tuple(_imports(elf, dynamic, data, indexes[need]))
    return SecondReading(
        machine=str(elf.header["e_machine"]),
        wide=wide,
        segments=tuple(_loaded(segments)),
        needed=needed,
        versions=frozenset(indexes),
        imports=imports,
    )


def _loaded(segments: Iterable[ElfSegment]) -> Iterator[Segment]:
    for segment in segments:
        header = segment.header
        if header["p_type"] == "PT_LOAD":
            yield Segment(header["p_align"], header["p_vaddr"], header["p_offset"])


def _version_needs(elf: ELFFile, dynamic: DynamicSegment) -> Iterator[tuple[tuple[str, str], int]]:
    header = _table(dynamic, "DT_VERNEED")
    if header is not None:
        strings = cast("StringTableSection", _Strings(elf.stream, _offset(dynamic, "DT_STRTAB")))
        for version, entries in GNUVerNeedSection(header, "", elf, strings).iter_versions():
            for entry in entries:
                yield (str(version.name), entry.name), entry["vna_other"]


def _read_definitions(elf: ELFFile, dynamic: DynamicSegment) -> None:
    header = _table(dynamic, "DT_VERDEF")
    if header is not None:
        strings = cast("StringTableSection", _Strings(elf.stream, _offset(dynamic, "DT_STRTAB")))
        for _, entries in GNUVerDefSection(header, "", elf, strings).iter_versions():
            next(entries, None)


def _table(dynamic: DynamicSegment, tag: str) -> Container | None:
    """A version table as the header of a section, which a stripped file need not have."""
    offset = _offset(dynamic, tag)
    count = next((t["d_val"] for t in dynamic.iter_tags(f"{tag}NUM")), 0)
    if offset < 0 or not count:
        return None
    return Container(sh_offset=offset, sh_info=count, sh_flags=0, sh_size=0, sh_addralign=1)


def _offset(dynamic: DynamicSegment, tag: str) -> int:
    _, offset = dynamic.get_table_offset(tag)
    return -1 if offset is None else offset


def _imports(elf: ELFFile, dynamic: DynamicSegment, data: Buffer, version: int) -> Iterator[Import]:
    """Undefined symbols of *version*, each with a relocation that uses it."""
    versions, symbols = _offset(dynamic, "DT_VERSYM"), _offset(dynamic, "DT_SYMTAB")
    if versions < 0 or symbols < 0:
        return
    section = elf.get_section_by_name(".gnu.version")
    count = section["sh_size"] // 2 if section is not None else dynamic.num_symbols()
    count = min(count, _MAXIMUM_SYMBOLS, (len(data) - versions) // 2)
    listed = struct.unpack_from(f"<{count}H", data, versions)
    chosen = [number for number, index in enumerate(listed) if index & 0x7FFF == version]
    chosen = chosen[:_SHOWN_SYMBOLS]
    places = _relocations(elf, dynamic, data, frozenset(chosen))
    strings = _Strings(elf.stream, _offset(dynamic, "DT_STRTAB"))
    for number in chosen:
        (name, *_) = _SYMBOL.unpack_from(data, symbols + number * _SYMBOL.size)
        yield Import(strings.get_string(name), places.get(number, ""))


def _relocations(
    elf: ELFFile, dynamic: DynamicSegment, data: Buffer, symbols: frozenset[int]
) -> dict[int, str]:
    """Section and type of a relocation by the number of the symbol that it uses."""
    places: dict[int, str] = {}
    for tag, size_tag in (("DT_JMPREL", "DT_PLTRELSZ"), ("DT_RELA", "DT_RELASZ")):
        address, offset = dynamic.get_table_offset(tag)
        size = next((t["d_val"] for t in dynamic.iter_tags(size_tag)), 0)
        if offset is None or not symbols:
            continue
        end = min(offset + size, len(data))
        table = bytes(data[offset : end - (end - offset) % _RELOCATION.size])
        entries = itertools.islice(_RELOCATION.iter_unpack(table), _MAXIMUM_RELOCATIONS)
        for _, info, _ in entries:
            if info >> 32 in symbols and info >> 32 not in places:
                kind = describe_reloc_type(info & 0xFFFFFFFF, elf)
                places[info >> 32] = f"{_section_at(elf, address) or tag}, {kind}"
    return places


def _section_at(elf: ELFFile, address: int | None) -> str:
    return next((s.name for s in elf.iter_sections() if s["sh_addr"] == address and address), "")


class _Strings:
    """A table of strings, found as the loader finds it."""

    def __init__(self, stream: IO[bytes], offset: int) -> None:
        self._stream = stream
        self._offset = offset

    def get_string(self, offset: int) -> str:
        """The string at *offset* of the table."""
        if self._offset < 0:
            raise ValueError("no table of strings")
        self._stream.seek(self._offset + offset)
        content, end, _ = self._stream.read(_LONGEST).partition(b"\0")
        if not end:
            raise ValueError("a name without an end")
        return content.decode("utf-8", "backslashreplace")


_LONGEST = 4096


class _Bounded:
    """What pyelftools uses of a stream, over bytes at hand, for so long."""

    def __init__(self, data: Buffer) -> None:
        self._data = data
        self._at = 0
        self._reads = _MAXIMUM_READS
        self._bytes = _MAXIMUM_BYTES

    def read(self, size: int = -1) -> bytes:
        """The next *size* bytes, or the rest.

        Raises:
            ValueError: too much was read.
        """
        end = len(self._data) if size < 0 else min(self._at + size, len(self._data))
        content = bytes(self._data[self._at : end])
        self._at += len(content)
        self._reads -= 1
        self._bytes -= len(content)
        if self._reads < 0 or self._bytes < 0:
            raise ValueError("it takes too long to read")
        return content

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to *offset*."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: len(self._data)}[whence]
        self._at = base + offset
        if self._at < 0:
            raise ValueError("before the beginning")
        return self._at

    def tell(self) -> int:
        """Where the next byte is read."""
        return self._at

    def close(self) -> None:
        """Nothing is held open."""
