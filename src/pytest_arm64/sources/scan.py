"""Places in a project's Python files that assume x86: advice, which changes no state."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from .files import ContainedFiles, source_files
from .findings import CodeFinding, finding_of
from .reader import CodeReader
from .result_cache import ResultCache, content_hash

MOST_FILES = 50_000


@dataclass(frozen=True)
class CodeScan:
    """What was seen in the Python files of one service."""

    service: str
    findings: tuple[CodeFinding, ...] = ()
    files: int = 0
    """Files that were read."""
    lines: int = 0
    unread: int = 0
    """Files that could not be read or parsed, or were beyond a limit."""
    ignored: int = 0
    """Places with a comment that silences them."""


def scan(service: str, folder: Path, root: Path, apart: Collection[Path] = ()) -> CodeScan:
    """What the Python files below *folder* assume.

    Args:
        service: whose files they are.
        folder: where they are.
        root: the repository, to which paths are relative; no link out of it is followed.
        apart: folders of other services, which are left out.
    """
    files = lines = unread = ignored = 0
    findings: list[CodeFinding] = []
    contained = ContainedFiles(root if folder.is_relative_to(root) else folder)
    results, reader = ResultCache(folder), CodeReader()
    paths = (path for path in source_files(folder, apart) if path.endswith(".py"))
    for number, path in enumerate(paths):
        source = contained.content(folder / path) if number < MOST_FILES else None
        if source is None:
            unread += 1
            continue
        files, lines = files + 1, lines + source.count(b"\n")
        key = content_hash(source)
        result = results.get(key)
        if result is None:
            result = reader.read(source)
            if result is not None:
                results.put(key, result)
        if result is None or not result.readable:
            unread += 1
        elif result.places:
            shown = os.path.relpath(folder / path, root).replace(os.sep, "/")
            ignored += sum(place.silenced for place in result.places)
            findings += (finding_of(p, shown) for p in result.places if not p.silenced)
    results.save()
    return CodeScan(service, tuple(findings), files, lines, unread, ignored)
