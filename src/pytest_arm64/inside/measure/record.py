"""Records of what was measured, as they leave a cell; read back with distrust."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace

from ..ran import PLACE, Ran
from ..records import decode, encode, json_options, parse
from .memory import Memory
from .ratio import thinned
from .summary import Summary, summarise

FORMAT = 1
CALL = "call"
BENCHMARK = "pytest-benchmark"
COLD_START = "cold start"
KINDS = (CALL, BENCHMARK, COLD_START)
FOLDER = "measure"
"""Below ``$PYTEST_ARM64_OUT``: one file a test, with all values."""
PROPERTY = "arm64_measure"
"""Name under which a report carries the same, its samples no longer than comparisons need."""
MOST_VALUES = 100_000
_LONGEST = 5000

WITHIN, OVER, OPEN = "within", "over", "not evaluated"


def printable(text: str) -> str:
    """*text* without characters that a terminal would obey."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _text(text: str) -> str:
    if len(text) > _LONGEST:
        raise ValueError("it is far too long")
    return printable(text)


def _choice(allowed: Collection[str]) -> Callable[[str], str]:
    def check(word: str) -> str:
        if word not in allowed:
            raise ValueError(f"{word!r:.60} is not one of: {', '.join(allowed)}")
        return word

    return check


def _durations(values: tuple[float, ...]) -> tuple[float, ...]:
    if len(values) > MOST_VALUES:
        raise ValueError("there are too many samples")
    return tuple(map(duration, values))


def _samples(values: tuple[float, ...]) -> tuple[float, ...]:
    if not values:
        raise ValueError("there are no samples")
    return _durations(values)


def duration(seconds: float) -> float:
    """*seconds*; ValueError where no test can have taken so long."""
    if not 0 <= seconds < 1e9:
        raise ValueError(f"{seconds!r} is not a duration")
    return seconds


def _count(number: int) -> int:
    if number < 1:
        raise ValueError(f"{number} is not a count")
    return number


@dataclass(frozen=True)
class BudgetVerdict:
    """What became of one limit of a budget."""

    what: str = field(metadata=json_options(check=_choice(("latency", "memory"))))
    """``latency`` or ``memory``."""
    limit: float
    value: float | None
    outcome: str = field(metadata=json_options(check=_choice((WITHIN, OVER, OPEN))))
    """``within``, ``over`` or ``not evaluated``."""
    why: str = field(default="", metadata=json_options(check=_text))
    """Of one that was not evaluated, or how much the tool has seen."""


@dataclass(frozen=True)
class Record:
    """One measured subject of one test."""

    name: str = field(metadata=json_options(check=_text))
    kind: str = field(metadata=json_options(check=_choice(KINDS)))
    wall: tuple[float, ...] = field(metadata=json_options(check=_samples))
    cpu: tuple[float, ...] = field(default=(), metadata=json_options(check=_durations))
    loops: int = field(default=1, metadata=json_options(check=_count))
    memory: Memory | None = None
    resident: int | None = None
    """Peak resident bytes above an empty process."""
    disturbed: str = field(default="", metadata=json_options(check=_text))
    """What made the times worthless, empty for nothing."""
    verdicts: tuple[BudgetVerdict, ...] = ()

    @property
    def latency(self) -> Summary:
        return summarise(self.wall)

    @property
    def throughput(self) -> float:
        """Calls a second, by the median."""
        return 1 / self.latency.median if self.latency.median else 0.0

    def short(self) -> Record:
        """With no more values than a comparison uses."""
        return replace(self, wall=thinned(self.wall), cpu=thinned(self.cpu))


@dataclass(frozen=True)
class Measured:
    """The records of one test, and what it ran on."""

    test: str = field(metadata=json_options(check=_text))
    """Node id."""
    where: Ran = field(metadata=json_options(keys=PLACE))
    records: tuple[Record, ...]

    def short(self) -> Measured:
        """With no more values than a comparison uses."""
        return replace(self, records=tuple(record.short() for record in self.records))

    def to_json(self) -> dict[str, object]:
        return {"format": FORMAT, **encode(self)}

    def encode(self) -> str:
        return json.dumps(self.to_json())

    @classmethod
    def decode(cls, text: bytes | str) -> Measured:
        """The inverse of `encode`.

        Raises:
            ValueError: it is no such file.
        """
        return decode(cls, parse(text), FORMAT)
