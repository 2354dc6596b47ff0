"""A plugin: as ``local_place``, said to be the machine of its cell, which tests see; for ``-p``.

With ``NO_X86`` there is no place for linux/amd64.
"""

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
    from pytest_arm64.run.cells import PlannedCell
    from pytest_arm64.run.place import Place


@pytest.hookimpl(optionalhook=True)
def pytest_arm64_place(planned: PlannedCell) -> Any:
    """Called on the host alone: inside, nobody knows this hook."""
    return _bounded(planned)


@contextmanager
def _bounded(planned: PlannedCell) -> Iterator[Place]:
    from pytest_arm64.errors import EmulationError
    from pytest_arm64.inside.ran import Ran

    machine = {"arm64": "aarch64", "amd64": "x86_64"}[planned.cell.architecture]
    if machine == "x86_64" and "NO_X86" in os.environ:
        raise EmulationError("nothing here runs linux/amd64")
    with _local({"MACHINE": machine}) as place:
        yield replace(place, ran=Ran.of_facts({**FACTS, "machine": machine}))
