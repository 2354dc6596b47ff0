"""What of goldens, measurements, hot spots and cost is shown; for page and Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ..cost.calculate import REGION, CostQuestion, calculate
from ..cost.model import Side, change, in_percent
from ..cost.sides import ARCHITECTURES
from ..decide.evidence import ServiceEvidence
from ..decide.runtime import GoldenResult, HotSpot, HotSpots
from ..errors import PriceError
from ..inside.golden.verdict import GoldenVerdict
from ..inside.measure.budget import shown_bytes, shown_seconds
from ..inside.measure.hotspots import CALLS
from ..inside.measure.ratio import FEWEST, ratio_of_medians
from ..inside.measure.record import COLD_START, OPEN, OVER, Record
from ..inside.measure.summary import summarise
from ..inside.ran import Ran

FUNCTIONS_SHOWN = 12
_LEAST_SHARE = 0.01
_MOST_VALUES = 61
_MIB = 2**20
_SMALLEST, _LARGEST = 128, 10_240
"""MiB of a Lambda function."""
_HARMLESS = (
    GoldenVerdict.SIGN.value,
    GoldenVerdict.WITHIN.value,
    GoldenVerdict.DISPATCH.value,
    GoldenVerdict.TIES.value,
)
_NO_TIME = "emulated time says nothing"


@dataclass(frozen=True)
class GoldenView:
    """One value against its golden."""

    result: GoldenResult
    tone: str
    where: str


@dataclass(frozen=True)
class SideView:
    """One cell's measurement of a subject."""

    where: str
    emulated: bool
    median: str
    p95: str
    spread: str
    cpu: str
    heap: str
    allocations: str


@dataclass(frozen=True)
class SubjectView:
    """One measured subject, its cells side by side."""

    title: str
    sides: tuple[SideView, ...]
    notes: tuple[str, ...]
    """How the cells' times compare, and what became of the budgets."""
    over: bool


@dataclass(frozen=True)
class FunctionView:
    """One function, its cells side by side."""

    name: str
    place: str
    shares: tuple[float, ...]
    calls: tuple[str, ...]


@dataclass(frozen=True)
class HotSpotsView:
    """The costliest functions of a service's tests."""

    cells: tuple[str, ...]
    counted: tuple[bool, ...]
    """Whether the calls of a cell were counted."""
    functions: tuple[FunctionView, ...]


@dataclass(frozen=True)
class CostView:
    """What a subject would cost on ARM."""

    title: str
    before: str
    after: str
    change: str
    month: str
    basis: str
    saved: Decimal | None
    """US dollars a month; None without a configured cost."""
    assumptions: tuple[str, ...]


def golden_views(service: ServiceEvidence) -> Iterator[GoldenView]:
    """Values that are not identical, the worst first."""
    for result in service.goldens:
        harmless = result.ok and result.label in _HARMLESS
        tone = "dull" if harmless else "warn" if result.ok else "bad"
        yield GoldenView(result, tone, str(result.where))


def subject_views(service: ServiceEvidence) -> Iterator[SubjectView]:
    """Latency and memory of each subject; x86 before ARM, native before emulated."""
    for title, sides in _subjects(service).items():
        notes = [*_ratios(sides), *_budgets(sides)]
        over = any(v.outcome == OVER for _, record in sides for v in record.verdicts)
        yield SubjectView(title, tuple(_side(*side) for side in sides), tuple(notes), over)


def hot_spots_view(service: ServiceEvidence) -> HotSpotsView | None:
    """None where nothing was profiled."""
    profiles = sorted(service.profiles, key=lambda profile: _order(profile.where))
    if not profiles:
        return None
    shares: dict[tuple[str, int, str], list[HotSpot | None]] = {}
    for number, profile in enumerate(profiles):
        for spot in profile.functions:
            key = (spot.file, spot.line, spot.name)
            shares.setdefault(key, [None] * len(profiles))[number] = spot
    functions = [_function(key, spots, profiles) for key, spots in shares.items()]
    functions.sort(key=lambda function: (-max(function.shares), function.place))
    shown = [one for one in functions if max(one.shares) >= _LEAST_SHARE][:FUNCTIONS_SHOWN]
    counted = tuple(profile.tool == CALLS for profile in profiles)
    return HotSpotsView(tuple(map(_profiled, profiles)), counted, tuple(shown))


def cost_views(service: ServiceEvidence) -> Iterator[CostView]:
    """What each subject with native times would cost on Lambda, on either architecture."""
    if not _SMALLEST <= service.memory // _MIB <= _LARGEST:
        return
    for title, sides in _subjects(service).items():
        priced = [_priced(where, record) for where, record in sides if _counts(where, record)]
        found = {side.architecture: side for side in priced}
        if "x86_64" in found:
            yield from _cost(
                service, title, tuple(found[name] for name in sorted(found, key=_arm_last))
            )


def cost_problem(service: ServiceEvidence, costs: Sequence[CostView]) -> str:
    """Why a service has no *costs*; empty where it has."""
    if not _SMALLEST <= service.memory // _MIB <= _LARGEST:
        return "set `memory` to a Lambda memory size"
    return "" if costs else "nothing was measured natively on x86"


def _subjects(service: ServiceEvidence) -> dict[str, list[tuple[Ran, Record]]]:
    found: dict[str, dict[Ran, Record]] = {}
    for one in service.measured:
        for record in one.records:
            kind = "" if record.kind == "call" else f" ({record.kind})"
            found.setdefault(f"{one.test}: {record.name}{kind}", {})[one.where] = record
    return {
        title: sorted(sides.items(), key=lambda side: _order(side[0]))
        for title, sides in sorted(found.items())
    }


def _order(where: Ran) -> tuple[bool, bool, str]:
    return where.machine in ("aarch64", "arm64"), where.emulated is not False, str(where)


def _side(where: Ran, record: Record) -> SideView:
    latency, memory = record.latency, record.memory
    return SideView(
        where=str(where),
        emulated=where.emulated is True,
        median=shown_seconds(latency.median),
        p95=shown_seconds(latency.p95),
        spread=f"{latency.relative_spread:.0%}",
        cpu=shown_seconds(summarise(record.cpu).median) if record.cpu else "",
        heap=shown_bytes(memory.peak) if memory else "",
        allocations=f"{memory.allocations:,}" if memory and memory.allocations is not None else "",
    )


def _ratios(sides: Sequence[tuple[Ran, Record]]) -> Iterator[str]:
    """ARM's time in parts of x86's, where both are real and of the same subject."""
    first = next(((w, r) for w, r in sides if not _order(w)[0] and _counts(w, r)), None)
    for where, record in sides:
        if record.disturbed:
            yield f"{where}: {record.disturbed}: its times say nothing"
        elif where.emulated:
            yield f"{where}: {_NO_TIME}; counts of allocations do"
        elif first is not None and _order(where)[0] and _counts(where, record):
            samples = _fewer(record.wall), _fewer(first[1].wall)
            if min(map(len, samples)) >= FEWEST and min(map(min, samples)) > 0:
                ratio = ratio_of_medians(*samples)
                told = "" if ratio.differs else ": no difference was detected"
                yield f"time on ARM in parts of that on x86: {ratio}{told}"


def _fewer(sample: tuple[float, ...]) -> tuple[float, ...]:
    """Evenly picked: an interval over long samples takes seconds, and a page may have hundreds."""
    if len(sample) <= _MOST_VALUES:
        return sample
    return tuple(sample[n * len(sample) // _MOST_VALUES] for n in range(_MOST_VALUES))


def _counts(where: Ran, record: Record) -> bool:
    known = where.native and where.machine in ARCHITECTURES
    return (
        known and not record.disturbed and record.kind != COLD_START and record.latency.median > 0
    )


def _budgets(sides: Sequence[tuple[Ran, Record]]) -> Iterator[str]:
    for where, record in sides:
        for verdict in record.verdicts:
            shown = shown_seconds if verdict.what == "latency" else shown_bytes
            limit = shown(verdict.limit)
            why = f": {verdict.why}" if verdict.why else ""
            outcome = "not evaluated" if verdict.outcome == OPEN else verdict.outcome
            yield f"{verdict.what} budget of {limit}: {outcome} on {where}{why}"


def _profiled(profile: HotSpots) -> str:
    if profile.tool == CALLS:
        return f"{profile.where}: every call counted; shares are of stretched time"
    return f"{profile.where}: sampled by processor time"


def _function(
    key: tuple[str, int, str], spots: Sequence[HotSpot | None], profiles: Sequence[HotSpots]
) -> FunctionView:
    file, line, name = key
    return FunctionView(
        name=name,
        place=f"{file}:{line}",
        shares=tuple(
            profile.share(spot) if spot is not None else 0.0
            for spot, profile in zip(spots, profiles, strict=True)
        ),
        calls=tuple(
            f"{spot.calls:,}" if spot is not None and spot.calls is not None else ""
            for spot in spots
        ),
    )


def _priced(where: Ran, record: Record) -> Side:
    basis = f"median of {len(record.wall)} rounds on {where}"
    rate = 1 / Decimal(repr(record.latency.median))
    return Side(ARCHITECTURES[where.machine], rate, basis)


def _arm_last(architecture: str) -> bool:
    return architecture != "x86_64"


def _cost(service: ServiceEvidence, title: str, sides: tuple[Side, ...]) -> Iterator[CostView]:
    bill = None if service.monthly_cost is None else Decimal(repr(service.monthly_cost))
    memory = service.memory // _MIB
    try:
        answer = calculate(CostQuestion(sides, memory_mib=memory, bill=bill))
    except (PriceError, ArithmeticError):
        return
    before, after = answer.priced
    saved = answer.savings.due_to_arm
    yield CostView(
        title=title,
        before=f"${before.million:.4f}",
        after=f"${after.million:.4f}",
        change=in_percent(change(before.million, after.million)),
        month=f"${saved:,.2f} of ${bill:,.2f}" if bill is not None else "",
        basis=f"{after.side.basis}; {memory} MB on Lambda in {REGION}",
        saved=saved if bill is not None else None,
        assumptions=answer.assumptions,
    )
