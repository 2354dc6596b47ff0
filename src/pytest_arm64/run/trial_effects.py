"""What a change does to each test and golden value: two sessions, compared."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from ..decide.trials import BREAKS, DIFFERS, FIXES, Effect
from ..inside.golden.explain import printable
from ..inside.golden.report_property import told_by
from ..inside.golden.verdict import GoldenVerdict
from .differences import crash
from .unseen_session import Outcome

MISSING = "not collected"
_LONGEST = 500
"""Characters of why a test failed."""
Tests = Mapping[str, Outcome]


@dataclass(frozen=True)
class Compared:
    """The tests with a change, beside those without it."""

    effects: tuple[Effect, ...]
    tests: int
    """Those that passed before and after."""
    goldens: int
    """Values that are equal, by their policies."""


def compared(before: Tests, after: Tests, *, alike: bool, flaky: Collection[str] = ()) -> Compared:
    """What became of the tests of *before* in *after*, by node id.

    Args:
        before: on x86, without the change.
        after: with it.
        alike: whether both ran on the same architecture, so that every value that is not
            identical comes from the change.
        flaky: node ids of tests that differ from themselves: nothing of them is an effect.
    """
    effects: list[Effect] = []
    tests = goldens = 0
    for nodeid in dict.fromkeys((*before, *after)):
        if nodeid in flaky:
            continue
        old, new = before.get(nodeid), after.get(nodeid)
        values, equal = _values(new, alike=alike) if new is not None else ([], 0)
        goldens += equal
        passed = old is not None and old.outcome == "passed"
        broken = any(effect.kind == BREAKS for effect in values)
        if passed and new is not None and new.outcome == "passed" and not broken:
            tests += 1
        # A value that differs fails its test: the value says what it is.
        effect = None if passed and broken else _effect(nodeid, old, new, after)
        effects += [*values, *([effect] if effect is not None else [])]
    return Compared(tuple(effects), tests, goldens)


def _effect(nodeid: str, old: Outcome | None, new: Outcome | None, after: Tests) -> Effect | None:
    """What became of one test itself; None where it is what it was."""
    was = old.outcome if old is not None else MISSING
    now = new.outcome if new is not None else MISSING
    bad_before = old is not None and old.bad
    bad_now = new is not None and new.bad
    text = _reason(new) if new is not None and new.bad else ""
    if new is None and bad_before and any(test.startswith(f"{nodeid}::") for test in after):
        return Effect(FIXES, nodeid, was, "collected")  # a file that could not be imported
    if old is not None and new is not None and was == now:
        if not (bad_now and _reason(old) != text):
            return None
        return Effect(DIFFERS, nodeid, was, now, text=text)
    if bad_now and not bad_before:
        return Effect(BREAKS, nodeid, was, now, text=text)
    if new is None:
        return Effect(DIFFERS if bad_before else BREAKS, nodeid, was, now)
    if bad_before and not bad_now:
        return Effect(FIXES, nodeid, was, now)
    return Effect(DIFFERS, nodeid, was, now, text=text)


def _values(test: Outcome, *, alike: bool) -> tuple[list[Effect], int]:
    """The golden values of *test* that are not what they were, and how many are."""
    effects, equal = [], 0
    for told in told_by(test.user_properties):
        for value in told.values:
            name, label = str(value["name"]), str(value["class"])
            if value["ok"] is not True:
                effects.append(Effect(BREAKS, test.nodeid, "", label, name, _line(value)))
            elif alike and label != GoldenVerdict.IDENTICAL.value:
                effects.append(Effect(DIFFERS, test.nodeid, "", label, name))
            else:
                equal += 1
    return effects, equal


def _line(value: Mapping[str, object]) -> str:
    """The explanation of a golden *value* in one line: the first below its title."""
    lines = [line.strip() for line in str(value.get("text", "")).splitlines() if line.strip()]
    return printable("".join(lines[1:2]))[:_LONGEST]


def _reason(test: Outcome) -> str:
    return printable(crash(test.text))[:_LONGEST]


def suspects(*sides: Compared) -> Iterator[str]:
    """Node ids of tests to repeat: those with an effect that is no gain."""
    for side in sides:
        for effect in side.effects:
            if effect.kind != FIXES and MISSING not in (effect.before, effect.after):
                yield effect.test
