"""A plugin: as ``local_place``, audited for the target of each service; for ``-p``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from local_place import _local  # type: ignore[import-not-found]
from reported_place import FACTS  # type: ignore[import-not-found]

if TYPE_CHECKING:
    from pytest_arm64.config.project import Project
    from pytest_arm64.run.cells import PlannedCell
    from pytest_arm64.run.place import Place


@pytest.hookimpl(optionalhook=True)
def pytest_arm64_place(config: pytest.Config, planned: PlannedCell) -> Any:
    """Called on the host alone: inside, nobody knows this hook."""
    from pytest_arm64.run.launch import project_of

    return _on_target(config.option.arm64_gate or "all", planned, project_of(config))


@contextmanager
def _on_target(policy: str, planned: PlannedCell, project: Project) -> Iterator[Place]:
    from pytest_arm64.audit.matrix import Row, WheelMatrix
    from pytest_arm64.decide.assessment import Assessment
    from pytest_arm64.decide.baseline import read_baseline
    from pytest_arm64.environment.record import Installed, InstallRecord
    from pytest_arm64.inside.ran import Ran

    # There is a wheel for Python 3.12 alone.
    targets = {s.name: project.settings_of(s).target for s in project.services.declared}
    matrices = tuple(
        WheelMatrix(
            name,
            target.name,
            (Row("lib", "1.0", "wheel" if target.python == "3.12" else "blocker"),),
        )
        for name, target in targets.items()
    )
    target = planned.cell.target
    library = Installed("lib", "1.0", "deploy", "wheel", "", "", "", requested=True)
    with _local({"TARGET": target.name}) as place:
        yield replace(
            place,
            header=(f"arm64: target {target.name}",),
            ran=Ran.of_facts({**FACTS, "target": target.name}),
            assessment=Assessment(matrices, policy, read_baseline(project.root)),
            record=InstallRecord((library,), "plan 1", "2026-11-23T00:00:00+00:00", 1.0),
        )
