"""Judges contents of files, within limits for each and for all of them together."""

from __future__ import annotations

from collections.abc import Sequence

from .budget import StepBudget, UnreadableSourceError
from .findings import CodeFinding, FileResult, finding_of
from .languages import Language, language_of
from .rules import Rule, all_rules

MOST_PARSED = 32 << 20
"""Bytes of all files that are parsed."""
MOST_STEPS = 5_000_000
"""Of all files: well below a minute."""
MOST_STEPS_OF_FILE = 200_000
"""Of one file."""
_UNREADABLE = FileResult(readable=False)


class CodeReader:
    """Judges one file after the other."""

    def __init__(self) -> None:
        self._bytes, self._steps = MOST_PARSED, MOST_STEPS

    def read(self, source: bytes, language: Language) -> FileResult | None:
        """What the rules find in *source*; None beyond a limit of all files."""
        rules = language.rules(source, all_rules())
        if not rules and not language.may_branch(source):
            return FileResult()
        self._bytes -= len(source)
        if self._bytes < 0:
            return None
        budget = StepBudget(min(self._steps, MOST_STEPS_OF_FILE))
        granted = budget.left
        result = _judged(source, language, rules, budget)
        self._steps -= granted - max(budget.left, 0)
        return None if budget.left < 0 and granted < MOST_STEPS_OF_FILE else result


def _judged(
    source: bytes, language: Language, rules: Sequence[Rule], budget: StepBudget
) -> FileResult:
    try:
        return language.read(source, rules, budget)
    except (UnreadableSourceError, RecursionError, MemoryError):
        return _UNREADABLE


def findings_in(source: bytes, path: str, rules: Sequence[Rule]) -> list[CodeFinding]:
    """What *rules* find in one file, in the order of its lines.

    Raises:
        UnreadableSourceError: it cannot be parsed, or takes too long.
        RecursionError: it is nested too deeply.
    """
    language = language_of(path)
    if language is None:
        return []
    chosen = language.rules(source, rules)
    result = language.read(source, chosen, StepBudget(MOST_STEPS_OF_FILE))
    return [finding_of(place, path) for place in result.places if not place.silenced]
