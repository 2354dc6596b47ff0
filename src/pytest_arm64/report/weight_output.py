"""What the packages of a matrix weigh, as a person reads it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..audit.matrix import Row, WeightFinding, WheelMatrix
from ..audit.weight import heaviest, shown_bytes

_NAMED = 3


@dataclass(frozen=True)
class WeightRow:
    """One package, for a table."""

    name: str
    version: str
    download: str
    unpacked: str
    x86: str
    """What the same release unpacks to on x86_64; empty where it has no wheel there."""


def weight_lines(matrix: WheelMatrix) -> Iterator[str]:
    """The sums, and what the target's limits say of them."""
    weight = matrix.weight
    if weight is None:
        return
    sizes = f"{shown_bytes(weight.download)} to download, {shown_bytes(weight.unpacked)} unpacked"
    x86 = f"{shown_bytes(weight.x86_download)} and {shown_bytes(weight.x86_unpacked)}"
    line = f"Weight: {sizes} (on x86_64 {x86})"
    if weight.unweighed:
        named = ", ".join(weight.unweighed[:_NAMED])
        more = f" and {len(weight.unweighed) - _NAMED} more" if weight.unweighed[_NAMED:] else ""
        line += f", without {named}{more}"
    yield line
    yield from map(finding_line, matrix.findings)


def finding_line(finding: WeightFinding) -> str:
    """One finding with its fix."""
    return f"{finding.kind}: {finding.text}" + (f" → {finding.fix}" if finding.fix else "")


def weight_rows(matrix: WheelMatrix) -> tuple[WeightRow, ...]:
    """The ten deployed packages that unpack to most."""
    return tuple(map(_weight_row, heaviest(matrix.deployed)))


def _weight_row(row: Row) -> WeightRow:
    return WeightRow(
        row.name,
        row.version,
        shown_bytes(row.size),
        shown_bytes(row.unpacked),
        shown_bytes(row.x86_unpacked) if row.x86_unpacked else "",
    )


def contents_lines(row: Row) -> Iterator[str]:
    """What is in the wheel of one row."""
    if row.modules_missing:
        count = len(row.modules_missing)
        modules = "an extension module" if count == 1 else f"{count} extension modules"
        yield (
            f"the wheel for x86_64 has {modules} that this one lacks: {_first(row.modules_missing)}"
        )
    if row.bundled:
        yield f"libraries in it: {_first(row.bundled, 6)}"


def _first(names: tuple[str, ...], most: int = _NAMED) -> str:
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
