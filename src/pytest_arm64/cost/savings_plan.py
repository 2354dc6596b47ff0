"""A file of planned savings in four parts, with where each of their numbers comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import ClassVar

from ..config._toml import loads
from ..config.suggestions import file_suggestion, suggestion
from ..errors import PriceError
from ..records import Layout, decode, json_options
from .calculate import REGION
from .prices import price_list

FORMAT = 1
GIVEN, MEASURED, ASSUMED = "given", "measured", "assumed"
PARTS = {
    "compute": "x86 compute that is avoided",
    "network": "data path",
    "work": "work that is not done",
    "operations": "operational overhead",
}
"""The parts of a saving, with their names on the page."""
_MOST = 10**12
_NEXT = "the format is described in docs/report.md"


def _choice(word: str, choices: Sequence[str]) -> str:
    if word not in choices:
        near = suggestion(word, choices)
        raise ValueError(f"{word!r:.60} is not one of: {', '.join(choices)}{near}")
    return word


def _amount(text: str) -> str:
    try:
        value = Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise ValueError(
            f'{text!r:.60} is not a number; write it as a text: "0.5" or "1/3600"'
        ) from None
    if not 0 <= value < _MOST:
        raise ValueError(f"{text!r:.60} is not a number from 0 to {_MOST:,}")
    return text


@dataclass(frozen=True)
class PlannedFigure:
    """One number that a saving is calculated from."""

    name: str
    value: str = field(metadata=json_options(check=_amount))
    """A decimal or a fraction."""
    basis: str = field(metadata=json_options(check=lambda word: _choice(word, (GIVEN, ASSUMED))))
    source: str = ""
    """Who gave it, or why it was assumed."""
    measured: str = ""
    """Test and name of a measurement, ``TEST: NAME``, whose native median (seconds) replaces it."""

    @property
    def amount(self) -> Fraction:
        return Fraction(self.value)


@dataclass(frozen=True)
class PlannedSaving:
    """One saving a month: the product of its figures with a price, or a difference of prices."""

    part: str = field(metadata=json_options(check=lambda word: _choice(word, tuple(PARTS))))
    name: str
    service: str = ""
    """Counted only while this service is compatible with ARM64; empty if none decides."""
    figures: tuple[PlannedFigure, ...] = ()
    price: str = ""
    """``SERVICE.NAME`` in the price list; empty if nobody has put a number to the saving."""
    after: str = ""
    """Price of the same amount afterwards; empty if nothing has to be paid any more."""
    bill: bool = False
    """Whether ``monthly-cost`` of the service is what `price` amounts to today."""
    arm: bool = False
    """Whether it is due to ARM: then nothing but the price may differ."""
    note: str = ""
    published: str = ""
    """What a publication says about it, in words."""


@dataclass(frozen=True)
class SavingsPlan:
    """All planned savings of a file."""

    savings: tuple[PlannedSaving, ...]
    region: str
    source: str
    """Where the published numbers are from."""
    prices: Path | None
    """A price file of the user's own."""

    def price(self, name: str) -> Decimal:
        """The price called *name*, ``SERVICE.NAME``.

        Raises:
            PriceError: there is no such price.
        """
        service, _, entry = name.partition(".")
        return price_list(service, self.region, self.prices).price(entry)

    def price_sources(self) -> tuple[str, ...]:
        """The price lists that are used, with their dates."""
        names = [n for s in self.savings for n in (s.price, s.after) if n]
        services = dict.fromkeys(name.partition(".")[0] for name in names)
        return tuple(str(price_list(name, self.region, self.prices)) for name in services)


@dataclass(frozen=True)
class _File:
    JSON: ClassVar[Layout] = Layout(FORMAT, name="the file")

    savings: tuple[PlannedSaving, ...] = field(metadata=json_options(name="saving"))
    region: str = REGION
    source: str = ""


def read_savings(path: Path, prices: Path | None = None) -> SavingsPlan:
    """The savings in the file *path*.

    Args:
        path: TOML.
        prices: a price file that is laid over the shipped prices.

    Raises:
        PriceError: the file cannot be used, or a price in it is not known.
    """
    try:
        file = decode(_File, loads(path.read_text("utf-8")))
        for saving in file.savings:
            _check(saving)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise PriceError(
            f"{path} is not a file of savings: {reason}{file_suggestion(path)}", next_step=_NEXT
        ) from None
    plan = SavingsPlan(file.savings, file.region, file.source, prices)
    for name in {name for s in plan.savings for name in (s.price, s.after) if name}:
        plan.price(name)
    return plan


def _check(saving: PlannedSaving) -> None:
    """ValueError if its keys contradict each other."""
    where = f"saving {saving.name!r:.60}"
    if saving.arm and not saving.after:
        raise ValueError(
            f"{where} says arm = true without `after`: only a difference between the prices of "
            "the same work is due to ARM"
        )
    if saving.after and not saving.price:
        raise ValueError(f"{where} has `after` and no `price`")
    if saving.bill and not (saving.service and saving.price):
        raise ValueError(f"{where} says bill = true and needs `service` and `price`")
    if bool(saving.price) != bool(saving.figures or saving.bill):
        raise ValueError(f"{where} needs both `price` and `figures`, or neither")
