"""A plugin: as ``whole_place``, of as many services as are configured; for ``-p``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from local_place import _local  # type: ignore[import-not-found]
from reported_place import FACTS  # type: ignore[import-not-found]

if TYPE_CHECKING:
    from pytest_arm64.run.cells import PlannedCell
    from pytest_arm64.run.place import Place


@pytest.hookimpl(optionalhook=True)
def pytest_arm64_place(config: pytest.Config, planned: PlannedCell) -> Any:
    """Called on the host alone: inside, nobody knows this hook."""
    return _service(config, planned)


@contextmanager
def _service(config: pytest.Config, planned: PlannedCell) -> Iterator[Place]:
    from pytest_arm64.audit.matrix import Row, WheelMatrix
    from pytest_arm64.binary.record import AbiRecord
    from pytest_arm64.decide.assessment import Assessment
    from pytest_arm64.environment.record import Installed, InstallRecord
    from pytest_arm64.inside.ran import Ran
    from pytest_arm64.run.launch import project_of

    target = FACTS["target"]
    quick = Row("quick", "2.0", "wheel")
    names = [service.name for service in project_of(config).services.configured]
    matrices = tuple(WheelMatrix(name, target, (quick,)) for name in names)
    installed = Installed("quick", "2.0", "deploy", "wheel", "quick.whl", "", "", requested=True)
    machine = {"arm64": "aarch64", "amd64": "x86_64"}[planned.cell.architecture]
    with _local({"MACHINE": machine}) as place:
        yield replace(
            place,
            ran=Ran.of_facts({**FACTS, "machine": machine}),
            assessment=Assessment(matrices, config.option.arm64_gate or "report"),
            record=InstallRecord((installed,), "pip 26.3", "2026-11-22T10:00:00+00:00", 3.0),
            abi=AbiRecord("environment", "amzn 2023", "aarch64", True, (), ()),
        )
