"""Records of what was measured, as they leave a cell; read back with distrust."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from .memory import MEMRAY, TRACEMALLOC, Memory
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
_LONGEST_NAME = 500

WITHIN, OVER, OPEN = "within", "over", "not evaluated"


class MalformedRecordError(ValueError):
    """What should be a record is none."""


@dataclass(frozen=True)
class Where:
    """What a measurement was taken on."""

    machine: str
    core: str
    emulated: bool | None
    """None outside a cell, where nobody can say."""
    stand_in: bool = False
    target: str = ""

    @property
    def native_arm(self) -> bool:
        """Whether it is known to be a real ARM processor."""
        return self.machine == "aarch64" and self.emulated is False

    @property
    def measured_for_real(self) -> bool:
        """Whether it is known not to be emulated."""
        return self.emulated is False

    def __str__(self) -> str:
        if self.emulated is None:
            return f"{self.machine or 'unknown machine'}, in no target"
        how = "EMULATED" if self.emulated else "native"
        core = f", core {self.core}" if self.core else ""
        on = ", on a STAND-IN" if self.stand_in else ""
        return f"{self.machine} {how}{core}{on}"

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Where:
        """From what the fixture ``arm64_target`` tells."""
        emulated = facts.get("emulated")
        return cls(
            machine=str(facts.get("machine") or ""),
            core=str(facts.get("core") or ""),
            emulated=emulated if isinstance(emulated, bool) else None,
            stand_in=facts.get("stand_in") is True,
            target=str(facts.get("target") or ""),
        )


@dataclass(frozen=True)
class Verdict:
    """What became of one limit of a budget."""

    what: str
    """``latency`` or ``memory``."""
    limit: float
    value: float | None
    outcome: str
    """``within``, ``over`` or ``not evaluated``."""
    why: str = ""
    """Of one that was not evaluated, or how much the tool has seen."""


@dataclass(frozen=True)
class Record:
    """One measured subject of one test."""

    name: str
    kind: str
    wall: tuple[float, ...]
    cpu: tuple[float, ...] = ()
    loops: int = 1
    memory: Memory | None = None
    resident: int | None = None
    """Peak resident bytes above an empty process."""
    disturbed: str = ""
    """What made the times worthless, empty for nothing."""
    verdicts: tuple[Verdict, ...] = ()

    @property
    def latency(self) -> Summary:
        return summarise(self.wall)

    @property
    def throughput(self) -> float:
        """Calls a second, by the median."""
        return 1 / self.latency.median if self.latency.median else 0.0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def short(self) -> Record:
        """With no more values than a comparison uses."""
        return replace(self, wall=thinned(self.wall), cpu=thinned(self.cpu))

    @classmethod
    def from_json(cls, document: Any) -> Record:
        """The inverse of `to_json`.

        Raises:
            MalformedRecordError: it is none.
        """
        try:
            memory, verdicts = document["memory"], document["verdicts"]
            record = cls(
                name=_text(document["name"]),
                kind=_one_of(document["kind"], KINDS),
                wall=_seconds(document["wall"]),
                cpu=_seconds(document["cpu"]) if document["cpu"] else (),
                loops=_count(document["loops"]),
                memory=None if memory is None else _memory(memory),
                resident=_whole(document["resident"]),
                disturbed=_text(document["disturbed"]),
                verdicts=tuple(_verdict(verdict) for verdict in verdicts),
            )
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise MalformedRecordError(f"no record of a measurement: {error}") from None
        return record


@dataclass(frozen=True)
class Measured:
    """The records of one test, and what it ran on."""

    test: str
    """Node id."""
    where: Where
    records: tuple[Record, ...]

    def encode(self) -> str:
        return json.dumps(self.to_json())

    def short(self) -> Measured:
        """With no more values than a comparison uses."""
        return replace(self, records=tuple(record.short() for record in self.records))

    def to_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "test": self.test,
            "where": asdict(self.where),
            "records": [record.to_json() for record in self.records],
        }

    @classmethod
    def decode(cls, data: bytes | str) -> Measured:
        """The inverse of `encode`.

        Raises:
            MalformedRecordError: it is no such file.
        """
        try:
            document = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise MalformedRecordError(f"not JSON: {error}") from None
        return cls.from_json(document)

    @classmethod
    def from_json(cls, document: Any) -> Measured:
        """The inverse of `to_json`.

        Raises:
            MalformedRecordError: it is none.
        """
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            raise MalformedRecordError(f"no record of a test in format {FORMAT}")
        try:
            return cls(
                test=_text(document["test"]),
                where=Where.of(dict(document["where"])),
                records=tuple(Record.from_json(r) for r in document["records"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise MalformedRecordError(f"no record of a test: {error}") from None


def printable(text: str) -> str:
    """*text* without characters that a terminal would obey."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_NAME * 10:
        raise ValueError("a text is missing or far too long")
    return printable(value)


def _one_of(value: Any, allowed: Sequence[str]) -> str:
    if value not in allowed:
        raise ValueError(f"{value!r} is none of {', '.join(allowed)}")
    return str(value)


def _seconds(values: Any) -> tuple[float, ...]:
    if not isinstance(values, list) or not 0 < len(values) <= MOST_VALUES:
        raise ValueError("samples are missing or too many")
    if not all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values):
        raise ValueError("a sample holds what is no number")
    if not all(0 <= v < 1e9 for v in values):
        raise ValueError("a sample holds what is no duration")
    return tuple(map(float, values))


def _count(value: Any) -> int:
    found = _whole(value)
    if not found or found < 1:
        raise ValueError("a count is missing")
    return found


def _whole(value: Any) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > 1 << 62:
        raise ValueError(f"{value!r} is no count")
    return value


def _memory(document: Any) -> Memory:
    peak = _whole(document["peak"])
    if peak is None or peak < 0:
        raise ValueError("a peak is missing")
    return Memory(
        peak, _whole(document["allocations"]), _one_of(document["tool"], (MEMRAY, TRACEMALLOC))
    )


def _verdict(document: Any) -> Verdict:
    value = document["value"]
    return Verdict(
        what=_one_of(document["what"], ("latency", "memory")),
        limit=float(document["limit"]),
        value=None if value is None else float(value),
        outcome=_one_of(document["outcome"], (WITHIN, OVER, OPEN)),
        why=_text(document["why"]),
    )
