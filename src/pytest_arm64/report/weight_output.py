"""What the packages of a matrix weigh, as a person reads it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..audit.matrix import Row, WeightFinding, WheelMatrix
from ..audit.weight import binary_size, heaviest
from ..wording import first_of

_NAMED, _LIBRARIES = 3, 6


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
    sizes = f"{binary_size(weight.download)} to download, {binary_size(weight.unpacked)} unpacked"
    x86 = f"{binary_size(weight.x86_download)} and {binary_size(weight.x86_unpacked)}"
    line = f"Weight: {sizes} (on x86_64 {x86})"
    if weight.unweighed:
        line += f", without {first_of(weight.unweighed, _NAMED)}"
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
        binary_size(row.size),
        binary_size(row.unpacked),
        binary_size(row.x86_unpacked) if row.x86_unpacked else "",
    )


def contents_lines(row: Row) -> Iterator[str]:
    """What is in the wheel of one row."""
    if row.modules_missing:
        count = len(row.modules_missing)
        modules = "an extension module" if count == 1 else f"{count} extension modules"
        lacking = first_of(row.modules_missing, _NAMED)
        yield f"the wheel for x86_64 has {modules} that this one lacks: {lacking}"
    if row.bundled:
        yield f"libraries in it: {first_of(row.bundled, _LIBRARIES)}"
