"""The sides of a comparison: measured natively and read from a file, or told by the user."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from ..config.suggestions import file_suggestion
from ..errors import PriceError
from ..inside.measure.budget import seconds_of
from ..inside.measure.record import COLD_START, FORMAT, Measured, Record
from ..records import decode, parse
from .model import Side

ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
MOST_BYTES = 256 << 20
_TOLD = "told:"
_RATE = re.compile(r"(?![0.]+/)(\d{1,12}(?:\.\d{1,12})?)/s\Z")
_NEXT = "measure natively: pytest --arm64 --arm64-require-native --arm64-report DIR"


@dataclass(frozen=True)
class Read:
    """What a word of the command line has come to."""

    sides: tuple[Side, ...]
    left_out: tuple[str, ...] = ()
    """Cells that are no evidence, each with the reason."""


def read_side(word: str, test: str = "", subject: str = "") -> Read:
    """Sides from *word*: a ``measurements.json``, or ``told:ARCHITECTURE:100ms`` (or ``2.21/s``).

    Args:
        test: node id to take from a file; may be left out where it holds one subject.
        subject: name of what was measured in it; likewise.

    Raises:
        PriceError: it cannot be read, holds several subjects, or nothing but emulated times.
    """
    if word.startswith(_TOLD):
        return Read((_told(word),))
    sides, left_out = [], []
    for measured, record in _chosen(_measurements(Path(word)), test, subject, word):
        if measured.where.native and not record.disturbed and record.latency.median > 0:
            basis = f"median of {len(record.wall)} rounds of {record.name} on {measured.where}"
            rate = 1 / Decimal(repr(record.latency.median))
            sides.append(Side(ARCHITECTURES[measured.where.machine], rate, basis, record.wall))
        else:
            why = record.disturbed or "no timing evidence"
            left_out.append(f"{word}: {measured.where}: {why}")
    if not sides:
        raise PriceError(
            "; ".join(left_out),
            why="only native time, undisturbed, is turned into money",
            next_step=_NEXT,
        )
    return Read(tuple(sides), tuple(left_out))


def _told(word: str) -> Side:
    architecture, _, quantity = word.removeprefix(_TOLD).partition(":")
    rate = _RATE.match(quantity)
    try:
        if architecture not in ARCHITECTURES:
            raise ValueError(f"{architecture!r} is not x86_64 or arm64")  # noqa: TRY301  (as below)
        side = ARCHITECTURES[architecture]
        throughput = Decimal(rate[1]) if rate else 1 / Decimal(repr(seconds_of(quantity)))
    except ValueError as error:
        raise PriceError(
            f"{word}: {error}", next_step="write told:arm64:100ms or told:x86_64:2.21/s"
        ) from None
    return Side(side, throughput, f"stated, not measured: {quantity}")


def _measurements(path: Path) -> list[Measured]:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise PriceError(f"{path} is larger than {MOST_BYTES >> 20} MiB")
        document = parse(path.read_text("utf-8"))
        entries = document.get("measured") if isinstance(document, dict) else None
        if not isinstance(entries, list):
            raise ValueError("it has no list `measured`")  # noqa: TRY301, TRY004  (data, no call)
        return [decode(Measured, entry, FORMAT) for entry in entries]
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        near = file_suggestion(path)
        raise PriceError(f"{path} holds no measurements: {reason}{near}", next_step=_NEXT) from None


def _chosen(
    measured: list[Measured], test: str, subject: str, word: str
) -> list[tuple[Measured, Record]]:
    every = [
        (test_record, record)
        for test_record in measured
        for record in test_record.records
        if record.kind != COLD_START and test_record.where.machine in ARCHITECTURES
    ]
    matching = [(m, r) for m, r in every if test in ("", m.test) and subject in ("", r.name)]
    if len({(m.test, r.name) for m, r in matching}) != 1:
        choices = dict.fromkeys(
            f"--test '{m.test}' --subject '{r.name}'" for m, r in matching or every
        )
        raise PriceError(
            f"{word} holds {'several' if matching else 'no'} such measurements",
            next_step="one of: " + "; ".join(choices) if choices else _NEXT,
        )
    return matching
