"""What the rules find in a file that is compiled or says how to compile: C, C++, Cython, Rust."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from ..budget import StepBudget
from ..findings import CodePlace, FileResult, place_at
from ..rules import Rule
from .build_files import build_flags, matching_lines
from .matchers import MATCHERS, NativeFile
from .rust import rust_places

_TRANSLATED = re.compile(r'[<"][\w./]*(?:sse2neon\.h|simde/|neon_?2_?sse|avx2ki\.h)')
"""Headers that have x86's vector functions for other machines."""
_LINE_KINDS = {"build-flags": build_flags, "lines": matching_lines}


def read_native(
    source: bytes, language: str, rules: Sequence[Rule], budget: StepBudget
) -> FileResult:
    """What *rules* find in *source*, C or C++.

    Raises:
        UnreadableSourceError: it cannot be parsed, or takes too long.
    """
    file = NativeFile(source, language, budget)
    preprocessed = file.preprocessed
    translates = any(
        directive.kind == "include" and _TRANSLATED.match(directive.text)
        for directive in preprocessed.directives
    )
    rules = [rule for rule in rules if not (rule.translated and translates)]
    places = _places(rules, file)
    return FileResult(
        _ordered(source, places, budget),
        branches=tuple(preprocessed.branches),
        translates=translates,
    )


def _places(rules: Sequence[Rule], file: NativeFile) -> Iterator[tuple[Rule, int, int]]:
    for rule in rules:
        if rule.is_in(file.code):
            for first, last in MATCHERS[rule.kind](rule, file):
                yield rule, first, last


def read_lines(
    source: bytes, language: str, rules: Sequence[Rule], budget: StepBudget
) -> FileResult:
    """What *rules* find in a build file or a Cython module.

    Raises:
        UnreadableSourceError: it takes too long.
    """
    places = (
        (rule, line, line)
        for rule in rules
        for line in _LINE_KINDS[rule.kind](rule, source, language)
    )
    return FileResult(_ordered(source, places, budget))


def read_rust(source: bytes, _: str, rules: Sequence[Rule], budget: StepBudget) -> FileResult:
    """What *rules* find in Rust.

    Raises:
        UnreadableSourceError: it takes too long.
    """
    places = (
        (rule, first, last) for rule in rules for first, last in rust_places(rule, source, budget)
    )
    return FileResult(_ordered(source, places, budget))


def _ordered(
    source: bytes, places: Iterable[tuple[Rule, int, int]], budget: StepBudget
) -> tuple[CodePlace, ...]:
    """Each place once, in the order of the lines."""
    lines: list[str] = []
    ordered: dict[tuple[int, str], CodePlace] = {}
    for rule, first, last in places:
        lines = lines or source.decode("utf-8", "replace").split("\n")
        budget.spend(1 + last - first)
        if (first, rule.id) not in ordered:
            ordered[first, rule.id] = place_at(rule, lines, first, last)
    return tuple(ordered[key] for key in sorted(ordered))
