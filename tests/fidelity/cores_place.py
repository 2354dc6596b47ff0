"""A plugin: as ``local_place``, emulated, with a library that has SVE code; named by ``-p``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from local_place import _local  # type: ignore[import-not-found]

if TYPE_CHECKING:
    from pytest_arm64.run.cells import PlannedCell
    from pytest_arm64.run.place import Place


@pytest.hookimpl(optionalhook=True)
def pytest_arm64_place(planned: PlannedCell) -> Any:
    """Called on the host alone: inside, nobody knows this hook."""
    return _emulated(planned)


@contextmanager
def _emulated(planned: PlannedCell) -> Iterator[Place]:
    from pytest_arm64.binary.record import CORE_CODE, AbiFinding, AbiRecord
    from pytest_arm64.inside.ran import Ran

    native = os.environ.get("CORES_PLACE") == "native"
    ran = Ran("aarch64", planned.cell.core, emulated=not native)
    code = AbiFinding("env/zed.so", CORE_CODE, "", grave=False, package="zed-1.0", extension="SVE")
    record = AbiRecord("a", "b", "aarch64", looked_up=True, files=(), findings=(code,))
    with _local({"WHERE": planned.name}) as place:
        yield replace(place, ran=ran, abi=record)
