"""A plugin: as ``local_place``, said to be an emulated aarch64 cell of two services; for ``-p``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from local_place import _local  # type: ignore[import-not-found]

if TYPE_CHECKING:
    from pytest_arm64.run.cells import PlannedCell
    from pytest_arm64.run.place import Place

FACTS = {
    "target": "al2023-python3.12",
    "image": "amazonlinux:2023",
    "machine": "aarch64",
    "os": "amzn 2023",
    "stand_in": False,
    "differences": [],
    "core": "graviton2",
    "emulated": True,
}


@pytest.hookimpl(optionalhook=True)
def pytest_arm64_place(planned: PlannedCell) -> Any:
    """Called on the host alone: inside, nobody knows this hook."""
    return _reported({"arm64": "aarch64", "amd64": "x86_64"}[planned.cell.architecture])


@contextmanager
def _reported(machine: str) -> Iterator[Place]:
    from pytest_arm64.audit.matrix import Row, WheelMatrix
    from pytest_arm64.binary.record import AbiRecord
    from pytest_arm64.decide.assessment import Assessment
    from pytest_arm64.environment.record import Installed, InstallRecord
    from pytest_arm64.inside.ran import Ran

    api = WheelMatrix("api", "al2023-python3.12", (Row("quick", "2.0", "wheel"),))
    other = WheelMatrix("other", "al2023-python3.12", (Row("slow", "1.0", "blocker"),))
    quick = Installed("Quick", "2.0", "deploy", "wheel", "quick.whl", "", "", requested=True)
    with _local({"MACHINE": machine}) as place:
        yield replace(
            place,
            ran=Ran.of_facts({**FACTS, "machine": machine}),
            assessment=Assessment((api, other), "report"),
            record=InstallRecord((quick,), "pip 26.3", "2026-11-22T10:00:00+00:00", 3.0),
            abi=AbiRecord("environment", "amzn 2023", "aarch64", True, (), ()),
        )
