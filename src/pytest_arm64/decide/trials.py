"""Changes that were tried: what they did to each test and golden value, on each architecture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from ..config.changes import Change
from ..inside.counted import counted
from ..inside.ran import Ran
from ..records import Layout, json_options
from ..wording import first_of

ARM64 = "arm64"
FIXES, BREAKS, DIFFERS = "fixes", "breaks", "differs"
EFFECTS = (BREAKS, DIFFERS, FIXES)
"""The gravest first."""
_SHOWN = 3


def _kind(word: str) -> str:
    if word not in EFFECTS:
        raise ValueError(f"{word!r:.60} is not an effect of a change")
    return word


@dataclass(frozen=True)
class Effect:
    """One test or golden value that is not what it was on x86 as locked."""

    kind: str = field(metadata=json_options(check=_kind))
    """``fixes``, ``breaks`` or ``differs``."""
    test: str
    before: str
    """How the test ended on x86 as locked; of a value, empty."""
    after: str
    """How it ended with the change; of a value, the class of its difference."""
    value: str = ""
    """Name of the golden value; empty where the test itself is meant."""
    text: str = ""
    """Why, in one line, where it failed."""

    def __str__(self) -> str:
        what = f"golden {self.value!r} of {self.test}" if self.value else self.test
        how = f"{self.before or 'equal'} → {self.after}"
        return f"{self.kind} {what}: {how}" + (f": {self.text}" if self.text else "")


@dataclass(frozen=True)
class TrialSide:
    """The tests with the changes on one architecture, compared with x86 as locked."""

    architecture: str
    """``amd64`` or ``arm64``."""
    where: Ran
    tests: int
    """Those that passed before and with the change."""
    goldens: int
    """Values that are what they were, by their policies."""
    effects: tuple[Effect, ...] = ()
    flaky: tuple[str, ...] = ()
    """Node ids of tests that differ from themselves: no effects of the change."""
    problems: tuple[str, ...] = ()
    """Why it is not complete."""

    @property
    def machine(self) -> str:
        """As it is shown: ARM64 or x86."""
        return "ARM64" if self.architecture == ARM64 else "x86"

    def of_kind(self, kind: str) -> tuple[Effect, ...]:
        return tuple(effect for effect in self.effects if effect.kind == kind)

    @property
    def words(self) -> str:
        """What came out, in one line: the effects, the gravest first, and what is equal."""
        counts = Counter(effect.kind for effect in self.effects)
        parts = [f"{kind} {counts[kind]}" for kind in EFFECTS if counts[kind]]
        return ", ".join([*parts, equal_words(self.tests, self.goldens)])


@dataclass(frozen=True)
class Trial:
    """Changes that one run has tried together."""

    JSON: ClassVar[Layout] = Layout(computed=("sound", "result"))

    changes: tuple[Change, ...]
    sides: tuple[TrialSide, ...]
    """Of x86, then of ARM64."""
    names: tuple[str, ...] = ()
    """Deployed packages whose releases are not installed with the changes."""
    problems: tuple[str, ...] = ()
    """Why the run on x86 as locked is not complete."""
    part: str = ""
    """What limited it to a part of the tests; empty where nothing did."""

    @property
    def shown(self) -> str:
        """The changes in one line."""
        return ", ".join(map(str, self.changes))

    @property
    def arm(self) -> TrialSide | None:
        """The side on ARM64; None where it has not run."""
        return next((side for side in self.sides if side.architecture == ARM64), None)

    @property
    def whole(self) -> bool:
        """Whether all tests ran everywhere, and at least one passed with the changes on ARM64."""
        incomplete = self.problems or self.part or any(side.problems for side in self.sides)
        arm = self.arm
        return not incomplete and arm is not None and bool(arm.tests or arm.of_kind(FIXES))

    @property
    def breaks(self) -> tuple[Effect, ...]:
        return tuple(effect for side in self.sides for effect in side.of_kind(BREAKS))

    @property
    def sound(self) -> bool:
        """Whether the tests show that the changes can be made."""
        return self.whole and not self.breaks

    @property
    def result(self) -> str:
        """What it has shown, in one line."""
        if self.breaks:
            return "; ".join(self._broken())
        if not self.whole:
            return f"incomplete: {self._incomplete()}"
        assert self.arm is not None
        return equal_words(self.arm.tests, self.arm.goldens)

    def _broken(self) -> Iterator[str]:
        for side in self.sides:
            broken = side.of_kind(BREAKS)
            if broken:
                names = [f"{e.test} ({e.value})" if e.value else e.test for e in broken]
                listed = first_of(list(dict.fromkeys(names)), _SHOWN, ", ")
                yield f"breaks {len(broken)} on {side.machine}: {listed}"

    def _incomplete(self) -> str:
        reasons = [*self.problems, *(p for side in self.sides for p in side.problems)]
        if self.part:
            reasons.append(f"only a part of the tests ran ({self.part})")
        lines = (reason.strip().splitlines()[0] for reason in reasons if reason.strip())
        return first_of(list(lines), _SHOWN, "; ") or "no test passed on ARM64"


def equal_words(tests: int, goldens: int) -> str:
    """How many tests and golden values are as they were."""
    words = counted(tests, "test")
    if goldens:
        words += f" and {counted(goldens, 'golden')}"
    return f"{words} equal"
