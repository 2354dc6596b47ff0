"""Small ELF files with exactly the tables that a test asks for, as a linker would lay them."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

AARCH64, X86_64, I386 = 183, 62, 3
_LOAD, _DYNAMIC, _INTERP, _TLS, _STACK = 1, 2, 3, 7, 0x6474E551


def elf(
    *,
    machine: int = AARCH64,
    kind: int = 3,
    soname: str = "",
    needed: Sequence[str] = (),
    rpath: str = "",
    runpath: str = "",
    needs: Mapping[str, Sequence[str]] | None = None,
    weak: Sequence[str] = (),
    defines: Sequence[str] = (),
    symbols: Mapping[str, str] | None = None,
    align: int = 65536,
    shift: int = 0,
    stack_flags: int = 6,
    tls: int = 0,
    static_tls: bool = False,
    relocations: Sequence[int] = (),
    interpreter: str = "",
    big: bool = False,
) -> bytes:
    """A 64-bit ELF file.

    *needs* has versions by library, *symbols* the version of each undefined symbol, *weak* the
    versions whose absence is no error; *shift* is the address of a second, empty segment; *tls* are
    bytes of thread-local storage, *relocations* the types of some.
    """
    order = ">" if big else "<"

    def pack(form: str, *values: int) -> bytes:
        return struct.pack(order + form, *values)

    strings = bytearray(b"\0")

    def string(text: str) -> int:
        strings.extend(text.encode() + b"\0")
        return len(strings) - len(text.encode()) - 1

    tags = [(1, string(name)) for name in needed]
    tags += [
        (tag, string(text)) for tag, text in ((14, soname), (15, rpath), (29, runpath)) if text
    ]
    if static_tls:
        tags.append((30, 0x10))
    indexes: dict[str, int] = {}
    verneed = b""
    files = list((needs or {}).items())
    for number, (library, versions) in enumerate(files):
        following = 16 + 16 * len(versions) if number + 1 < len(files) else 0
        verneed += pack("HHIII", 1, len(versions), string(library), 16, following)
        for place, version in enumerate(versions):
            indexes[version] = len(indexes) + 2
            flags = 2 if version in weak else 0
            behind = 16 if place + 1 < len(versions) else 0
            verneed += pack("IHHII", 0, flags, indexes[version], string(version), behind)
    verdef = b""
    names = [soname or "self", *defines] if defines else []
    for number, name in enumerate(names):
        following = 28 if number + 1 < len(names) else 0
        verdef += pack("HHHHIII", 1, 0 if number else 1, number + 1, 1, 0, 20, following)
        verdef += pack("II", string(name), 0)
    undefined = list((symbols or {}).items())
    symtab = bytes(24) + b"".join(
        pack("IBBHQQ", string(name), 0x12, 0, 0, 0, 0) for name, _ in undefined
    )
    versym = pack("H", 0) + b"".join(pack("H", indexes[version]) for _, version in undefined)
    gnu_hash = pack("IIII", 1, len(undefined) + 1, 1, 0) + bytes(12)
    interp = interpreter.encode() + b"\0" if interpreter else b""

    count = 3 + bool(interp) + bool(shift) + bool(tls)
    place = 64 + 56 * count
    offsets = {}
    parts = {"verneed": verneed, "verdef": verdef, "symtab": symtab, "versym": versym}
    parts["rela"] = b"".join(pack("QQq", 0, kind, 0) for kind in relocations)
    parts |= {"hash": gnu_hash, "interp": interp, "strings": bytes(strings)}
    body = b""
    for name, content in parts.items():
        body += bytes(-(place + len(body)) % 8)
        offsets[name] = place + len(body)
        body += content
    tags += [(5, offsets["strings"]), (10, len(strings)), (6, offsets["symtab"]), (11, 24)]
    tags += [(0x6FFFFEF5, offsets["hash"])]
    if relocations:
        tags += [(7, offsets["rela"]), (8, 24 * len(relocations)), (9, 24)]
    if verneed:
        tags += [(0x6FFFFFFE, offsets["verneed"]), (0x6FFFFFFF, len(files))]
        tags += [(0x6FFFFFF0, offsets["versym"])]
    if verdef:
        tags += [(0x6FFFFFFC, offsets["verdef"]), (0x6FFFFFFD, len(names))]
    tags.append((0, 0))
    body += bytes(-(place + len(body)) % 8)
    dynamic = place + len(body)
    table = b"".join(pack("qQ", *tag) for tag in tags)
    total = dynamic + len(table)

    def segment(what: int, flags: int, start: int, size: int, alignment: int) -> bytes:
        return pack("IIQQQQQQ", what, flags, start, start, start, size, size, alignment)

    headers = segment(_LOAD, 5, 0, total, align)
    if shift:
        headers += pack("IIQQQQQQ", _LOAD, 4, 0, shift, shift, 0, 0, align)
    headers += segment(_DYNAMIC, 6, dynamic, len(table), 8)
    if tls:
        headers += pack("IIQQQQQQ", _TLS, 4, 0, 0, 0, 0, tls, 16)
    headers += segment(_STACK, stack_flags, 0, 0, 16)
    if interp:
        headers += segment(_INTERP, 4, offsets["interp"], len(interp), 1)
    ident = b"\x7fELF" + bytes([2, 2 if big else 1, 1, 0]) + bytes(8)
    header = ident + pack("HHIQQQIHHHHHH", kind, machine, 1, 0, 64, 0, 0, 64, 56, count, 64, 0, 0)
    return header + headers + body + table


def code(
    functions: Mapping[str, Sequence[int]],
    nameless: Sequence[int] = (),
    *,
    machine: int = AARCH64,
    dynamic: bool = False,
    private: Sequence[str] = (),
) -> bytes:
    """A library with code in a section, a symbol for each of *functions*, and *nameless* words.

    Those in *private* are seen by no other object.
    """
    text, names, symbols = b"", b"\0", bytes(24)
    for name, words in functions.items():
        body = struct.pack(f"<{len(words)}I", *words)
        symbols += struct.pack(
            "<IBBHQQ",
            len(names),
            2 if name in private else 0x12,
            0,
            1,
            0x1000 + len(text),
            len(body),
        )
        names += name.encode() + b"\0"
        text += body
    text += struct.pack(f"<{len(nameless)}I", *nameless)
    parts = [(1, 6, 0x1000, text, 0), (11 if dynamic else 2, 0, 0, symbols, 3), (3, 0, 0, names, 0)]
    offset, table = 64, bytes(64)
    for kind, flags, address, content, link in parts:
        table += struct.pack(
            "<IIQQQQIIQQ", 0, kind, flags, address, offset, len(content), link, 0, 8, 24
        )
        offset += len(content)
    ident = b"\x7fELF" + bytes([2, 1, 1, 0]) + bytes(8)
    header = struct.pack("<HHIQQQIHHHHHH", 3, machine, 1, 0, 0, offset, 0, 64, 0, 0, 64, 4, 0)
    return ident + header + b"".join(content for *_, content, _ in parts) + table


def write(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write *files* by relative path below *folder*."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder
