"""Compiler options that a build always gives: CMake, Make and Meson; nothing is run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate
from typing import NamedTuple

from ..rules import Rule

Span = tuple[int, int]
"""Where a text begins and ends."""
_COMMENT = re.compile(r"#.*")
_TOKEN = re.compile(
    r"(?<![\w.])([\w.]{1,100})[ \t]{0,20}\(|[()]|\"(?:[^\"\\]|\\.)*\"?|'[^'\n]*'?", re.DOTALL
)
_WORD = re.compile(r"\w+")
_OPTIONS = frozenset(
    [
        *("add_compile_options", "add_definitions", "add_compile_definitions", "add_link_options"),
        *("target_compile_options", "set_target_properties", "set_source_files_properties"),
    ]
)
_CMAKE_FLAGS = re.compile(r"\s*(?:APPEND\s+)?\"?(?!CMAKE_REQUIRED)(\w{0,100}?FLAGS)")
_NEUTRAL = frozenset(
    [
        *("NOT", "AND", "OR", "STREQUAL", "MATCHES", "EQUAL", "VERSION_LESS", "VERSION_GREATER"),
        *("VERSION_GREATER_EQUAL", "UNIX", "MSVC", "WIN32", "MINGW", "CMAKE_COMPILER_IS_GNUCC"),
        *("CMAKE_COMPILER_IS_GNUCXX", "CMAKE_C_COMPILER_ID", "CMAKE_CXX_COMPILER_ID", "GNU"),
        *(
            "CMAKE_BUILD_TYPE",
            "CMAKE_SYSTEM_NAME",
            "Clang",
            "AppleClang",
            "Intel",
            "Linux",
            "Debug",
            "Release",
        ),
        *("CMAKE_CXX_COMPILER_VERSION", "CMAKE_C_COMPILER_VERSION", "RelWithDebInfo"),
    ]
)
"""Words of conditions on compilers, systems and kinds of builds, which hold on any machine."""
_SUBJECT = re.compile(r"\s*([\w./]{1,200})")
_ELSEWHERE = re.compile(r"\s*(?:MSVC|WIN32|MINGW)\b")
_ALWAYS = re.compile(r"\s*(?:NOT\s+(?:MSVC|WIN32|MINGW)|UNIX)\s*\Z")
_MAKE_CONDITION = re.compile(r"\s*(ifeq|ifneq|ifdef|ifndef|endif)\b")
_MAKE_VARIABLE = re.compile(r"\s*(?:export\s+|override\s+)?(\w*FLAGS|CC|CXX)\s*[:+?!]*=")
_MAKE_RECIPE = re.compile(r"\t.{0,200}?(?:\$[({](?:CC|CXX)[)}]|\b(?:gcc|g\+\+|clang|clang\+\+)\s)")
_OF_X86 = re.compile(r"avx|sse|x86|amd64|i[3-6]86", re.IGNORECASE)
_MESON_BLOCK = re.compile(r"\s*(if|foreach|endif|endforeach)\b")
_MESON_CALLS = frozenset(
    [
        *("add_project_arguments", "add_global_arguments", "executable", "library"),
        *("static_library", "shared_library", "shared_module", "extension_module"),
    ]
)


def _calls(text: str) -> Iterator[tuple[str, int, int]]:
    """The name of each outermost call, and where its arguments begin and end."""
    depth, name, first = 0, "", 0
    for match in _TOKEN.finditer(text):
        if match[0].endswith("("):
            if not depth:
                name, first = match[1] or "", match.end()
            depth += 1
        elif match[0] == ")" and depth:
            depth -= 1
            if not depth:
                yield name, first, match.start()


def _cmake(text: str) -> Iterator[Span]:
    ways = [_Ways(here=True, open=True)]
    for name, first, last in _calls(text):
        command = name.lower()
        if command == "if":
            ways.append(_Ways(here=False, open=ways[-1].here).next(text[first:last]))
        elif command in ("else", "elseif") and len(ways) > 1:
            ways.append(ways.pop().next(text[first:last]))
        elif command == "endif" and len(ways) > 1:
            ways.pop()
        elif ways[-1].here and (
            (command in _OPTIONS and not _OF_X86.search(_first_word(text, first)))
            or (command in ("set", "string") and _sets_flags(text, first))
        ):
            yield first, last


class _Ways(NamedTuple):
    """An ``if`` of CMake, at one of its ways."""

    here: bool
    """Whether Linux may come here on any machine."""
    open: bool
    """Whether it may come to a later way."""

    def next(self, condition: str) -> _Ways:
        """At the next way; the condition of an ``else`` is empty."""
        neutral = self.open and _NEUTRAL.issuperset(_WORD.findall(condition))
        return _Ways(
            here=neutral and not _ELSEWHERE.match(condition),
            open=neutral and not _ALWAYS.match(condition),
        )


def _first_word(text: str, first: int) -> str:
    """What a command is about: a target or a file; empty where it is options."""
    match = _SUBJECT.match(text, first)
    return match[1] if match is not None else ""


def _sets_flags(text: str, first: int) -> bool:
    """Whether the arguments at *first* begin with a variable of options, not only of x86."""
    match = _CMAKE_FLAGS.match(text, first)
    return match is not None and not _OF_X86.search(match[1])


def _make(text: str) -> Iterator[Span]:
    depth = place = 0
    for line in re.split(r"(?<!\\)\n", text):
        condition = _MAKE_CONDITION.match(line)
        if condition is not None:
            depth = max(depth - 1, 0) if condition[1] == "endif" else depth + 1
        variable = _MAKE_VARIABLE.match(line)
        named = variable is not None and not _OF_X86.search(variable[1])
        if not depth and (named or _MAKE_RECIPE.match(line)):
            yield place, place + len(line)
        place += len(line) + 1


def _meson(text: str) -> Iterator[Span]:
    blocks = (_MESON_BLOCK.match(line) for line in text.split("\n"))
    steps = (0 if b is None else -1 if b[1].startswith("end") else 1 for b in blocks)
    depths = list(accumulate(steps))
    line = place = 0
    for name, first, last in _calls(text):
        line, place = line + text.count("\n", place, first), first
        if name.rpartition(".")[2] in _MESON_CALLS and depths[line] <= 0:
            yield first, last


_READERS: Mapping[str, Callable[[str], Iterator[Span]]] = {
    "cmake": _cmake,
    "make": _make,
    "meson": _meson,
}


def build_flags(rule: Rule, source: bytes, language: str) -> Iterator[int]:
    """Lines of a build file with options of *rule* that the compiler is always given."""
    text = _COMMENT.sub("", source.decode("utf-8", "replace"))
    line = place = 0
    for first, last in _READERS[language](text):
        match = rule.search(text, first, last)
        if match is not None:
            line, place = line + text.count("\n", place, match.start()), match.start()
            yield line + 1


def matching_lines(rule: Rule, source: bytes, _: str) -> Iterator[int]:
    """Lines with a text of *rule*."""
    for number, line in enumerate(source.decode("utf-8", "replace").splitlines(), 1):
        if rule.has_text(line):
            yield number
