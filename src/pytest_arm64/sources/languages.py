"""Which language a file is written in, by its name, and what reads it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from .budget import StepBudget
from .findings import FileResult
from .native.native_code import read_lines, read_native, read_rust
from .native.syntax import has_grammar
from .python_code import read_python
from .rules import Rule

PYTHON = "python"
_SUFFIXES: Mapping[str, str] = {
    "py": PYTHON,
    "c": "c",
    **dict.fromkeys(
        ("cc", "cpp", "cxx", "c++", "h", "hh", "hpp", "hxx", "inl", "ipp", "cu"), "cpp"
    ),
    **dict.fromkeys(("pyx", "pxd", "pxi"), "cython"),
    "rs": "rust",
    "cmake": "cmake",
    "mk": "make",
}
_NAMES: Mapping[str, str] = {
    "cmakelists.txt": "cmake",
    "makefile": "make",
    "gnumakefile": "make",
    "makefile.am": "make",
    "meson.build": "meson",
}
_PARSED = ("c", "cpp", "rust")
_FOR_X86 = re.compile(
    r"(?:^|[/_.-])(?:avx\w*|s?sse[1-4]?(?:_?[12])?|x86(?:_?64)?|x64|amd64|i[3-6]86|mmx)(?=[/_.-])",
    re.IGNORECASE,
)


_OF_C = (b"x86", b"X86", b"amd64", b"AMD64", b"i386", b"I386", b"SSE", b"AVX", b"aarch64", b"ARM")
_BRANCHING: Mapping[str, Sequence[bytes]] = {
    PYTHON: (b"machine()", b"uname()", b"get_platform()"),
    "c": _OF_C,
    "cpp": _OF_C,
}


class Language(NamedTuple):
    """How one file is read."""

    name: str
    for_x86: bool = False
    """Whether its path says that it is built for x86 only."""

    def __str__(self) -> str:
        return f"{self.name} for x86" if self.for_x86 else self.name

    @property
    def readable(self) -> bool:
        """Whether what parses it is installed."""
        return self.name not in _PARSED or has_grammar(self.name)

    def rules(self, source: bytes, rules: Sequence[Rule]) -> list[Rule]:
        """Those of *rules* that may find something in *source*."""
        return [
            rule
            for rule in rules
            if self.name in rule.languages
            and not (self.for_x86 and rule.surely)
            and rule.may_match(source)
        ]

    def may_branch(self, source: bytes) -> bool:
        """Whether *source* has a word of a branch for x86."""
        words = _BRANCHING.get(self.name, ())
        return not self.for_x86 and any(word in source for word in words)

    def read(self, source: bytes, rules: Sequence[Rule], budget: StepBudget) -> FileResult:
        """What *rules* find in *source*.

        Raises:
            UnreadableSourceError: it cannot be parsed, or takes too long.
            RecursionError: it is nested too deeply.
        """
        result = _READERS.get(self.name, read_lines)(source, self.name, rules, budget)
        return replace(result, branches=()) if self.for_x86 else result


_Reader = Callable[[bytes, str, Sequence[Rule], StepBudget], FileResult]
_READERS: Mapping[str, _Reader] = {
    PYTHON: read_python,
    "c": read_native,
    "cpp": read_native,
    "rust": read_rust,
}


def language_of(path: str) -> Language | None:
    """The language of the file *path*; None where its name is not that of code."""
    name = path.rpartition("/")[2].lower()
    stem, _, suffix = name.rpartition(".")
    language = _NAMES.get(name) or (_SUFFIXES.get(suffix, "") if stem else "")
    if not language:
        return None
    return Language(language, language in _PARSED and _FOR_X86.search(path) is not None)
