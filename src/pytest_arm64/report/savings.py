"""Planned savings against a report: what counts today, from which figures, what is due to ARM."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from ..cost.model import Savings, SavingsPart
from ..cost.savings_plan import (
    GIVEN,
    MEASURED,
    PARTS,
    PlannedFigure,
    PlannedSaving,
    SavingsPlan,
)
from ..decide.evidence import ServiceEvidence
from ..inside.measure.record import COLD_START
from .document import Report

_DIGITS = Decimal("0.0001")


@dataclass(frozen=True)
class FigureView:
    """One number that a saving rests on."""

    name: str
    value: str
    basis: str
    """``given``, ``measured`` or ``assumed``."""
    source: str


@dataclass(frozen=True)
class SavingView:
    """One saving as the page shows it."""

    part: str
    name: str
    month: Decimal | None
    """US dollars a month; None if nobody has put a number to it, or it does not count."""
    due_to_arm: bool
    figures: tuple[FigureView, ...]
    note: str
    """Why it does not count, or what else has to be known."""
    published: str

    @property
    def amount(self) -> str:
        return "no number" if self.month is None else _dollars(self.month)


@dataclass(frozen=True)
class SavingsView:
    """All planned savings."""

    lines: tuple[SavingView, ...]
    due_to_arm: str
    otherwise: str
    total: str
    share: str
    """Part of the total that is due to ARM, in percent; empty if there is nothing to divide."""
    source: str
    prices: tuple[str, ...]


def savings_view(report: Report, plan: SavingsPlan) -> SavingsView:
    """The savings of *plan*; those of a service that is not compatible are not counted.

    Raises:
        PriceError: a price is not known.
    """
    lines = tuple(_lines(report, plan))
    sums = Savings(tuple(SavingsPart(s.name, s.month, s.due_to_arm, s.note) for s in lines))
    arm, otherwise = sums.due_to_arm, sums.otherwise
    total = arm + otherwise
    return SavingsView(
        lines,
        due_to_arm=_dollars(arm),
        otherwise=_dollars(otherwise),
        total=_dollars(total),
        share=f"{100 * arm / total:.0f} %" if total > 0 else "",
        source=plan.source,
        prices=plan.price_sources(),
    )


def _lines(report: Report, plan: SavingsPlan) -> Iterator[SavingView]:
    services = {service.name: service for service in report.services}
    compatible = {verdict.service for verdict in report.verdicts if verdict.compatible}
    measured = _native_seconds(report)
    for saving in sorted(plan.savings, key=lambda saving: list(PARTS).index(saving.part)):
        service = services.get(saving.service)
        line = SavingView(
            part=PARTS[saving.part],
            name=saving.name,
            month=None,
            due_to_arm=saving.arm,
            figures=(),
            note=_not_counted(saving, service, compatible) or saving.note,
            published=saving.published,
        )
        if saving.price and line.note == saving.note:
            figures = [*_bill(saving, service, plan), *_figures(saving, measured)]
            quantity = math.prod((amount for amount, _ in figures), start=Fraction(1))
            month = _decimal(quantity * _rate(saving, plan))
            line = replace(line, month=month, figures=tuple(view for _, view in figures))
        yield line


def _not_counted(
    saving: PlannedSaving, service: ServiceEvidence | None, compatible: set[str]
) -> str:
    """Why *saving* does not count in this report; empty if it does."""
    if not saving.service:
        return ""
    if service is None:
        return f"not counted: the report has no service {saving.service}"
    if saving.service not in compatible:
        return f"not counted: {saving.service} is not compatible with ARM64"
    if saving.bill and service.monthly_cost is None:
        return f"not counted: {saving.service} has no monthly-cost"
    return ""


def _rate(saving: PlannedSaving, plan: SavingsPlan) -> Fraction:
    after = plan.price(saving.after) if saving.after else Decimal(0)
    return Fraction(plan.price(saving.price) - after)


def _bill(
    saving: PlannedSaving, service: ServiceEvidence | None, plan: SavingsPlan
) -> Iterator[tuple[Fraction, FigureView]]:
    """What is bought today for the service's bill, if the saving is a part of that."""
    if saving.bill and service is not None and service.monthly_cost is not None:
        bill = Fraction(repr(service.monthly_cost))
        view = FigureView("bill of today, a month", _dollars(_decimal(bill)), GIVEN, "monthly-cost")
        yield bill / Fraction(plan.price(saving.price)), view


def _figures(
    saving: PlannedSaving, measured: Mapping[str, Sequence[Fraction]]
) -> Iterator[tuple[Fraction, FigureView]]:
    for figure in saving.figures:
        seconds = measured.get(figure.measured, ())
        yield _measured(figure, seconds) if seconds else _stated(figure)


def _stated(figure: PlannedFigure) -> tuple[Fraction, FigureView]:
    source = figure.source
    if figure.measured:
        source = f"{source}; not measured on native ARM yet".removeprefix("; ")
    return figure.amount, FigureView(figure.name, figure.value, figure.basis, source)


def _measured(figure: PlannedFigure, seconds: Sequence[Fraction]) -> tuple[Fraction, FigureView]:
    longest = max(seconds)
    source = f"median on native ARM: {figure.measured}"
    return longest, FigureView(figure.name, f"{float(longest):.4g}", MEASURED, source)


def _native_seconds(report: Report) -> Mapping[str, Sequence[Fraction]]:
    """Medians on native ARM of each measurement, by ``TEST: NAME``."""
    medians: dict[str, list[Fraction]] = {}
    for service in report.services:
        for measured in service.measured:
            for record in measured.records:
                if measured.where.native_arm and not record.disturbed and record.kind != COLD_START:
                    title = f"{measured.test}: {record.name}"
                    medians.setdefault(title, []).append(Fraction(repr(record.latency.median)))
    return medians


def _decimal(amount: Fraction) -> Decimal:
    return (Decimal(amount.numerator) / Decimal(amount.denominator)).quantize(_DIGITS)


def _dollars(amount: Decimal) -> str:
    """US dollars with cents; of less than a dollar, four digits."""
    digits = 2 if abs(amount) >= 1 or not amount else 4
    return f"{'-' if amount < 0 else ''}${abs(amount):,.{digits}f}"
