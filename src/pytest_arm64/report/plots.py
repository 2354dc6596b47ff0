"""Pictures of measured times by the number in a test's name: x86 beside ARM, native on both."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..cost.sides import ARCHITECTURES
from ..decide.evidence import ServiceEvidence
from ..inside.measure.budget import shown_seconds
from ..inside.measure.record import COLD_START, Record
from ..inside.measure.summary import at, ordered_sample

WIDTH, HEIGHT = 640, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 76, 12, 14, 40
"""Margins, in the units of the picture."""
_FEWEST = 3
"""Points of a line; of two, the table says as much."""
_LEAST = 1e-9
"""Seconds that the axis reaches at least."""
_NUMBERED = re.compile(r"(?P<test>.+)\[(?P<number>\d{1,9})\]\Z")
_SIDES = ("x86_64", "arm64")

Times = Mapping[int, Record]


@dataclass(frozen=True)
class Dot:
    """One measurement: where it is drawn, and what it is."""

    x: float
    y: float
    low: float
    high: float
    """Height of the quartiles."""
    text: str


@dataclass(frozen=True)
class Line:
    """One side of the comparison."""

    architecture: str
    where: str
    dots: tuple[Dot, ...]

    @property
    def points(self) -> str:
        """As SVG has them."""
        return " ".join(f"{dot.x:.1f},{dot.y:.1f}" for dot in self.dots)


@dataclass(frozen=True)
class Mark:
    """A value of an axis."""

    at: float
    text: str


@dataclass(frozen=True)
class Plot:
    """Medians of one subject by the number in its tests' names."""

    title: str
    lines: tuple[Line, ...]
    across: tuple[Mark, ...]
    up: tuple[Mark, ...]


def plots(service: ServiceEvidence) -> Iterator[Plot]:
    """One picture for each subject that was measured for three numbers, natively on both sides.

    Emulated times are in none: they are stretched unevenly.
    """
    for title, sides in _numbered(service).items():
        if set(sides) != set(_SIDES):
            continue
        common = sorted(set.intersection(*(set(times) for _, times in sides.values())))
        if len(common) >= _FEWEST:
            yield _drawn(title, {name: sides[name] for name in _SIDES}, common)


def _numbered(service: ServiceEvidence) -> dict[str, dict[str, tuple[str, dict[int, Record]]]]:
    """By subject and architecture: on what it ran, and the records by number."""
    subjects: dict[str, dict[str, tuple[str, dict[int, Record]]]] = {}
    for measured in service.measured:
        match = _NUMBERED.match(measured.test)
        architecture = ARCHITECTURES.get(measured.where.machine)
        if match is None or architecture is None or not measured.where.native:
            continue
        for record in measured.records:
            if record.disturbed or record.kind == COLD_START:
                continue
            sides = subjects.setdefault(f"{match['test']}: {record.name}", {})
            _, times = sides.setdefault(architecture, (str(measured.where), {}))
            times[int(match["number"])] = record
    return subjects


def _drawn(title: str, sides: Mapping[str, tuple[str, Times]], numbers: Sequence[int]) -> Plot:
    highest = (_quartiles(times[n])[2] for _, times in sides.values() for n in numbers)
    most = max(*highest, _LEAST)
    step = _step(most)
    top = step * math.ceil(most / step)

    def height(seconds: float) -> float:
        return HEIGHT - _BOTTOM - (HEIGHT - _BOTTOM - _TOP) * seconds / top

    return Plot(
        title=title,
        lines=tuple(
            Line(
                architecture,
                where,
                tuple(_dot(n, _place(n, numbers), times[n], height) for n in numbers),
            )
            for architecture, (where, times) in sides.items()
        ),
        across=tuple(Mark(_place(n, numbers), f"{n}") for n in numbers),
        up=tuple(
            Mark(height(step * n), shown_seconds(step * n) if n else "0")
            for n in range(round(top / step) + 1)
        ),
    )


def _dot(number: int, x: float, record: Record, height: Callable[[float], float]) -> Dot:
    low, median, high = _quartiles(record)
    text = f"{number}: {shown_seconds(median)} ({shown_seconds(low)} to {shown_seconds(high)})"
    return Dot(x, height(median), height(low), height(high), text)


def _quartiles(record: Record) -> tuple[float, float, float]:
    ordered = ordered_sample(record.wall)
    return at(ordered, 0.25), at(ordered, 0.5), at(ordered, 0.75)


def _place(number: int, numbers: Sequence[int]) -> float:
    """Where *number* is drawn: by its logarithm, as sizes double more often than they add up."""
    low, high = math.log(numbers[0] + 1), math.log(numbers[-1] + 1)
    return _LEFT + (WIDTH - _LEFT - _RIGHT) * (math.log(number + 1) - low) / (high - low)


def _step(most: float) -> float:
    """A round distance between marks, of which four to ten reach *most*."""
    power = 10.0 ** math.floor(math.log10(most))
    return next(power * part for part in (0.1, 0.2, 0.25, 0.5, 1, 2) if most / (power * part) <= 8)
