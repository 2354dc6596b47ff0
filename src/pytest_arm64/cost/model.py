"""What a workload costs on Lambda and on instances, and which part of a saving is due to ARM.

Money is decimal from end to end; roundings happen where the provider rounds, and are told.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

MILLION = 1_000_000
DAYS = 30
"""Days of a month, as the articles count."""
_MIB_OF_GB = 1024


@dataclass(frozen=True)
class Side:
    """One way to run the workload."""

    architecture: str
    """``x86_64`` or ``arm64``."""
    throughput: Decimal
    """Calls a second, one after another."""
    basis: str
    """Where it comes from, in words."""
    sample: tuple[float, ...] = ()
    """Seconds of each round, where it was measured."""

    @property
    def seconds(self) -> Decimal:
        """Of one call."""
        return 1 / self.throughput


@dataclass(frozen=True)
class LambdaCost:
    """A million calls on Lambda, in US dollars."""

    billed_milliseconds: int
    gb_seconds: Decimal
    compute: Decimal
    requests: Decimal

    @property
    def total(self) -> Decimal:
        return self.compute + self.requests


def lambda_cost(
    seconds: Decimal, memory_mib: int, gb_second: Decimal, million_requests: Decimal
) -> LambdaCost:
    """A million calls of *seconds*; each is billed in whole milliseconds, rounded up.

    Args:
        memory_mib: configured memory as Lambda counts it: what it calls 1,024 MB is one GB.
        gb_second: price of a GB-second on the architecture.
        million_requests: price of a million requests.
    """
    billed = max(1, _up(seconds * 1000))
    gb_seconds = Decimal(billed) * memory_mib * MILLION / (1000 * _MIB_OF_GB)
    return LambdaCost(billed, gb_seconds, gb_seconds * gb_second, million_requests)


@dataclass(frozen=True)
class InstanceCost:
    """A number of calls a day on instances that are paid by the hour."""

    hours: Decimal
    """Instance-hours a day, unrounded."""
    whole_hours: int
    """The same rounded up, as they are booked."""
    month: Decimal
    """US dollars for 30 days of whole hours."""


def instance_cost(throughput: Decimal, calls_a_day: int, hour: Decimal) -> InstanceCost:
    """What *calls_a_day* need at *throughput* calls a second and *hour* dollars an hour."""
    hours = calls_a_day / (throughput * 3600)
    return InstanceCost(hours, _up(hours), _up(hours) * DAYS * hour)


def change(before: Decimal, after: Decimal) -> Decimal:
    """In percent of *before*: −20 is a fifth less."""
    return (after / before - 1) * 100


def in_percent(value: Decimal) -> str:
    """A change in words.

    >>> in_percent(Decimal("-28.94"))
    '28.9 % less'
    """
    return f"{abs(value):.1f} % {'less' if value < 0 else 'more'}"


@dataclass(frozen=True)
class SavingsPart:
    """One part of a saving."""

    name: str
    monthly: Decimal | None
    """US dollars a month; None where nobody has put a number to it, and it is never counted."""
    due_to_arm: bool
    basis: str


@dataclass(frozen=True)
class Savings:
    """A saving by its parts: only what ARM itself brings is credited to ARM."""

    parts: tuple[SavingsPart, ...]

    @property
    def due_to_arm(self) -> Decimal:
        return _sum(part for part in self.parts if part.due_to_arm)

    @property
    def otherwise(self) -> Decimal:
        return _sum(part for part in self.parts if not part.due_to_arm)


def _sum(parts: Iterable[SavingsPart]) -> Decimal:
    return sum((part.monthly for part in parts if part.monthly is not None), Decimal(0))


def _up(value: Decimal) -> int:
    return int(value.to_integral_value(ROUND_CEILING))
