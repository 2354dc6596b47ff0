"""A plugin: as ``local_place``, with a real audit; counts reads of manifests; named by ``-p``."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from local_place import _local  # type: ignore[import-not-found]

if TYPE_CHECKING:
    from pytest_arm64.run.cells import PlannedCell
    from pytest_arm64.run.place import Place

_READS: Counter[str] = Counter()


def _opened(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and str(arguments[0]).endswith("pyproject.toml"):
        frame = sys._getframe()
        while frame is not None and not str(frame.f_globals["__name__"]).startswith(
            "pytest_arm64."
        ):
            frame = frame.f_back  # type: ignore[assignment]  # None ends the loop
        if frame is not None:  # pytest itself reads the file too
            _READS[os.path.relpath(arguments[0])] += 1


sys.addaudithook(_opened)


@pytest.hookimpl(optionalhook=True)
def pytest_arm64_place(config: pytest.Config, planned: PlannedCell) -> Any:
    """Called on the host alone: inside, nobody knows this hook."""
    return _counted(config, planned)


@contextmanager
def _counted(config: pytest.Config, planned: PlannedCell) -> Iterator[Place]:
    from pytest_arm64.audit.matrix import Row
    from pytest_arm64.decide.assessment import assess
    from pytest_arm64.index.pip_config import PipConfig
    from pytest_arm64.inputs.manifest import read_manifest
    from pytest_arm64.inside.ran import Ran
    from pytest_arm64.run.launch import project_of

    project = project_of(config)
    service = planned.service
    settings, folder = project.settings_of(service), service.folder
    manifest = read_manifest(settings, folder, project.files.toml)
    manifest.fingerprint()
    policy = config.option.arm64_gate or "report"
    assessment = assess(project, policy=policy, config=lambda: PipConfig({}, {}, ()))
    slow = Row("slow", "1.0", "blocker")
    matrices = tuple(replace(m, packages=(*m.packages, slow)) for m in assessment.matrices)
    assessment = replace(assessment, matrices=matrices)
    with _local({}) as place:
        yield replace(place, ran=Ran("x86_64", target="here"), assessment=assessment)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    if getattr(config.option, "arm64", False):
        lines = [f"{count} {Path(name).as_posix()}" for name, count in sorted(_READS.items())]
        Path("reads.txt").write_text("\n".join(lines), "utf-8")
