"""Places in a project's files that assume x86: advice, which changes no state."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from .files import ContainedFiles, source_files
from .findings import CodeBranch, CodeFinding, FileResult, finding_of
from .languages import language_of
from .reader import CodeReader
from .result_cache import ResultCache, content_hash
from .rules import rule_named

MOST_FILES = 50_000


@dataclass(frozen=True)
class CodeScan:
    """What was seen in the files of one service."""

    service: str
    findings: tuple[CodeFinding, ...] = ()
    files: int = 0
    """Files that were read."""
    lines: int = 0
    unread: int = 0
    """Files that could not be read or parsed, or were beyond a limit."""
    ignored: int = 0
    """Places with a comment that silences them."""
    unparsed: int = 0
    """Files of C, C++ and Rust that were not read because no parser is installed."""
    branches: tuple[CodeBranch, ...] = ()
    """Branches for x86."""


def scan(service: str, folder: Path, root: Path, apart: Collection[Path] = ()) -> CodeScan:
    """What the files below *folder* assume.

    Args:
        service: whose files they are.
        folder: where they are.
        root: the repository, to which paths are relative; no link out of it is followed.
        apart: folders of other services, which are left out.
    """
    files = lines = unread = unparsed = number = 0
    found: dict[str, FileResult] = {}
    contained = ContainedFiles(root if folder.is_relative_to(root) else folder)
    results, reader = ResultCache(folder), CodeReader()
    for path in source_files(folder, apart):
        language = language_of(path)
        if language is None:
            continue
        if not language.readable:
            unparsed += 1
            continue
        number += 1
        source = contained.content(folder / path) if number <= MOST_FILES else None
        if source is None:
            unread += 1
            continue
        files, lines = files + 1, lines + source.count(b"\n")
        key = f"{content_hash(source)} {language}"
        result = results.get(key)
        if result is None:
            result = reader.read(source, language)
            if result is not None:
                results.put(key, result)
        if result is None or not result.readable:
            unread += 1
        elif result.says_something:
            found[os.path.relpath(folder / path, root).replace(os.sep, "/")] = result
    results.save()
    return CodeScan(
        service=service,
        findings=tuple(_findings(found)),
        files=files,
        lines=lines,
        unread=unread,
        ignored=sum(place.silenced for result in found.values() for place in result.places),
        unparsed=unparsed,
        branches=tuple(
            CodeBranch(path, branch.line, branch.last, branch.arm)
            for path, result in found.items()
            for branch in result.branches
        ),
    )


def _findings(found: Mapping[str, FileResult]) -> Iterator[CodeFinding]:
    """What counts, in the order of the files."""
    translates = any(result.translates for result in found.values())
    for path, result in found.items():
        for place in result.places:
            if not place.silenced and not (translates and rule_named(place.rule).translated):
                yield finding_of(place, path)
