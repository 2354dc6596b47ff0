"""A plugin: as ``local_place``, one for each service, which it names to the tests; for ``-p``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from local_place import _local  # type: ignore[import-not-found]
from reported_place import FACTS  # type: ignore[import-not-found]

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_arm64.run.cells import PlannedCell
    from pytest_arm64.run.place import Place


@pytest.hookimpl(optionalhook=True)
def pytest_arm64_place(config: pytest.Config, planned: PlannedCell) -> Any:
    """Called on the host alone: inside, nobody knows this hook."""
    return _service(config.option.arm64_gate or "report", planned, config.rootpath)


@contextmanager
def _service(policy: str, planned: PlannedCell, root: Path) -> Iterator[Place]:
    from pytest_arm64.audit.matrix import Row, WheelMatrix
    from pytest_arm64.decide.assessment import Assessment
    from pytest_arm64.decide.baseline import read_baseline
    from pytest_arm64.environment.failures import build_failure
    from pytest_arm64.environment.record import Installed, InstallRecord
    from pytest_arm64.errors import InstallError
    from pytest_arm64.inside.ran import Ran
    from pytest_arm64.run.place import NotBuiltError

    name = planned.service.name
    states = {"api": "wheel", "worker": "pure", "gpu": "blocker", "idle": "source"}
    matrices = tuple(
        WheelMatrix(service, "al2023-python3.12", (Row(f"{service}-lib", "1.0", state),))
        for service, state in states.items()
    )
    if name == os.environ.get("REFUSED"):
        error = build_failure(f"{name}-lib", "1.0", "unable to execute 'gcc': No such file")
        error.ran = Ran.of_facts(FACTS)
        if "UNBUILT" not in os.environ:
            raise InstallError(f"nothing of {name} can be installed")
        raise NotBuiltError(error, Assessment(matrices, policy, read_baseline(root)))
    library = f"{name}-lib"
    installed = Installed(library, "1.0", "deploy", states.get(name, ""), "", "", "", True)
    machine = {"arm64": "aarch64", "amd64": "x86_64"}[planned.cell.architecture]
    with _local({"SERVICE": name, "MACHINE": machine, "ROLE": planned.name}) as place:
        yield replace(
            place,
            header=(f"arm64: the place of {name}",),
            ran=Ran.of_facts({**FACTS, "machine": machine}),
            summary=f"arm64: {machine}",
            assessment=Assessment(
                matrices, policy, read_baseline(root), bounded=frozenset({"gpu"})
            ),
            record=InstallRecord((installed,), "plan 1", "2026-11-23T00:00:00+00:00", 1.0),
        )
