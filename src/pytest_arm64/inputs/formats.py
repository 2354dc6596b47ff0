"""Which kinds of files an installer may use: pip's ``--no-binary`` and ``--only-binary``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from packaging.utils import canonicalize_name

from ..index.simple import SDIST, WHEEL, IndexFile

ALL, NONE = ":all:", ":none:"


@dataclass(frozen=True)
class Formats:
    """Names, or ``:all:``, whose wheels or whose source distributions are not used."""

    no_binary: frozenset[str] = frozenset()
    only_binary: frozenset[str] = frozenset()

    def without_wheels(self, value: str) -> Formats:
        """After another ``--no-binary`` *value*."""
        chosen, other = _applied(value, self.no_binary, self.only_binary)
        return Formats(no_binary=chosen, only_binary=other)

    def wheels_only(self, value: str) -> Formats:
        """After another ``--only-binary`` *value*."""
        chosen, other = _applied(value, self.only_binary, self.no_binary)
        return Formats(no_binary=other, only_binary=chosen)

    def over(self, base: Formats) -> Formats:
        """What is said here after what *base* says."""
        for value in sorted(self.no_binary):
            base = base.without_wheels(value)
        for value in sorted(self.only_binary):
            base = base.wheels_only(value)
        return base

    def excluded(self, name: str) -> str:
        """The kind of *name*'s files that is not used; empty where every kind is."""
        for names in ({name}, {ALL}):
            if names & self.only_binary:
                return SDIST
            if names & self.no_binary:
                return WHEEL
        return ""

    def admitted(self, name: str, files: Iterable[IndexFile]) -> Iterable[IndexFile]:
        """Those of *files* that may be used for *name*."""
        excluded = self.excluded(name)
        return [file for file in files if file.kind != excluded] if excluded else files


def _applied(
    value: str, chosen: frozenset[str], other: frozenset[str]
) -> tuple[frozenset[str], frozenset[str]]:
    """pip's rule: the last word counts, and excludes the other list's entry for the same name."""
    for word in re.split(r"[\s,]+", value.strip()):
        if word == ALL:
            chosen, other = frozenset([ALL]), frozenset()
        elif word == NONE:
            chosen = frozenset()
        elif word:
            name = canonicalize_name(word)
            chosen, other = chosen | {name}, other - {name}
    return chosen, other
