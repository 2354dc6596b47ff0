"""Prices the sides, credits the saving, and keeps what was assumed on the way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from ..errors import PriceError
from ..inside.measure.ratio import FEWEST, Ratio, ratio_of_medians
from .model import (
    DAYS,
    MILLION,
    Savings,
    SavingsPart,
    Side,
    change,
    in_percent,
    instance_cost,
    lambda_cost,
)
from .prices import price_list

REGION = "us-east-1"


@dataclass(frozen=True)
class CostQuestion:
    """What is to be priced."""

    sides: tuple[Side, ...]
    """One or two; of two, the first is what is paid for today."""
    memory_mib: int | None = None
    """On Lambda with this memory…"""
    instances: Mapping[str, str] | None = None
    """… or on instances of these types, by architecture."""
    per_day: int = MILLION
    """Calls."""
    region: str = REGION
    prices: Path | None = None
    """A price file of the user's own."""
    bill: Decimal | None = None
    """What is paid a month for the first side, where the user knows it."""
    other: tuple[SavingsPart, ...] = ()
    """Savings that come with the migration and are not due to ARM."""


@dataclass(frozen=True)
class Priced:
    """One side, priced."""

    side: Side
    million: Decimal
    """US dollars for a million calls; nothing is rounded but what the provider rounds."""
    month: Decimal
    detail: str
    hours: tuple[Decimal, int] | None = None
    """Instance-hours a day, unrounded and whole."""


@dataclass(frozen=True)
class CostAnswer:
    """All that there is to say."""

    priced: tuple[Priced, ...]
    savings: Savings
    assumptions: tuple[str, ...]
    ratio: Ratio | None = None
    """Of the first side's time to the second's, where both were measured often enough."""


def calculate(question: CostQuestion) -> CostAnswer:
    """The answer.

    Raises:
        PriceError: a price is missing, or the question makes no sense.
    """
    sides, assumptions = list(question.sides), []
    if question.memory_mib and len(sides) == 1 and sides[0].architecture == "x86_64":
        sides.append(Side("arm64", sides[0].throughput, "assumed: as long as on x86_64"))
        assumptions.append("ARM was not measured: a call is assumed to take as long as on x86_64")
    if not 1 <= len(sides) <= 2:
        raise PriceError(f"{len(sides)} sides: one or two can be compared")
    if question.memory_mib:
        priced, told = _on_lambda(sides, question, question.memory_mib)
    else:
        priced, told = _on_instances(sides, question, question.instances or {})
    parts = (*_compute(priced, question), *question.other)
    told = [*assumptions, *told, *_always(sides, question)]
    return CostAnswer(tuple(priced), Savings(parts), tuple(told), _ratio(sides))


def _ratio(sides: Sequence[Side]) -> Ratio | None:
    if len(sides) != 2 or any(len(s.sample) < FEWEST or min(s.sample) <= 0 for s in sides):
        return None
    return ratio_of_medians(sides[0].sample, sides[1].sample)


def _on_lambda(
    sides: Sequence[Side], question: CostQuestion, memory: int
) -> tuple[list[Priced], list[str]]:
    prices = price_list("lambda", question.region, question.prices)
    requests = prices.price("million-requests")
    priced = []
    for side in sides:
        cost = lambda_cost(side.seconds, memory, prices.price(side.architecture), requests)
        detail = (
            f"{cost.billed_milliseconds} ms billed, {cost.gb_seconds:,.0f} GB-seconds a million"
        )
        month = cost.total * question.per_day * DAYS / MILLION
        priced.append(Priced(side, cost.total, month, detail))
    names = dict.fromkeys(side.architecture for side in sides)
    listed = ", ".join(f"{name} {prices.price(name)} a GB-second" for name in names)
    x86, arm = prices.price("x86_64"), prices.price("arm64")
    return priced, [
        f"{prices}: {listed}, {requests} a million requests on both",
        f"a GB-second is {in_percent(change(x86, arm))} on arm64"
        f" ({in_percent(change(arm, x86))} on x86_64)",
        f"{memory} MB as Lambda counts them (1,024 MB are one GB)",
        "a call is billed in whole milliseconds, rounded up; first price tier, no free tier",
        "Lambda's processor share grows with its memory: a call is assumed to take as long there",
    ]


def _on_instances(
    sides: Sequence[Side], question: CostQuestion, types: Mapping[str, str]
) -> tuple[list[Priced], list[str]]:
    prices = price_list("ec2", question.region, question.prices)
    priced = []
    for side in sides:
        if side.architecture not in types:
            raise PriceError(
                f"no instance type is named for {side.architecture}",
                next_step=f"--instance {side.architecture}=TYPE",
            )
        name = types[side.architecture]
        hour = prices.price(name)
        cost = instance_cost(side.throughput, question.per_day, hour)
        detail = (
            f"{name}: {cost.whole_hours} instance-hours a day"
            f" ({cost.hours:.1f} before they are rounded up)"
        )
        million = hour * MILLION / (side.throughput * 3600)
        priced.append(Priced(side, million, cost.month, detail, (cost.hours, cost.whole_hours)))
    listed = ", ".join(f"{n} {prices.price(n)} an hour" for n in sorted(set(types.values())))
    return priced, [
        f"{prices}: {listed}",
        "instance-hours of a day are rounded up to whole ones; what a call costs is not rounded",
        "an instance does one call after another, all day",
    ]


def _always(sides: Sequence[Side], question: CostQuestion) -> Iterator[str]:
    yield f"{question.per_day:,} calls a day, {DAYS} days a month; on demand, without tax"
    if len({side.architecture for side in sides}) == 2:
        yield "both sides run the same code and versions: then the difference is due to ARM"


def _compute(priced: Sequence[Priced], question: CostQuestion) -> Iterator[SavingsPart]:
    """The saving in compute, which is ARM's only where the sides differ in nothing else."""
    if len(priced) != 2:
        return
    before, after = priced
    saved = before.month - after.month
    basis = f"{question.per_day:,} calls a day"
    if question.bill is not None:
        saved = question.bill * (1 - after.million / before.million)
        basis = f"of a bill of {question.bill:.2f} $, by what a call costs"
    due = (before.side.architecture, after.side.architecture) == ("x86_64", "arm64")
    name = "compute on ARM instead of x86" if due else "compute"
    yield SavingsPart(name, saved, due, basis)
