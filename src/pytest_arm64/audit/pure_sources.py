"""Rows of source distributions, with what their files show of their builds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ..index.simple import IndexFile, file_of
from .causes import PURE_SOURCE
from .matrix import PURE, SOURCE, WHEEL, Row
from .sdist_contents import SdistContents, SdistReader
from .sdist_rules import NATIVE, OPTIONAL
from .sdist_rules import PURE as COMPILES_NOTHING

_SLOW = "without a compiler it falls back to pure Python, which is slow"


def with_contents(rows: Iterable[Row], reader: SdistReader) -> Iterator[Row]:
    """*rows*, where those that are built from sources say what their build compiles."""
    for row in rows:
        file = _source_of(row)
        contents = reader.contents(row.name, file) if file is not None else None
        yield _described(row, contents) if contents is not None else row


def _source_of(row: Row) -> IndexFile | None:
    """The source distribution that *row* would build; None where it builds none."""
    if row.state != SOURCE or row.editable or not row.url:
        return None
    hashes = dict(value.split(":", 1) for value in row.hashes if ":" in value)
    return file_of(row.name, row.file, row.url, {"hashes": hashes})


def _described(row: Row, contents: SdistContents) -> Row:
    if contents.verdict == COMPILES_NOTHING and row.x86 != WHEEL:
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
