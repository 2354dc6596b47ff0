"""What is found in the content of a file, and what a comment beside it silences."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .rules import Rule, rule_named

_IGNORE = re.compile(r"(?:#|//|/\*)\s*arm64:\s*ignore\[([\w\-, ]*)\](.*)")
_LONGEST_CODE = 120


@dataclass(frozen=True)
class CodePlace:
    """A line in which a rule found something, whichever file has it."""

    rule: str
    line: int
    code: str
    """The line itself."""
    note: str = ""
    """What is wrong with a comment that was to silence it."""
    silenced: bool = False
    begins: int = 0
    ends: int = 0
    """Lines of the statement around it; 0 where no tool says which lines are executed."""


@dataclass(frozen=True)
class Branch:
    """Lines that x86 takes and ARM64 does not, because of the machine."""

    line: int
    """Of the condition."""
    last: int
    """The last line of all ways of the branch."""
    arm: bool
    """Whether ARM64 has a way of its own, or the general one."""


@dataclass(frozen=True)
class FileResult:
    """What one content holds."""

    places: tuple[CodePlace, ...] = ()
    """In the order of their lines."""
    readable: bool = True
    """Whether it could be parsed, within the limits of one file."""
    branches: tuple[Branch, ...] = ()
    translates: bool = False
    """Whether it includes a translation of x86's vector functions for other machines."""

    @property
    def says_something(self) -> bool:
        return bool(self.places or self.branches or self.translates)


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
    begins: int = 0
    ends: int = 0
    """Lines of the statement around it; 0 where no tool says which lines are executed."""

    @property
    def place(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(frozen=True)
class CodeBranch:
    """A branch of x86 in a file."""

    path: str
    line: int
    last: int
    arm: bool


def place_at(rule: Rule, lines: Sequence[str], first: int, last: int) -> CodePlace:
    """What *rule* found in these lines, from 1; a comment in them may silence it."""
    code = lines[first - 1].strip() if first <= len(lines) else ""
    note, silenced = "", False
    for match in filter(None, map(_IGNORE.search, lines[first - 1 : last])):
        if rule.id in [name.strip() for name in match[1].split(",")]:
            silenced = bool(match[2].removesuffix("*/").strip())
            note = "" if silenced else "the comment that ignores it needs a reason"
            break
    return CodePlace(rule.id, first, code[:_LONGEST_CODE], note, silenced)


def finding_of(place: CodePlace, path: str) -> CodeFinding:
    """*place* in the file *path*."""
    rule = rule_named(place.rule)
    return CodeFinding(
        rule=rule.id,
        path=path,
        line=place.line,
        code=place.code,
        what=rule.what,
        fix=rule.fix,
        confidence=rule.confidence,
        note=place.note,
        begins=place.begins,
        ends=place.ends,
    )
