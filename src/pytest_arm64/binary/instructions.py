"""Instructions beyond Graviton2 in a library's code, by function, without a disassembler.

A64 instructions are words of four bytes whose group can be told from a few bits. Words are compared
by the slices of their bytes, which the interpreter does in C: 10 MB of code take about 0.1 s. What
the group says of data between functions is noise, so that single words count for nothing.
Source: Arm, architecture reference manual for A-profile, chapter C4; read 2026-11-30.
"""

from __future__ import annotations

import re
import struct
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from .elf import MAGIC, Buffer

_SECONDS = 0.5
"""Of the processor, for one library."""
_CHUNK = 4 * 2**20
_MAXIMUM_SECTIONS = 4096
_MAXIMUM_SYMBOLS = 2_000_000
_MAXIMUM_HITS = 500_000
_LEAST = 4
"""Words of one kind in one function, below which it may be data."""
_LEAST_NAMELESS = 64
_NOISE, _PER_NOISE = "SME", 4
_SHOWN = 16
_MAXIMUM_FUNCTIONS = 4096
_MACHINE, _LITTLE, _WIDE = 183, 1, 2
_SYMTAB, _DYNSYM, _PROGBITS, _EXECUTABLE = 2, 11, 1, 4
_LOCAL = 0
_SYMBOL = struct.Struct("<IBBHQQ")
_DISPATCHED = re.compile(
    r"(?i)sve|sme|neoverse|simdlevel|a64fx|i8mm|bf16|bfloat|fhm|fp16|f16f|dotprod|cortex|armv[89]|hwcap|ifunc"
)

# Name of the extension, mask and value of its instructions.
_PATTERNS: Mapping[str, tuple[tuple[int, int], ...]] = {
    "SVE": ((0x1E000000, 0x04000000),),
    "SME": ((0x9E000000, 0x80000000),),
    "I8MM": (
        *((0xFFE0FC00, 0x4E80A400), (0xFFE0FC00, 0x6E80A400), (0xFFE0FC00, 0x4E80AC00)),
        *((0xBFE0FC00, 0x0E809C00), (0xBFC0F400, 0x0F80F000), (0xBFC0F400, 0x0F00F000)),
    ),
    "BF16": (
        *((0xBFE0FC00, 0x2E40FC00), (0xFFE0FC00, 0x6E40EC00), (0xBFE0FC00, 0x2EC0FC00)),
        *((0xBFC0F400, 0x0F40F000), (0xBFC0F400, 0x0FC0F000)),
        *((0xFFFFFC00, 0x1E634000), (0xBFFFFC00, 0x0EA16800)),
    ),
    "FHM": (
        *((0xBF60FC00, 0x0E20EC00), (0xBF60FC00, 0x2E20CC00)),
        *((0xBFC0B400, 0x0F800000), (0xBFC0B400, 0x2F808000)),
    ),
}
FIRST_CORE: Mapping[str, str] = {
    "SVE": "graviton3",
    "I8MM": "graviton3",
    "BF16": "graviton3",
    "FHM": "graviton3",
}
"""The first Graviton that has an extension; none has SME."""


class NewerFunction(NamedTuple):
    """A function with instructions of one extension."""

    name: str
    extension: str
    words: int
    helper: bool = False
    """Whether no other object sees it, and functions beside it are chosen by processor: one that
    has such instructions too, or both. The compiler lays what belongs together side by side.
    """

    @property
    def dispatched(self) -> bool:
        """Whether its name, or its place, says that it is chosen for a processor that has them."""
        return self.helper or _DISPATCHED.search(self.name) is not None


@dataclass(frozen=True)
class Instructions:
    """What one library has beyond Graviton2."""

    functions: tuple[NewerFunction, ...] = ()
    """The most words first; of each kind, dispatched or not, some."""
    nameless: Mapping[str, int] = field(default_factory=dict)
    """Words by extension in code that no symbol names."""
    complete: bool = True
    """Whether all code was read in time."""


_Place = tuple[int, int]
"""Where a name is: the section of its table, and the offset in that."""


class _Function(NamedTuple):
    start: int
    end: int
    place: _Place
    local: bool


class _Section(NamedTuple):
    kind: int
    flags: int
    address: int
    offset: int
    size: int
    link: int


def read_instructions(data: Buffer) -> Instructions:
    """The instructions beyond Graviton2 of the ELF file *data*; none of a file for another machine.

    Sections that lie are read as what they say, within the file: the result is a hint.
    """
    try:
        sections = list(_sections(data))
        code = [s for s in sections if s.kind == _PROGBITS and s.flags & _EXECUTABLE]
        hits, complete = _hits(data, code)
        return _by_function(data, sections, hits, complete=complete)
    except (struct.error, OverflowError, ValueError):
        return Instructions()


def _sections(data: Buffer) -> Iterator[_Section]:
    head = bytes(data[:64])
    if len(head) < 64 or head[:4] != MAGIC or head[4] != _WIDE or head[5] != _LITTLE:
        return
    if struct.unpack_from("<H", head, 18)[0] != _MACHINE:
        return
    (start,) = struct.unpack_from("<Q", head, 40)
    size, count = struct.unpack_from("<HH", head, 58)
    for number in range(min(count, _MAXIMUM_SECTIONS)):
        _, kind, flags, address, offset, length, link = struct.unpack_from(
            "<IIQQQQI", data, start + number * size
        )
        yield _Section(kind, flags, address, offset, min(length, max(len(data) - offset, 0)), link)


def _hits(data: Buffer, code: list[_Section]) -> tuple[dict[str, list[int]], bool]:
    """Addresses of words by extension, and whether all code was read."""
    found: dict[str, list[int]] = {extension: [] for extension in _PATTERNS}
    until = time.thread_time() + _SECONDS
    for section in code:
        for start in range(0, section.size, _CHUNK):
            if time.thread_time() > until:
                return found, False
            length = min(_CHUNK, section.size - start) & ~3
            begin = section.offset + start
            chunk = bytes(data[begin : begin + length])
            words = _Words(chunk)
            for extension, patterns in _PATTERNS.items():
                for mask, value in patterns:
                    base = section.address + start
                    addresses = found[extension]
                    if len(addresses) < _MAXIMUM_HITS:
                        addresses += (base + 4 * place for place in words.matching(mask, value))
    return found, True


class _Words:
    """Words, as slices of their bytes."""

    def __init__(self, chunk: bytes) -> None:
        self._parts = [chunk[number::4] for number in range(4)]
        self._cached: dict[tuple[int, int, int], int] = {}

    def matching(self, mask: int, value: int) -> Iterator[int]:
        """Numbers of the words that are *value* where *mask* has ones."""
        together = -1
        for number in (3, 2, 1, 0):
            shift = 8 * number
            part_mask, part_value = mask >> shift & 255, value >> shift & 255
            if part_mask:
                together &= self._equal(number, part_mask, part_value)
                if not together:
                    return
        size = len(self._parts[0])
        marks = together.to_bytes(size, "little") if together > 0 else b""
        place = marks.find(255)
        while place >= 0:
            yield place
            place = marks.find(255, place + 1)

    def _equal(self, number: int, mask: int, value: int) -> int:
        """255 in each byte of a number whose part of the word is *value* under *mask*."""
        key = (number, mask, value)
        if key not in self._cached:
            table = bytes(255 if byte & mask == value else 0 for byte in range(256))
            marked = self._parts[number].translate(table)
            self._cached[key] = int.from_bytes(marked, "little")
        return self._cached[key]


def _by_function(
    data: Buffer, sections: list[_Section], hits: Mapping[str, list[int]], *, complete: bool
) -> Instructions:
    if not any(hits.values()):
        return Instructions(complete=complete)
    named = sorted(_functions(data, sections))
    counts, nameless = _counted(named, hits)

    def name(number: int) -> str:
        return _name(data, sections, named[number].place)

    seen = {
        (number, extension): NewerFunction(name(number), extension, words)
        for (number, extension), words in counts.most_common(_MAXIMUM_FUNCTIONS)
        if words >= _LEAST and words > counts[number, _NOISE] * _PER_NOISE
    }
    found = list(_with_helpers(seen, named, name))
    plain = [function for function in found if not function.dispatched]
    dispatched = [function for function in found if function.dispatched]
    functions = (*plain[:_SHOWN], *dispatched[:_SHOWN])
    return Instructions(functions, dict(_signal(nameless)), complete)


def _counted(
    named: Sequence[_Function], hits: Mapping[str, list[int]]
) -> tuple[Counter[tuple[int, str]], Counter[str]]:
    """Words by number of the function and extension, and those in no function by extension."""
    starts = [function.start for function in named]
    counts: Counter[tuple[int, str]] = Counter()
    nameless: Counter[str] = Counter()
    for extension, addresses in hits.items():
        for address in addresses:
            number = bisect_right(starts, address) - 1
            if number >= 0 and address < named[number].end:
                counts[number, extension] += 1
            else:
                nameless[extension] += 1
    return counts, nameless


def _with_helpers(
    seen: Mapping[tuple[int, str], NewerFunction],
    named: Sequence[_Function],
    name: Callable[[int], str],
) -> Iterator[NewerFunction]:
    """What was *seen*, by number of the function in *named* and extension; helpers as such."""
    for (number, extension), function in seen.items():
        beside = [
            other
            for other in (number - 1, number + 1)
            if named[number].local
            and 0 <= other < len(named)
            and _DISPATCHED.search(name(other)) is not None
        ]
        helper = len(beside) == 2 or any((other, extension) in seen for other in beside)
        yield function._replace(helper=helper)


def _signal(nameless: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    """Words by extension that are not the noise of tables between functions.

    No Graviton has SME: where its group is seen, there is data, with SVE's group twice as often.
    """
    noise = nameless.get(_NOISE, 0)
    for extension, words in nameless.items():
        if extension != _NOISE and words - _PER_NOISE * noise >= _LEAST_NAMELESS:
            yield extension, words


def _functions(data: Buffer, sections: list[_Section]) -> Iterator[_Function]:
    whole = [section for section in sections if section.kind == _SYMTAB]
    tables = whole or [section for section in sections if section.kind == _DYNSYM]
    for table in tables[:1]:
        content = bytes(data[table.offset : table.offset + table.size // 24 * 24])
        for number, symbol in enumerate(_SYMBOL.iter_unpack(content)):
            name, info, _, section, address, size = symbol
            if number > _MAXIMUM_SYMBOLS:
                return
            if info & 15 == 2 and section and size:
                local = info >> 4 == _LOCAL
                yield _Function(address, address + size, (table.link, name), local)


def _name(data: Buffer, sections: list[_Section], place: _Place) -> str:
    link, offset = place
    if link >= len(sections):
        return "?"
    start = sections[link].offset + offset
    return bytes(data[start : start + 512]).partition(b"\0")[0].decode("utf-8", "backslashreplace")
