"""Reports for tests: two ordinary services, and one whose every name is hostile."""

from __future__ import annotations

from dataclasses import replace

from pytest_arm64.decide.evidence import TestOutcome
from pytest_arm64.report.document import Report
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
    service = replace(
        made.service(row, made.WHEEL),
        name=EVIL,
        runs=(replace(run, where=where, tests=(test,), problems=(EVIL,), misfit=EVIL, part=EVIL),),
        findings=(made.finding(kind=EVIL, text=EVIL, package=EVIL, remedy=EVIL),),
        leaks=(EVIL,),
        problem=EVIL,
    )
    bounded = replace(service, name=f"{EVIL}2", boundary=boundary)
    return Report(EVIL, MADE_AT, (service, bounded), (EVIL,), EVIL)
