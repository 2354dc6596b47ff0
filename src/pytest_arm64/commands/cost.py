"""``pytest-arm64 cost``: reads the words of the command line, prints the answer."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from ..cost.calculate import REGION, CostAnswer, CostQuestion, calculate
from ..cost.model import MILLION, SavingsPart, change, in_percent
from ..cost.sides import ARCHITECTURES, read_side
from ..errors import PriceError
from ..inside.measure.budget import bytes_of, shown_seconds
from ..inside.measure.record import printable

_CENT = Decimal("0.01")
_SMALLEST, _LARGEST = 128, 10_240
_MOST_CALLS = 10**12

DESCRIPTION = """\
Calculate what measured calls cost on Lambda or EC2, on one architecture or on two. Only
native measurements and numbers of your own are priced. Every price, assumption and rounding
is shown.
"""
EPILOG = """\
examples:
  pytest-arm64 cost x86/measurements.json arm/measurements.json --memory 512MB
  pytest-arm64 cost told:x86_64:120ms told:arm64:100ms --memory 512MB

exit codes:
  0  done
  2  a measurement, price or option cannot be used
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument(
        "side",
        nargs="+",
        metavar="SIDE",
        help="measurements.json of a native run, or a number of your own: told:arm64:100ms, "
        "told:x86_64:2.21/s",
    )
    parser.add_argument("--test", default="", metavar="ID", help="node id of the test to price")
    parser.add_argument(
        "--subject", default="", metavar="NAME", help="name of the measurement in that test"
    )
    runs_on = parser.add_mutually_exclusive_group(required=True)
    runs_on.add_argument(
        "--memory", metavar="SIZE", help="price on Lambda with this memory, e.g. 512MB"
    )
    runs_on.add_argument(
        "--instance",
        action="append",
        metavar="ARCH=TYPE",
        help="price on EC2, e.g. arm64=t4g.small; once for each architecture",
    )
    parser.add_argument("--region", default=REGION, help=f"AWS region (default: {REGION})")
    parser.add_argument(
        "--prices", type=Path, metavar="FILE", help="TOML file with your own prices"
    )
    parser.add_argument(
        "--per-day",
        type=int,
        default=MILLION,
        metavar="N",
        help="calls per day (default: one million)",
    )
    parser.add_argument(
        "--monthly-cost", metavar="USD", help="today's monthly bill for the first side"
    )
    parser.add_argument(
        "--other",
        action="append",
        default=[],
        metavar="NAME=USD",
        help="a monthly saving that is not due to ARM; NAME= if the amount is unknown",
    )
    parser.add_argument(
        "--format", choices=("table", "json"), default="table", help="output (default: table)"
    )


def run_command(options: argparse.Namespace) -> int:
    """Calculate and print; 0.

    Raises:
        PriceError: something is missing, or is no evidence.
    """
    reads = [read_side(word, options.test, options.subject) for word in options.side]
    answer = calculate(_question(options, [side for read in reads for side in read.sides]))
    left_out = [reason for read in reads for reason in read.left_out]
    if options.format == "json":
        print(json.dumps({**to_json(answer), "left_out": left_out}, indent=2))  # noqa: T201
    else:
        for line in (*(f"left out: {reason}" for reason in left_out), *shown(answer)):
            print(printable(line))  # noqa: T201
    return 0


def _question(options: argparse.Namespace, sides: list[Any]) -> CostQuestion:
    if not 0 < options.per_day <= _MOST_CALLS:
        raise PriceError(
            f"--per-day {options.per_day} is not a number of calls",
            next_step="give the calls of one day: --per-day 50000",
        )
    bill = options.monthly_cost
    return CostQuestion(
        sides=tuple(sides),
        memory_mib=_lambda_memory(options.memory) if options.memory else None,
        instances=dict(_instance(word) for word in options.instance or ()),
        per_day=options.per_day,
        region=options.region,
        prices=options.prices,
        bill=None if bill is None else _dollars(bill, "--monthly-cost"),
        other=tuple(_other(word) for word in options.other),
    )


def _other(word: str) -> SavingsPart:
    name, equals, value = word.partition("=")
    if not name or not equals:
        raise PriceError(f"--other {word}: write NAME=65, or NAME= without a number")
    amount = _dollars(value, f"--other {name}") if value else None
    return SavingsPart(name, amount, due_to_arm=False, basis="told")


def shown(answer: CostAnswer) -> Iterator[str]:
    """The answer as lines."""
    for price in answer.priced:
        yield f"{price.side.architecture}: {shown_seconds(float(price.side.seconds))} a call"
        yield f"  {price.side.basis}"
        yield f"  {price.detail}"
        yield f"  {price.million:.4f} $ a million calls, {_cents(price.month)} $ a month"
    if len(answer.priced) == 2:
        before, after = answer.priced
        yield (
            f"a call costs {in_percent(change(before.million, after.million))} on the second side"
            f" ({in_percent(change(after.million, before.million))} on the first)"
        )
    if answer.ratio is not None:
        note = "" if answer.ratio.differs else ": no difference in time can be detected"
        yield f"measured time, first side to second: {answer.ratio}{note}"
    if answer.savings.parts:
        yield "savings a month:"
        for part in answer.savings.parts:
            amount = "no number" if part.monthly is None else f"{_cents(part.monthly)} $"
            due = "due to ARM" if part.due_to_arm else "NOT due to ARM"
            yield f"  {amount:>12}  {due:14}  {part.name} ({part.basis})"
        yield (
            f"  together {_cents(answer.savings.due_to_arm)} $ due to ARM,"
            f" {_cents(answer.savings.otherwise)} $ not due to it"
        )
    yield "assumed:"
    yield from (f"  - {assumption}" for assumption in answer.assumptions)


def to_json(answer: CostAnswer) -> dict[str, Any]:
    """The answer for a program; money as text, so that no digit is lost."""
    return {
        "format": 1,
        "sides": [
            {
                "architecture": price.side.architecture,
                "calls_per_second": str(price.side.throughput),
                "basis": price.side.basis,
                "usd_per_million": str(price.million),
                "usd_per_month": str(price.month),
                "instance_hours_per_day": None if price.hours is None else str(price.hours[0]),
                "whole_instance_hours_per_day": None if price.hours is None else price.hours[1],
            }
            for price in answer.priced
        ],
        "savings": [
            {
                "name": part.name,
                "usd_per_month": None if part.monthly is None else str(part.monthly),
                "due_to_arm": part.due_to_arm,
                "basis": part.basis,
            }
            for part in answer.savings.parts
        ],
        "time_ratio": None if answer.ratio is None else asdict(answer.ratio),
        "assumptions": list(answer.assumptions),
    }


def _cents(value: Decimal) -> str:
    return f"{value.quantize(_CENT, ROUND_HALF_EVEN):,}"


def _dollars(text: str, where: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("nan")
    if not value.is_finite() or not 0 <= value < 10**12:
        raise PriceError(
            f"{where}: {text!r} is not an amount of US dollars",
            next_step="write it as 180 or 12.50",
        )
    return value


def _lambda_memory(text: str) -> int:
    try:
        # What Lambda calls MB are MiB; whoever writes MiB means the same.
        memory = bytes_of(text.replace("MiB", "MB")) // 10**6
    except ValueError as error:
        raise PriceError(f"--memory: {error}") from None
    if not _SMALLEST <= memory <= _LARGEST:
        raise PriceError(f"--memory {text}: Lambda has {_SMALLEST}MB to {_LARGEST}MB")
    return memory


def _instance(word: str) -> tuple[str, str]:
    architecture, _, name = word.partition("=")
    if architecture not in ARCHITECTURES or not name:
        raise PriceError(f"--instance {word}: write arm64=t4g.small or x86_64=TYPE")
    return ARCHITECTURES[architecture], name
