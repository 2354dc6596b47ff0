"""Makers of evidence: an ordinary service of which all is well, and what can be otherwise."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from pytest_arm64.audit.matrix import Remedy, Row, WheelMatrix
from pytest_arm64.config.declared_boundary import Boundary
from pytest_arm64.decide.evidence import (
    Build,
    Finding,
    Install,
    Package,
    ServiceEvidence,
    TestOutcome,
    TestRun,
)
from pytest_arm64.inside.ran import Ran

TODAY = date(2026, 11, 23)
TARGET = "al2023-python3.12"

NATIVE = Ran(
    target=TARGET,
    image="amazonlinux:2023",
    image_id="sha256:" + "1" * 64,
    machine="aarch64",
    os="amzn 2023",
    python="3.12.4",
    glibc="2.34",
    core="graviton3",
    emulated=False,
    stand_in=False,
    asked_image=True,
    when="2026-11-22T10:00:00+00:00",
)
EMULATED = replace(NATIVE, emulated=True, core="graviton2 (qemu neoverse-n1)")
STAND_IN = replace(
    EMULATED,
    image="pytest-arm64/stand-in:bookworm-arm64",
    os="debian 12",
    stand_in=True,
    asked_image=False,
    differences=("Debian GNU/Linux 12, not amzn 2023",),
)

PIN = "requirements.txt:2"
WHEEL = Row("numpy", "2.1.3", "wheel", ("requirements.txt:1", "numpy 2.1.3"))
PURE = Row("six", "1.16.0", "pure", ("requirements.txt:3", "six 1.16.0"))
SOURCE = Row(
    "hnswlib",
    "0.8.0",
    "source",
    (PIN, "hnswlib 0.8.0"),
    cause="source-everywhere",
    detail="it has no wheel for any platform",
    remedy=Remedy("no release has a usable wheel: build it"),
)
FROM_SOURCE = Row(
    "docopt",
    "0.6.2",
    "pure",
    (PIN, "docopt 0.6.2"),
    cause="pure-source",
    detail="built from source, which holds nothing to compile",
    from_source=True,
)
BLOCKER = Row(
    "decord",
    "0.6.0",
    "blocker",
    (PIN, "decord 0.6.0"),
    cause="not-published",
    detail="it has a wheel for x86_64 alone",
    remedy=Remedy("no release has a file for this target"),
)
MOVABLE = Row(
    "triton",
    "3.1.0",
    "blocker",
    (PIN, "triton 3.1.0"),
    cause="pin-predates-wheel",
    detail="the next release with a usable wheel is 3.5.0",
    remedy=Remedy(
        "triton 3.5.0 has a usable wheel: change triton==3.1.0",
        "3.5.0",
        held_by=(f"triton==3.1.0 ({PIN})",),
        own=True,
    ),
)
HELD = replace(
    MOVABLE,
    remedy=Remedy(
        "triton 3.5.0 has a usable wheel, but it is held",
        "3.5.0",
        held_by=("torch 2.5.1, which asks for triton==3.1.0",),
        own=False,
    ),
)
X86_INSIDE = Row(
    "selenium",
    "4.48.0",
    "blocker",
    (PIN, "selenium 4.48.0"),
    cause="x86-inside",
    detail="its wheel holds files for x86-64 Linux and none for ARM64",
    file="selenium-4.48.0-py3-none-any.whl",
    remedy=Remedy("selenium 4.49.0 has a usable wheel", "4.49.0", own=True),
)
UNKNOWN = Row("secret", "", "unknown", (PIN, "secret"), cause="no-page", detail="no answer")

BOUNDARY = Boundary("CUDA inference", "a CUDA-free runtime passes", date(2027, 3, 1), ())


def matrix(*rows: Row, service: str = "api", **how: Any) -> WheelMatrix:
    return WheelMatrix(service, TARGET, rows or (WHEEL, PURE), **how)


def install(where: Ran = NATIVE, found: WheelMatrix | None = None, **states: str) -> Install:
    """What pip installed of *found*; *states* by name tell in what state it really was."""
    rows = (found or matrix()).deployed
    return Install(
        where,
        tuple(
            Package(row.name, row.version, states.get(row.name, row.state))
            for row in rows
            if row.state in ("pure", "wheel", "source")
        ),
        "pip 26.3",
        12.0,
    )


def run(where: Ran = NATIVE, *outcomes: str, **how: Any) -> TestRun:
    tests = tuple(
        TestOutcome(
            f"test_it.py::test_{number}", outcome, 0.1, "boom" if outcome == "failed" else ""
        )
        for number, outcome in enumerate(outcomes or ("passed", "passed"))
    )
    return TestRun(where, tests, **how)


def build(where: Ran = NATIVE, succeeded: bool = True, **how: Any) -> Build:
    values = {
        "package": "hnswlib",
        "version": "0.8.0",
        "text": "" if succeeded else "no gcc",
        **how,
    }
    return Build(succeeded=succeeded, where=where, **values)


def twice(where: Ran = NATIVE) -> tuple[Build, Build]:
    """Two clean builds at two times."""
    return build(where), build(replace(where, when="2026-11-21T10:00:00+00:00"))


def finding(where: Ran = NATIVE, **how: Any) -> Finding:
    values = {"kind": "abi", "text": "libfoo.so needs GLIBC_2.38", "grave": True, **how}
    return Finding(where=where, **values)


def service(*rows: Row, **how: Any) -> ServiceEvidence:
    """A service that may migrate, where neither *rows* nor *how* say otherwise."""
    found = matrix(*rows)
    values: dict[str, Any] = {
        "matrix": found,
        "installs": (install(found=found),),
        "runs": (run(),),
        "monthly_cost": 100.0,
        **how,
    }
    return ServiceEvidence("api", **values)
