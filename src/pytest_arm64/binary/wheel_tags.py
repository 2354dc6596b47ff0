"""Which glibc a wheel's tags promise to be enough."""

from __future__ import annotations

import re
from collections.abc import Iterable

_MANYLINUX = re.compile(r"manylinux(?:_(\d{1,4})_(\d{1,4})|(2014|2010|1))_(\w+)\Z")
_LEGACY = {"2014": (2, 17), "2010": (2, 12), "1": (2, 5)}
"""Source: PEP 600."""


def promised_glibc(tags: Iterable[str], machine: str) -> tuple[int, int] | None:
    """The oldest glibc on which one of *tags* says that the wheel runs on *machine*.

    None where no tag says so: of a wheel for musl, or one that was built for its own machine.
    """
    matches = (_MANYLINUX.match(tag.rpartition("-")[2]) for tag in tags)
    found = [
        _LEGACY[match[3]] if match[3] else (int(match[1]), int(match[2]))
        for match in matches
        if match is not None and match[4] == machine
    ]
    return min(found, default=None)
