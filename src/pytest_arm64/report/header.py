"""The lines above the tests: what was asked, what ran, where from."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from ..binary.record import LOADED, RAISED, WRONG_ARCHITECTURE, AbiRecord
from ..config.cell import Cell, ImageFacts
from ..engine.emulation import emulator_warning
from ..environment.record import PURE, SOURCE, WHEEL, InstallRecord
from ..inside.counted import counted
from .abi import together
from .matrix_output import printable

if TYPE_CHECKING:
    from ..environment.build import Environment

_SHOWN = 4
_OURS = ("pytest-arm64-", "platformdirs-")


def header_lines(cell: Cell, environment: Environment, *, mounted: bool) -> list[str]:
    """For ``pytest_report_header``."""
    ran = environment.ran
    lines = [f"arm64: target {cell.target.name}, {_python(ran)}, {_libc(ran)}"]
    differences = ran.differences(cell.target)
    if ran.stand_in(cell.target):
        lines.append(
            f"arm64: STAND-IN, results do not apply to {cell.target.name}: "
            + "; ".join(differences)
        )
    elif differences:
        lines.append("arm64: differs from the target: " + "; ".join(differences))
    lines += [
        f"arm64: image {ran.image}, {_identity(ran)}",
        f"arm64: {_where(ran)}",
        *(f"arm64: {warning}" for warning in [emulator_warning(ran.emulator)] if warning),
        f"arm64: environment {environment.key}, {_made(environment)}",
    ]
    if environment.record.fallback:
        reason = printable(environment.record.fallback)
        lines.append(
            f"arm64: installed by pip: the dependencies could not be resolved in advance: {reason}"
        )
    if environment.record.system_packages:
        names = printable(", ".join(environment.record.system_packages))
        lines.append(f"arm64: system packages: {names}")
    lines += _cross_lines(environment.record)
    if environment.record.missing:
        names = printable(", ".join(environment.record.missing))
        lines.append(f"arm64: LEFT OUT, no usable file: {names}")
    for changed in environment.record.changed[:_SHOWN]:
        lines.append(f"arm64: CHANGED FOR THE TESTS: {printable(changed)}")
    for unmet in environment.record.broken[:_SHOWN]:
        lines.append(f"arm64: NOT MET: {printable(unmet)}")
    lines += abi_lines(environment.abi)
    if not mounted:
        lines.append(
            "arm64: the tests run on a copy of the project, and what they write stays there"
        )
    return lines


def _cross_lines(record: InstallRecord) -> list[str]:
    if record.not_crossed:
        return [f"arm64: not cross-compiled (--arm64-cross): {printable(record.not_crossed)}"]
    by_compiler: dict[str, list[str]] = {}
    for package in record.packages:
        if package.cross:
            by_compiler.setdefault(package.cross, []).append(f"{package.name} {package.version}")
    return [
        printable(f"arm64: cross-compiled by {compiler}: {', '.join(packages)}")
        for compiler, packages in by_compiler.items()
    ]


def limits_lines(limits: Sequence[str]) -> list[str]:
    """What a container of a Lambda target is limited to; nothing where it has no such limits."""
    if not limits:
        return []
    return [f"arm64: limited as a Lambda function (lambda-limits = true): {'; '.join(limits)}"]


def abi_lines(record: AbiRecord) -> list[str]:
    """What the scan of the compiled files came to; nothing where there are none."""
    harmless = {f.path for f in record.findings if f.kind == WRONG_ARCHITECTURE and not f.grave}
    number = sum(file.path not in harmless for file in record.files)
    if not number:
        return []
    count = counted(number, "compiled file")
    lines = [f"arm64: {count}, {_loads(record)}"] if not record.grave else []
    for load in record.refused[:_SHOWN]:
        text = (load.text.splitlines() or [""])[0]
        lines.append(f"arm64:   {printable(f'import {load.module}: {load.kind}: {text}')}")
        if load.remedy:
            lines.append(f"arm64:     → {printable(load.remedy)}")
    if not record.grave:
        return lines
    groups = together(record.grave)
    paths = {finding.path for finding in record.grave}
    lines.insert(0, f"arm64: {count}, {len(paths)} of them CANNOT BE LOADED:")
    for findings in groups[:_SHOWN]:
        first, others = findings[0], len(findings) - 1
        more = f" and {others} more" if others else ""
        lines.append(
            f"arm64:   {first.kind}: {printable(first.path)}{more}: {printable(first.told)}"
        )
        if first.remedy:
            lines.append(f"arm64:     → {printable(first.remedy)}")
    if len(groups) > _SHOWN:
        lines.append(f"arm64:   and {len(groups) - _SHOWN} more (fixture arm64_abi)")
    return lines


def _loads(record: AbiRecord) -> str:
    if record.refused:
        return f"{len(record.refused)} of their modules CANNOT BE IMPORTED:"
    if not record.loads:
        return "all can be loaded"
    loaded = sum(load.outcome == LOADED for load in record.loads)
    raised = sum(load.outcome == RAISED for load in record.loads)
    modules = counted(loaded, "module")
    whose = "its" if raised == 1 else "their"
    more = f", {raised} raised an error of {whose} own" if raised else ""
    return f"all can be loaded; {modules} imported{more}"


def plugin_lines(here: Collection[str], inside: Collection[str]) -> list[str]:
    """Where the plugins of the two sides differ, as ``name-version``; empty where they do not.

    Our own is on this side by its nature, and so is what it brings along.
    """
    only_here = [p for p in sorted({*here} - {*inside}) if not p.startswith(_OURS)]
    only_inside = sorted({*inside} - {*here})
    told = [("inside", only_inside), ("here", only_here)]
    parts = [f"only {side}: {', '.join(map(printable, names))}" for side, names in told if names]
    return [f"arm64: plugins {'; '.join(parts)}"] if parts else []


def summary_line(cell: Cell, ran: ImageFacts) -> str:
    """One line below the results, so that none is read without what it was got on."""
    on = "on a STAND-IN for" if ran.stand_in(cell.target) else "on"
    return f"arm64: {_where(ran)}, {on} {cell.target.name}"


def _python(ran: ImageFacts) -> str:
    return f"Python {ran.python.version}"


def _libc(ran: ImageFacts) -> str:
    return f"glibc {ran.glibc}" if ran.glibc else "no glibc (musl)"


def _identity(ran: ImageFacts) -> str:
    return f"digest {ran.digest[:19]}" if ran.digest else f"built here, id {ran.image_id[:19]}"


def _where(ran: ImageFacts) -> str:
    if ran.emulated:
        by = f" by qemu {ran.emulator}" if ran.emulator else ""
        return f"{ran.machine} EMULATED on {ran.engine_machine}{by}, core {ran.core}"
    return f"{ran.machine} native, core {ran.core}"


def _made(environment: Environment) -> str:
    record = environment.record
    deploy, test = _counts(record, "deploy"), _counts(record, "test")
    what = f"{deploy} deployed; {test} for the tests"
    if environment.reused:
        return f"reused, nothing installed (built {_age(record.made_at)} ago: {what})"
    return f"built in {record.seconds:.0f} s with {record.installer}: {what}"


def _counts(record: InstallRecord, scope: str) -> str:
    counts = record.count(scope)
    parts = [f"{counts[state]} {state}" for state in (PURE, WHEEL, SOURCE) if counts.get(state)]
    return " + ".join(parts) or "no packages"


def _age(moment: str) -> str:
    try:
        seconds = (datetime.now(timezone.utc) - datetime.fromisoformat(moment)).total_seconds()
    except (ValueError, TypeError):  # no date, or one without its time zone
        return "some time"
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return "less than a minute"
