"""What a reader who decides sees first: one sum, what is in the way, and estimated savings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ..decide.evidence import ServiceEvidence
from ..decide.verdict import BUILD, MIGRATE, READY, REPLACE, STAY, UNDECIDED, Verdict
from ..wording import first_of
from .runtime_view import CostView

_PARTS = (
    ((MIGRATE, READY), "ready", "ready"),
    ((BUILD, REPLACE), "needs a fix", "need a fix"),
    ((STAY,), "stays on x86", "stay on x86"),
    ((UNDECIDED,), "undecided", "undecided"),
)
"""Verdicts that a sum counts together, with the words for one service and for several."""


def arithmetic(verdicts: Sequence[Verdict]) -> str:
    """All services and their parts: ``3 services: 1 ready, 1 stays on x86, 1 undecided``.

    Every service is in exactly one part, so that the parts add up to the whole.
    """
    parts = []
    for counted, one, several in _PARTS:
        number = sum(verdict.verdict in counted for verdict in verdicts)
        if number:
            parts.append(f"{number} {one if number == 1 else several}")
    noun = "service" if len(verdicts) == 1 else "services"
    return f"{len(verdicts)} {noun}" + (f": {', '.join(parts)}" if parts else "")


def in_the_way(verdict: Verdict) -> str:
    """What keeps a service from a better verdict, in a few words; empty if nothing does."""
    first, *others = verdict.reasons or ("",)
    return f"{first} (and {len(others)} more)" if others else first


@dataclass(frozen=True)
class SavingsRange:
    """What ARM64 is estimated to save a month, over all services with an estimate."""

    services: tuple[str, ...]
    low: Decimal
    """US dollars a month; negative if ARM64 costs more."""
    high: Decimal
    cost: Decimal
    """What these services cost a month today."""
    without: int
    """Services that are meant to move and have no estimate: they are in no sum."""
    assumptions: tuple[str, ...]

    @property
    def text(self) -> str:
        """``$12 to $40 of $180 a month``."""
        low, high = _dollars(self.low), _dollars(self.high)
        span = low if low == high else f"{low} to {high}"
        text = f"{span} of {_dollars(self.cost)} a month ({first_of(self.services, 3)})"
        if self.without:
            noun = "service has" if self.without == 1 else "services have"
            text += f"; {self.without} more {noun} no estimate"
        return text


def savings_range(
    priced: Iterable[tuple[ServiceEvidence, Verdict, Sequence[CostView]]],
) -> SavingsRange | None:
    """The range over the measured calls of each service; None if no service has an estimate.

    Args:
        priced: each service with its verdict and what its measured calls would cost.
    """
    names, low, high, cost, without = [], Decimal(0), Decimal(0), Decimal(0), 0
    assumptions: dict[str, None] = {}
    for service, verdict, views in priced:
        if verdict.verdict == STAY:
            continue
        saved = [view.saved for view in views if view.saved is not None]
        if not saved or service.monthly_cost is None:
            without += 1
            continue
        names.append(service.name)
        low, high = low + min(saved), high + max(saved)
        cost += Decimal(repr(service.monthly_cost))
        assumptions |= dict.fromkeys(_assumptions(service.name, views))
    if not names:
        return None
    return SavingsRange(tuple(names), low, high, cost, without, tuple(assumptions))


def _assumptions(name: str, views: Sequence[CostView]) -> Iterator[str]:
    if len(views) > 1:
        yield (
            f"{name}: the whole bill behaves like the measured call that saves least "
            "(lower end) or most (upper end)"
        )
    else:
        yield f"{name}: the whole bill behaves like the measured call {views[0].title}"
    for view in views:
        yield from view.assumptions


def _dollars(amount: Decimal) -> str:
    return f"{'-' if amount < 0 else ''}${abs(amount):,.0f}"
