"""The weight of a tree against the limits of its target, before anything is built."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources
from typing import TypedDict, cast

from ..binary.record import TOO_LARGE
from ..config._toml import loads
from ..config.targets import IMAGE, ZIP, Target
from ..wording import first_of
from .matrix import Row, WeightFinding, WheelMatrix

ACCELERATORS = "accelerators"
"""The kind of finding next to ``too-large``."""
_WORTH_SAYING = 10 * 2**20
_LESS = "leave out what the function does not import"
_LESS_OR_IMAGE = f"{_LESS}, or deploy a container image"


class _CpuBuild(TypedDict):
    fix: str
    source: str


class _Table(TypedDict):
    names: list[str]
    cpu: Mapping[str, _CpuBuild]


@cache
def _table() -> _Table:
    file = resources.files("pytest_arm64.resources").joinpath("accelerators.toml")
    return cast(_Table, loads(file.read_text("utf-8")))


def weight_findings(matrix: WheelMatrix, target: Target) -> tuple[WeightFinding, ...]:
    """What *target* cannot hold of the deployed packages of *matrix*, and what it cannot use."""
    useless = [] if target.facts.accelerators else list(_for_accelerators(matrix.deployed))
    fixes = list(dict.fromkeys(_cpu_builds(useless)))
    return (*_too_large(matrix, target, fixes), *_unused(useless, target, fixes))


def heaviest(rows: Iterable[Row], most: int = 10) -> list[Row]:
    """The rows that unpack to most, the largest first."""
    known = (row for row in rows if row.unpacked)
    return sorted(known, key=lambda row: (-row.unpacked, row.name))[:most]


def binary_size(size: int) -> str:
    """*size* as a person reads it: ``1.4 MiB``."""
    value = float(size)
    for unit in ("KiB", "MiB"):
        value /= 1024
        if value < 1024:
            return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"
    return f"{value / 1024:.1f} GiB"


def _for_accelerators(rows: Iterable[Row]) -> Iterator[Row]:
    patterns = _table()["names"]
    for row in rows:
        if any(fnmatchcase(row.name, pattern) for pattern in patterns):
            yield row


def _cpu_builds(rows: Iterable[Row]) -> Iterator[str]:
    """What brings no such packages along, for those on the way to *rows*."""
    builds = _table()["cpu"]
    for row in rows:
        for step in (row.name, *row.path):
            build = builds.get(step.partition(" ")[0])
            if build is not None:
                yield f"{build['fix']} ({build['source']})"


def _too_large(matrix: WheelMatrix, target: Target, fixes: list[str]) -> Iterator[WeightFinding]:
    weight = matrix.weight
    limit = _limit(target)
    if weight is None or not limit or weight.unpacked <= limit:
        return
    holder = "a function and its layers together" if target.package == ZIP else "an image"
    named = ", ".join(f"{r.name} {binary_size(r.unpacked)}" for r in heaviest(matrix.deployed, 3))
    text = (
        f"the packages unpack to {binary_size(weight.unpacked)}, and Lambda takes "
        f"{binary_size(limit)} of {holder}; the largest: {named}"
    )
    fix = "; ".join([*fixes, _LESS_OR_IMAGE if target.package == ZIP else _LESS])
    yield WeightFinding(TOO_LARGE, text, fix, grave=True)


def _limit(target: Target) -> int:
    if target.package == ZIP:
        return target.facts.unpacked_limit
    return target.facts.image_limit if target.package == IMAGE else 0


def _unused(rows: Sequence[Row], target: Target, fixes: list[str]) -> Iterator[WeightFinding]:
    unpacked = sum(row.unpacked for row in rows)
    if unpacked < _WORTH_SAYING:
        return
    largest = heaviest(rows, len(rows))
    named = first_of([f"{row.name} {binary_size(row.unpacked)}" for row in largest], 3)
    text = (
        f"{binary_size(unpacked)} of the packages do nothing without a GPU or another accelerator, "
        f"and {target.name} has none: {named}"
    )
    yield WeightFinding(ACCELERATORS, text, "; ".join(fixes))
