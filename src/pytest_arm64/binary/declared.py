"""What a target declares about its libraries, for when there is no image to look into."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from ..config.facts import Facts

# Part of glibc 2.34 for all architectures, and of libgcc and libstdc++, which every image has
# that has Python or its package manager.
_OF_GLIBC = frozenset(
    [
        *("libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1"),
        *("libutil.so.1", "libresolv.so.2", "libanl.so.1", "ld-linux-aarch64.so.1"),
        *("ld-linux-x86-64.so.2", "libthread_db.so.1", "libBrokenLocale.so.1"),
    ]
)
_OF_MUSL = re.compile(r"(?:libc\.musl-|ld-musl-)[\w.-]+\Z")
_VERSION = re.compile(r"(\w+?)_(\d+(?:\.\d+)*)\Z")
# The release in which a marker without a number appeared.
# Sources: NEWS of glibc 2.36 and 2.42; libstdc++-v3/config/abi of gcc 4.7.
_MARKERS = {
    "GLIBC_ABI_DT_RELR": ("GLIBC", (2, 36)),
    "GLIBC_ABI_DT_X86_64_PLT": ("GLIBC", (2, 42)),
    "CXXABI_TM_1": ("CXXABI", (1, 3, 7)),
}


@dataclass(frozen=True)
class Declared:
    """A target's facts, as questions about libraries are put to them."""

    glibc: str
    """Version of glibc; empty where it is not declared."""
    facts: Facts = field(default_factory=Facts)

    @cached_property
    def _newest(self) -> Mapping[str, str]:
        return {"GLIBC": self.glibc, **dict(self.facts.symbols)}

    def has(self, library: str) -> bool | None:
        """Whether *library* is there; None where nothing was declared about it."""
        if library in self.facts.lacks:
            return False
        if library in self.facts.has:
            return True
        if library in _OF_GLIBC:
            return bool(self.glibc) or None
        if _OF_MUSL.match(library):
            return False if self.glibc else None
        prefix = {"libstdc++.so.6": "GLIBCXX", "libgcc_s.so.1": "GCC"}.get(library, "")
        if self._newest.get(prefix):
            return True
        return False if self.facts.closed else None

    def provides(self, version: str) -> bool | None:
        """Whether symbols of *version* are there; None where that is not known."""
        return _has(self._newest, version)

    def since(self, version: str) -> str:
        """From which release on *version* is there; empty where every image in use has it."""
        if not self.facts.older or not self.provides(version):
            return ""
        oldest = {**self._newest, **dict(self.facts.older)}
        if _has(oldest, version):
            return ""
        return dict(self.facts.since_of).get(version.partition("_")[0], self.facts.since)


def _has(newest: Mapping[str, str], version: str) -> bool | None:
    if version in _MARKERS:
        prefix, wanted = _MARKERS[version]
    else:
        match = _VERSION.match(version)
        if match is None:
            return None
        prefix, wanted = match[1], numbers(match[2])
    there = numbers(newest.get(prefix, ""))
    return there >= wanted if there else None


def numbers(version: str) -> tuple[int, ...]:
    """``2.34`` as numbers that can be compared; empty for what has no such form."""
    return tuple(map(int, version.split("."))) if re.fullmatch(r"\d+(\.\d+)*", version) else ()
