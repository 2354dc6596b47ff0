"""Which lines of a C file a compiler sees on ARM64 and on x86-64 Linux; it is not run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ..budget import StepBudget, UnreadableSourceError
from ..findings import Branch
from .macros import Macros, evaluated, macros_of_arm, macros_of_x86

NO, MAYBE, SURELY = 0, 1, 2
"""Whether a line is seen."""
_DEEPEST = 200
_IGNORED = re.compile(
    # A quote that is not closed ends with its line: every character is looked at once.
    rb"//(?:[^\n\\]|\\.)*|/\*.*?(?:\*/|\Z)"
    rb"|\"(?:[^\"\\\n]|\\.)*\"?|(?<![0-9a-fA-F])'(?:[^'\\\n]|\\.)*'?",
    re.DOTALL,
)
_DIRECTIVE = re.compile(
    rb"^[ \t]*#[ \t]*(if|ifdef|ifndef|elif|elifdef|elifndef|else|endif|define|undef|include|error)"
    rb"\b((?:[^\n\\]|\\.)*)",
    re.DOTALL | re.MULTILINE,
)
_NAME = re.compile(r"\s*(\w+)(\()?\s*(.*)", re.DOTALL)


class Directive(NamedTuple):
    """An ``#include``, ``#define`` or ``#error``."""

    kind: str
    line: int
    """From 1."""
    text: str


@dataclass
class _Way:
    """One way of an ``#if`` chain."""

    line: int
    conditions: tuple[bool | None, bool | None]
    """Its own, on ARM64 and on x86."""
    on_arm: bool | None
    on_x86: bool | None


@dataclass
class _Chain:
    """An ``#if`` up to its ``#endif``: what is seen around it, and its ways so far."""

    around: tuple[bool | None, bool | None]
    line: int
    ways: list[_Way] = field(default_factory=list)


class PreprocessedFile:
    """A C file, with each line's reach on both machines."""

    def __init__(self, source: bytes, budget: StepBudget) -> None:
        """Raises UnreadableSourceError."""
        self._budget = budget
        self.source = source.replace(b"\r\n", b"\n")
        self.bare = _IGNORED.sub(_blank, self.source)
        """The same lines without comments; texts are kept."""
        self.directives: list[Directive] = []
        self.branches: list[Branch] = []
        self._machines: tuple[Macros, Macros] = (macros_of_arm(), macros_of_x86())
        self._chains: list[_Chain] = []
        self._seen: tuple[bool | None, bool | None] = (True, True)
        lines = self.bare.count(b"\n") + 1
        self.on_arm, self.on_x86 = bytearray(lines), bytearray(lines)
        self._conditions = bytearray(lines)
        """1 for the lines of ``#if``, ``#else`` and ``#endif``."""
        self._read()

    def for_arm(self) -> bytes:
        """The lines that ARM64 may see; the others are empty, those of conditions as well."""
        lines = self.bare.split(b"\n")
        shown = zip(lines, self.on_arm, self._conditions, strict=True)
        return b"\n".join(b"" if not reach or inner else line for line, reach, inner in shown)

    def _read(self) -> None:
        line, place, written = 0, 0, 0
        guard = ""
        for match in _DIRECTIVE.finditer(self.bare):
            self._budget.spend()
            line += self.bare.count(b"\n", place, match.start())
            place = match.start()
            kind = match[1].decode()
            text = match[2].decode("utf-8", "replace").replace("\\\n", " ").strip()
            self._mark(written, line)
            written = line
            if kind in ("define", "undef", "include", "error"):
                guard = self._plain(kind, line + 1, text, guard)
                continue
            guard = text if kind == "ifndef" else ""
            self._branch(kind, line + 1, text)
            ending = line + 1 + match[2].count(b"\n")
            self._conditions[line:ending] = b"\1" * (ending - line)
        self._mark(written, len(self.on_arm))

    def _mark(self, first: int, last: int) -> None:
        for reach, seen in zip((self.on_arm, self.on_x86), self._seen, strict=True):
            reach[first:last] = bytes([_reach(seen)]) * (last - first)

    def _plain(self, kind: str, line: int, text: str, guard: str) -> str:
        match = _NAME.match(text)
        if kind in ("include", "error"):
            self.directives.append(Directive(kind, line, text))
            return ""
        if match is None:
            return ""
        name, call, value = match.groups()
        if guard == name and kind == "define":  # an include guard: the first time counts
            self._chains[-1].ways[-1].on_arm = self._chains[-1].ways[-1].on_x86 = True
            self._seen = self._chains[-1].around
        for macros, seen in zip(self._machines, self._seen, strict=True):
            if kind == "define":
                macros.define(name, "" if call else value, seen)
            else:
                macros.undefine(name, seen)
        self.directives.append(Directive(kind, line, text))
        return ""

    def _branch(self, kind: str, line: int, text: str) -> None:
        if kind.startswith("if"):
            if len(self._chains) >= _DEEPEST:
                raise UnreadableSourceError("conditions are nested too deeply")
            self._chains.append(_Chain(self._seen, line))
        elif not self._chains:
            return
        chain = self._chains[-1]
        if kind == "endif":
            self._chains.pop()
            self._note(chain, line)
            self._seen = chain.around
            return
        of_arm, of_x86 = (self._condition(kind, text, macros) for macros in self._machines)
        arm = _and([of_arm, *(_not(way.conditions[0]) for way in chain.ways)])
        x86 = _and([of_x86, *(_not(way.conditions[1]) for way in chain.ways)])
        chain.ways.append(_Way(line, (of_arm, of_x86), arm, x86))
        self._seen = (_and([chain.around[0], arm]), _and([chain.around[1], x86]))

    @staticmethod
    def _condition(kind: str, text: str, macros: Macros) -> bool | None:
        if kind == "else":
            return True
        if kind.endswith("def"):
            match = _NAME.match(text)
            known = macros.defined(match[1]) if match is not None else None
            return _not(known) if kind.endswith("ndef") else known
        value = evaluated(text, macros)
        return None if value is None else bool(value)

    def _note(self, chain: _Chain, last: int) -> None:
        """Count *chain* as a branch of x86, if it is."""
        if chain.around[0] is False:
            return
        ways = [way for way in chain.ways if way.on_arm is False and way.on_x86 is not False]
        if ways:
            arm = any(way.on_arm is not False for way in chain.ways)
            self.branches.append(Branch(ways[0].line, last, arm))


def _blank(match: re.Match[bytes]) -> bytes:
    """*match* without what it says, if it is a comment."""
    text = match[0]
    return text if text[:1] in (b'"', b"'") else b" " + b"\n" * text.count(b"\n")


def _reach(seen: bool | None) -> int:
    return MAYBE if seen is None else SURELY if seen else NO


def _not(value: bool | None) -> bool | None:
    return None if value is None else not value


def _and(values: Sequence[bool | None]) -> bool | None:
    return False if False in values else None if None in values else True
