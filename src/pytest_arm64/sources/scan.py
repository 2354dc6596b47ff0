"""Places in a project's Python files that assume x86: advice, which changes no state."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..inputs.project_files import SKIPPED
from ..inputs.tracked_files import tracked_files
from ..inside.regular_file import read_regular
from .budget import StepBudget, UnreadableSourceError
from .matchers import MATCHERS
from .module import SourceModule
from .rules import Rule, all_rules

MOST_FILES = 50_000
MOST_BYTES = 1 << 20
"""Of one file: a larger one was written by a program."""
MOST_PARSED = 32 << 20
"""Bytes of all files that are parsed."""
MOST_STEPS = 5_000_000
"""Of all files: well below a minute."""
MOST_STEPS_OF_FILE = 200_000
"""Of one file."""
_INSTALLED = SKIPPED | {"site-packages", "dist-packages"}
_IGNORE = re.compile(r"#\s*arm64:\s*ignore\[([\w\-, ]*)\](.*)")


@dataclass(frozen=True)
class CodeFinding:
    """One place that assumes x86."""

    rule: str
    path: str
    """Relative to the repository, with ``/``."""
    line: int
    code: str
    """The line itself."""
    what: str
    fix: str
    confidence: str
    note: str = ""
    """What is wrong with a comment that was to silence it."""

    @property
    def place(self) -> str:
        return f"{self.path}:{self.line}"


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
    files = lines = unread = ignored = parsed = 0
    steps = MOST_STEPS
    findings: list[CodeFinding] = []
    contained = _Contained(root if folder.is_relative_to(root) else folder)
    for number, path in enumerate(_python_files(folder, apart)):
        source = contained.content(path) if number < MOST_FILES else None
        if source is None:
            unread += 1
            continue
        files, lines = files + 1, lines + source.count(b"\n")
        rules = [rule for rule in all_rules() if rule.may_match(source)]
        if not rules:
            continue
        parsed += len(source)
        shown = os.path.relpath(path, root).replace(os.sep, "/")
        budget = StepBudget(min(steps, MOST_STEPS_OF_FILE))
        steps -= budget.left
        try:
            places = _places(source, shown, rules, budget) if parsed <= MOST_PARSED else None
        except (UnreadableSourceError, RecursionError, MemoryError):
            places = None
        steps += max(budget.left, 0)
        if places is None:
            unread += 1
            continue
        findings += (finding for finding, silenced in places if not silenced)
        ignored += sum(silenced for _, silenced in places)
    return CodeScan(service, tuple(findings), files, lines, unread, ignored)


def findings_in(source: bytes, path: str, rules: Sequence[Rule]) -> list[CodeFinding]:
    """What *rules* find in one file, in the order of its lines.

    Raises:
        UnreadableSourceError: it cannot be parsed, or takes too long.
        RecursionError: it is nested too deeply.
    """
    places = _places(source, path, rules, StepBudget(MOST_STEPS_OF_FILE))
    return [finding for finding, silenced in places if not silenced]


def _places(
    source: bytes, path: str, rules: Sequence[Rule], budget: StepBudget
) -> list[tuple[CodeFinding, bool]]:
    """Each finding, and whether a comment silences it."""
    module = SourceModule(source, budget)
    places: dict[tuple[int, str], tuple[CodeFinding, bool]] = {}
    for rule in rules:
        for node in MATCHERS[rule.kind](rule, module):
            first, last = _extent(node)
            budget.spend(1 + last - first)
            if (first, rule.id) in places:
                continue
            code = module.lines[first - 1].strip() if first <= len(module.lines) else ""
            finding = CodeFinding(
                rule.id, path, first, code[:120], rule.what, rule.fix, rule.confidence
            )
            comments = module.lines[first - 1 : last]
            places[first, rule.id] = _silenced(finding, comments)
    return [places[key] for key in sorted(places)]


def _extent(node: object) -> tuple[int, int]:
    """First and last line of an expression, or of a statement's head."""
    first = int(getattr(node, "lineno", 1))
    head = getattr(node, "test", None) or getattr(node, "subject", None) or node
    return first, int(getattr(head, "end_lineno", None) or first)


def _silenced(finding: CodeFinding, lines: Sequence[str]) -> tuple[CodeFinding, bool]:
    for match in filter(None, map(_IGNORE.search, lines)):
        if finding.rule in [name.strip() for name in match[1].split(",")]:
            if match[2].strip():
                return finding, True
            return replace(finding, note="the comment that ignores it needs a reason"), False
    return finding, False


def _python_files(folder: Path, apart: Collection[Path]) -> Iterator[Path]:
    others = {other for other in apart if other != folder and other.is_relative_to(folder)}
    for file in tracked_files(folder):
        path = folder / file.path
        if not file.path.endswith(".py") or not file.path.isprintable():
            continue
        if _INSTALLED.isdisjoint(path.relative_to(folder).parts) and others.isdisjoint(
            path.parents
        ):
            yield path


class _Contained:
    """Reads files of a repository, and none that a link leads to."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self._folders: dict[Path, bool] = {}

    def content(self, path: Path) -> bytes | None:
        """The content of *path*; None where it is a link, leads out, or is too large."""
        try:
            if path.is_symlink() or not self._has(path.parent):
                return None
            return read_regular(path, MOST_BYTES)
        except (OSError, ValueError, RuntimeError):  # a loop of links, before Python 3.13
            return None

    def _has(self, folder: Path) -> bool:
        if folder not in self._folders:
            self._folders[folder] = folder.resolve().is_relative_to(self._root)
        return self._folders[folder]
