"""Places in a service's code that assume x86, and which of them its tests executed on ARM64."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

BRANCH = "branch"
"""The kind of a branch that x86 takes and ARM64 does not; any other kind is that of a rule."""


@dataclass(frozen=True)
class X86Place:
    """A branch for x86, or a place that a rule found."""

    path: str
    """Relative to the repository, with ``/``."""
    line: int
    kind: str
    """``branch``, or the rule that found it."""
    arm: bool = False
    """Of a branch, whether ARM64 has a way of its own, or the general one."""
    executed: bool | None = None
    """Whether tests executed it on ARM64; None where that was not measured."""

    @property
    def in_python(self) -> bool:
        """Whether it can be measured: no tool says which lines of C are executed."""
        return self.path.endswith(".py")

    @property
    def place(self) -> str:
        return f"{self.path}:{self.line}"


def places_in_words(places: Sequence[X86Place], problem: str = "") -> str:
    """``2 branches for x86, 1 of them without a way for ARM64, 1 never executed …``.

    Empty without places; *problem* is why it is not known what the tests executed.
    """
    branches = [place for place in places if place.kind == BRANCH]
    others = [place for place in places if place.kind != BRANCH]
    parts = []
    if branches:
        without = sum(not branch.arm for branch in branches)
        some = _counted(branches, "branch for x86", "branches for x86")
        parts.append(f"{some}, {without or 'none'} of them without a way for ARM64")
    if others:
        parts.append(_counted(others, "place that assumes x86", "places that assume x86"))
    if never := never_executed(places):
        parts.append(f"{len(never)} never executed by the tests on ARM64")
    unknown = [place for place in places if place.executed is None]
    if python := sum(place.in_python for place in unknown):
        parts.append(f"{python} not measured" + (f" ({problem})" if problem else ""))
    if other := sum(not place.in_python for place in unknown):
        parts.append(f"{other} not measured (not in Python)")
    return ", ".join(parts)


def _counted(places: Sequence[X86Place], one: str, several: str) -> str:
    return f"1 {one}" if len(places) == 1 else f"{len(places)} {several}"


def never_executed(places: Iterable[X86Place]) -> list[X86Place]:
    """Those of *places* that no test executed, where that was measured."""
    return [place for place in places if place.executed is False]


def together(sides: Sequence[Sequence[X86Place]]) -> tuple[X86Place, ...]:
    """The last of *sides* that has places; what one of them saw executed was executed."""
    last = next((side for side in reversed(sides) if side), ())
    seen: defaultdict[X86Place, set[bool]] = defaultdict(set)
    for place in (place for side in sides for place in side):
        if place.executed is not None:
            seen[replace(place, executed=None)].add(place.executed)
    measured = ((place, seen[replace(place, executed=None)]) for place in last)
    return tuple(replace(place, executed=any(m) if m else None) for place, m in measured)
