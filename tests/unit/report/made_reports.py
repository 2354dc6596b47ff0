"""Reports for tests: ordinary services, what their tests showed, and one with hostile names."""

from __future__ import annotations

import base64
import struct
import zlib
from dataclasses import replace

from pytest_arm64.binary.mapped import Mapped
from pytest_arm64.decide.evidence import TestOutcome
from pytest_arm64.decide.runtime import GoldenResult, HotSpot, HotSpots, Picture
from pytest_arm64.inside.measure.memory import Memory
from pytest_arm64.inside.measure.record import (
    OPEN,
    OVER,
    BudgetVerdict,
    Measured,
    Record,
    printable,
)
from pytest_arm64.inside.ran import Ran
from pytest_arm64.report.document import Report, Tool
from unit.decide import made

MADE_AT = "2026-11-23T12:00:00+00:00"
EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'`|[x](javascript:1)\x1b[2J"


def ordinary() -> Report:
    worker = replace(
        made.service(made.BLOCKER, runs=(), installs=(), boundary=made.BOUNDARY), name="worker"
    )
    search = replace(made.service(made.MOVABLE, made.SOURCE), name="search", monthly_cost=None)
    return Report(made.TARGET, MADE_AT, (made.service(), worker, search))


def hostile() -> Report:
    row = replace(made.BLOCKER, name=EVIL, version=EVIL, path=(EVIL, EVIL), cause=EVIL, detail=EVIL)
    run = made.run(made.STAND_IN)
    test = TestOutcome(EVIL, "failed", 0.1, EVIL)
    boundary = replace(made.BOUNDARY, reason=EVIL, migratable_when=EVIL, packages=(EVIL,))
    where = replace(made.STAND_IN, image=EVIL, os=EVIL, core=EVIL, differences=(EVIL,))
    there = Ran(EVIL, EVIL, emulated=None, target=EVIL)
    service = replace(
        made.service(row, made.WHEEL),
        name=EVIL,
        runs=(
            replace(
                run,
                where=where,
                tests=(test,),
                problems=(EVIL,),
                misfit=EVIL,
                part=EVIL,
                mapped=(Mapped(EVIL, "elsewhere", EVIL, EVIL),),
            ),
        ),
        findings=(made.finding(kind=EVIL, text=EVIL, package=EVIL, remedy=EVIL),),
        leaks=(EVIL,),
        problem=EVIL,
        group=EVIL,
        builds=(made.build(where, False, package=EVIL, version=EVIL, text=EVIL),),
        goldens=(golden(test=EVIL, name=EVIL, label=EVIL, text=EVIL, where=there),),
        measured=(replace(measured(there, 0.02), test=printable(EVIL)),),
        profiles=(HotSpots(there, "calls", 1.0, (HotSpot(EVIL, 1, EVIL, 1.0, 1),)),),
    )
    bounded = replace(service, name=f"{EVIL}2", boundary=boundary)
    return Report(EVIL, MADE_AT, (service, bounded), (EVIL,), Tool(EVIL))


ARM = Ran("aarch64", "graviton3", emulated=False, stand_in=False, target=made.TARGET)
EMULATED = replace(ARM, core="graviton2 (qemu neoverse-n1)", emulated=True)
X86 = Ran("x86_64", "", emulated=False, stand_in=False, target=made.TARGET)


def picture(kind: str, grey: int) -> Picture:
    """A grey square of 2 by 2 pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    rows = bytes([0, grey, grey]) * 2
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", 2, 2, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
    )
    png = b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in (*parts, (b"IEND", b"")))
    return Picture(kind, base64.b64encode(png).decode())


def golden(**how: object) -> GoldenResult:
    values = {
        "test": "tests/test_scale.py::test_preview",
        "name": "preview",
        "label": "integer/cast",
        "ok": False,
        "where": EMULATED,
        "text": "golden 'preview': integer/cast\n  differing: 3 of 4",
        "pictures": (picture("golden", 10), picture("here", 200), picture("difference", 255)),
        **how,
    }
    return GoldenResult(**values)  # type: ignore[arg-type]


def measured(where: Ran, seconds: float, **how: object) -> Measured:
    """21 rounds of about *seconds*."""
    wall = tuple(seconds * (1 + number % 5 / 100) for number in range(21))
    values = {"memory": Memory(2_760_000, 131, "memray"), **how}
    record = Record("phash", "call", wall, wall, **values)  # type: ignore[arg-type]
    return Measured("tests/test_latency.py::test_hashing", where, (record,))


def profile(where: Ran, tool: str, *seconds: float) -> HotSpots:
    names = ("normalise", "resize", "decode")
    spots = tuple(
        HotSpot(f"validator/{name}.py", 10 + number, name, spent, 400 if tool == "calls" else None)
        for number, (name, spent) in enumerate(zip(names, seconds, strict=True))
    )
    return HotSpots(where, tool, sum(seconds), spots)


def shown() -> Report:
    """An ordinary report with everything that tests can show besides passing."""
    over = BudgetVerdict("latency", 0.02, 0.024, OVER)
    open_ = BudgetVerdict("latency", 0.02, 0.141, OPEN, "emulated time proves nothing")
    api = replace(
        made.service(),
        memory=512 * 2**20,
        group="back end",
        goldens=(golden(), golden(name="hash", label="within policy", ok=True, ulp=2, text="")),
        measured=(
            measured(X86, 0.021),
            measured(ARM, 0.024, verdicts=(over,)),
            measured(EMULATED, 0.141, verdicts=(open_,)),
        ),
        profiles=(profile(X86, "samples", 3.1, 1.2, 0.4), profile(EMULATED, "calls", 9, 8, 7)),
        findings=(made.finding(), made.finding(text="2 files were read", grave=False)),
        runs=(
            made.run(made.STAND_IN, "passed", "failed"),
            made.run(
                mapped=(
                    Mapped("/env/numpy/core.so", "package", "NumPy"),
                    Mapped("/tmp/made.so", "elsewhere", "", "/usr/lib/libmade.so"),
                )
            ),
        ),
    )
    first, *others = ordinary().services
    builds = (made.build(made.EMULATED, succeeded=False, seconds=41.0), *made.twice(made.EMULATED))
    search = replace(others[1], builds=builds)
    return Report(made.TARGET, MADE_AT, (replace(first, name="api-2"), api, others[0], search))
