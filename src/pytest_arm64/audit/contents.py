"""What the files of releases hold, for the rows that stand on them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ..contents.sdist_rules import NATIVE, OPTIONAL
from ..contents.sdist_rules import PURE as NOTHING_COMPILED
from ..contents.wheels import WheelContents, WheelReader, is_for_any
from ..index.simple import IndexFile, file_of
from .causes import PURE_SOURCE
from .matrix import PURE, SOURCE, WHEEL, Row

# What talks to an index is loaded when one is needed, which a lock may never do.
if TYPE_CHECKING:
    from ..contents.sdists import SdistContents, SdistReader
    from ..index.index import Index

# Modules for one kind of processor are not expected for the other.
_FOR_ONE = re.compile(
    r"x86|amd64|intel|sse\d?|avx|ssse|fma3|vnni|mkl|arm|aarch|neon|asimd|sve", re.IGNORECASE
)
_SLOW = "without a compiler it falls back to pure Python, which is slow"


class Contents:
    """Readers by index."""

    def __init__(self, *, wanted: bool) -> None:
        """*wanted*: whether files are looked into; else there are no readers."""
        self._wanted = wanted
        self._sdists: dict[Index, SdistReader] = {}

    def sdists(self, index: Index) -> SdistReader | None:
        """What reads source distributions of *index*."""
        from ..contents.sdists import SdistReader

        return self._sdists.setdefault(index, SdistReader(index)) if self._wanted else None

    def wheels(self, index: Callable[[], Index]) -> WheelReader | None:
        """What reads wheels; *index* gives the index when one has to be fetched."""
        return WheelReader(index) if self._wanted else None

    def described(self, rows: tuple[Row, ...], index: Callable[[], Index]) -> tuple[Row, ...]:
        """*rows*, where those that are built from sources say what their build compiles."""
        if not self._wanted or not any(row.state == SOURCE for row in rows):
            return rows
        reader = self.sdists(index())
        return tuple(_with_contents(rows, reader)) if reader is not None else rows


def contents_for_any(rows: Mapping[str, Row], reader: WheelReader) -> dict[str, WheelContents]:
    """What the wheels of *rows* hold, as far as they are for any platform and can be read."""
    wheels = ((row.name, wheel_of(row)) for row in rows.values() if row.state == PURE)
    return reader.contents({name: f for name, f in wheels if f is not None and is_for_any(f)})


def weighed(row: Row, wheel: WheelContents | None, x86: WheelContents | None) -> Row:
    """*row* with what its wheel and that of the same release on x86_64 hold, where it is known."""
    if wheel is not None:
        row = replace(row, size=wheel.size, unpacked=wheel.unpacked, bundled=wheel.libraries)
    if x86 is not None:
        row = replace(row, x86_size=x86.size, x86_unpacked=x86.unpacked)
    if wheel is None or x86 is None:
        return row
    return replace(
        row,
        modules_missing=_without(x86.modules, wheel.modules),
        modules_added=_without(wheel.modules, x86.modules),
    )


def _without(modules: Iterable[str], others: Iterable[str]) -> tuple[str, ...]:
    """*modules* that are not among *others*, without those that are for one machine by name."""
    return tuple(sorted(m for m in {*modules}.difference(others) if not _FOR_ONE.search(m)))


def wheel_of(row: Row) -> IndexFile | None:
    """The wheel of *row*, without an address where a lock does not tell it."""
    if not row.file.endswith(".whl"):
        return None
    hashes = dict(value.split(":", 1) for value in row.hashes if ":" in value)
    return row.archive or file_of(row.name, row.file, "", {"hashes": hashes})


def _with_contents(rows: Iterable[Row], reader: SdistReader) -> Iterator[Row]:
    """*rows*, where those that are built from sources say what their build compiles."""
    for row in rows:
        file = row.archive if row.state == SOURCE else None
        contents = reader.contents(row.name, file) if file is not None else None
        yield _described(row, contents) if contents is not None else row


def _described(row: Row, contents: SdistContents) -> Row:
    if contents.verdict == NOTHING_COMPILED and row.x86 != WHEEL:
        detail = "built from source, which holds nothing to compile"
        detail += "; its setup.py was read, not run" if contents.script else ""
        return replace(
            row,
            state=PURE,
            cause=PURE_SOURCE,
            detail=detail,
            native=False,
            remedy=None,
            from_source=True,
            system=(),
        )
    if contents.verdict == OPTIONAL:
        return replace(row, detail=f"{row.detail}; {_SLOW}", pure_fallback=True)
    if not contents.proof:
        return row
    certain = "is compiled" if contents.verdict == NATIVE else "may be compiled"
    return replace(row, detail=f"{row.detail}; it {certain}: {contents.proof}")
