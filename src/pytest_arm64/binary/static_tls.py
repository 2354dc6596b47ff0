"""Static thread-local storage that libraries need, against what glibc has left for them.

A library that is loaded while a process runs, as every module of Python is, gets static storage
out of a reserve. On AArch64 glibc also puts the storage of other libraries there where it fits:
before 2.32 as much as there is, since then 512 bytes. So the order of imports decides, and x86,
which does not do so, tells nothing.
Source: glibc, elf/dl-tls.c and sysdeps/aarch64/dl-machine.h, 2.26 to 2.42; read 2026-11-30.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass

from ..wording import first_of
from .declared import numbers
from .elf import Elf

RESERVE = 1664
"""Bytes."""
_OPTIONAL, _SPARING = 512, (2, 32)
_SHOWN = 3


@dataclass(frozen=True)
class Shortage:
    """Libraries that may not find room if all are loaded into one process."""

    largest: str
    """Path of the library that needs most."""
    text: str
    remedy: str


def shortage(files: Mapping[str, Elf], machine: str, glibc: str) -> Shortage | None:
    """Why one of *files*, libraries by path, may not be loaded after the others.

    Args:
        files: everything that may be loaded into one process.
        machine: of the target.
        glibc: its version; of another C library, or of none that is known, nothing is said.
    """
    version = numbers(glibc)
    if not version:
        return None
    libraries = {
        path: elf
        for path, elf in files.items()
        if elf.tls and elf.machine == machine and elf.kind == "library"
    }
    static = {path: elf.tls for path, elf in libraries.items() if elf.static_tls}
    room = 0 if machine != "aarch64" else RESERVE if version < _SPARING else _OPTIONAL
    fitting = (e.tls for e in libraries.values() if not e.static_tls and e.tls <= room)
    taken = min(sum(fitting), room)
    needed = sum(static.values())
    if not static or needed + taken <= RESERVE:
        return None
    order = sorted(static, key=lambda path: (-static[path], path))
    names = first_of([posixpath.basename(path) for path in order], _SHOWN)
    beside = f", and other libraries take up to {taken:,}" if taken else ""
    text = (
        f"{names} need {needed:,} bytes of static TLS{beside}; glibc {glibc} has "
        f'{RESERVE:,} for libraries that are loaded late: the last may fail with "cannot allocate '
        'memory in static TLS block"'
    )
    remedy = f"import what brings {posixpath.basename(order[0])} before anything else"
    if version >= _SPARING:
        remedy += f", or set GLIBC_TUNABLES=glibc.rtld.optional_static_tls={_room(needed + taken)}"
    return Shortage(order[0], text, remedy)


def _room(needed: int) -> int:
    """A value of glibc's tunable with which *needed* bytes fit; a multiple of 512."""
    return -(-(needed - RESERVE + _OPTIONAL) // 512) * 512
