"""Whether a file's segments can be mapped where a page has so many bytes.

Each loader has its own rule. glibc before 2.35 wants every segment's alignment to be a multiple of
a page; from 2.35 on it wants address and offset in the file to agree within a page; musl checks
neither. Source: ``_dl_map_object_from_fd`` in elf/dl-load.c of glibc 2.34 and 2.35,
``map_library`` in ldso/dynlink.c of musl 1.2.5; read 2026-11-30.
"""

from __future__ import annotations

from typing import NamedTuple

from .declared import numbers

MUSL = "musl"
_BY_OFFSET = (2, 35)


class Pages(NamedTuple):
    """The pages of a place, and who maps files into them."""

    size: int
    """Bytes of one."""
    loader: str = ""
    """Version of glibc, ``musl``, or empty where it is not known."""

    def problem(self, alignment: int, congruence: int) -> str:
        """Why segments cannot be mapped; empty where they can.

        Args:
            alignment: their smallest alignment in bytes, 0 where they have none.
            congruence: bytes within which address and offset agree, 0 where they always do.
        """
        if self.loader == MUSL:
            return ""
        if numbers(self.loader) >= _BY_OFFSET:
            if 0 < congruence < self.size:
                return f"address and offset of its segments agree within {congruence} bytes only"
        elif 0 < alignment < self.size or alignment & (alignment - 1):
            return f"its segments are aligned to {alignment} bytes"
        return ""


def congruence(address: int, offset: int) -> int:
    """The largest power of two within which *address* and *offset* agree; 0 if they are equal."""
    difference = abs(address - offset)
    return difference & -difference
