"""Budgets as tests declare them, and what becomes of them where a test runs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0}
_BYTES = {
    "B": 1,
    "kB": 10**3,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
}
_QUANTITY = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-zµμ]+)\s*\Z")


@dataclass(frozen=True)
class Budget:
    """What one call may take."""

    latency: float | None = None
    """Median seconds."""
    memory: int | None = None
    """Bytes of peak heap."""


def read_budget(arguments: tuple[object, ...], keywords: Mapping[str, object]) -> Budget:
    """A budget from what was given to the marker ``arm64_budget``.

    Raises:
        ValueError: neither or something else was given, or a quantity without its unit.
    """
    unknown = ", ".join(sorted(set(keywords) - {"latency", "memory"}))
    if arguments or unknown or not keywords:
        raise ValueError(
            'arm64_budget takes latency="100ms", memory="512MB" or both'
            + (f", not {unknown}" if unknown else "")
        )
    latency, memory = keywords.get("latency"), keywords.get("memory")
    return Budget(
        None if latency is None else seconds_of(latency),
        None if memory is None else bytes_of(memory),
    )


def budget_problem(arguments: tuple[object, ...], keywords: Mapping[str, object]) -> str:
    """What is wrong with what was given to the marker; empty for nothing."""
    try:
        read_budget(arguments, keywords)
    except ValueError as error:
        return str(error)
    return ""


def seconds_of(text: object) -> float:
    """Seconds in *text*: ``100ms``, ``1.5 s``.

    Raises:
        ValueError: no number with one of the units.
    """
    return _quantity(text, _SECONDS, "100ms")


def bytes_of(text: object) -> int:
    """Bytes in *text*: ``512MB`` (512,000,000), ``512MiB``.

    Raises:
        ValueError: no number with one of the units.
    """
    return round(_quantity(text, _BYTES, "512MB"))


def _quantity(text: object, units: Mapping[str, float], example: str) -> float:
    found = _QUANTITY.match(text) if isinstance(text, str) else None
    if found is None or found[2] not in units:
        raise ValueError(f"{text!r} is not a quantity such as {example!r} ({', '.join(units)})")
    value = float(found[1]) * units[found[2]]
    if not 0 < value < float("inf"):
        raise ValueError(f"{text!r} must be more than nothing")
    return value


def shown_seconds(seconds: float) -> str:
    """Three digits with the unit that fits.

    >>> shown_seconds(0.0141), shown_seconds(2.5e-7), shown_seconds(12.3)
    ('14.1 ms', '250 ns', '12.3 s')
    """
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}" if seconds < 1000 else f"{seconds:.0f} s"
    return f"{seconds / 1e-9:.3g} ns"


def shown_bytes(count: float) -> str:
    """Decimal units, as the budget has them.

    >>> shown_bytes(512_000_000), shown_bytes(2764), shown_bytes(12)
    ('512 MB', '2.76 kB', '12 B')
    """
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count:.0f} B"
