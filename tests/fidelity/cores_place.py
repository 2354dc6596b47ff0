"""A plugin: as ``local_place``, emulated, with a library that has SVE code; named by ``-p``.

The package is ``zed``, and its library one that every process has loaded.
"""

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
    from pytest_arm64.binary.record import CORE_CODE, AbiFinding, AbiRecord, CompiledFile
    from pytest_arm64.engine.emulation import QEMU_MODELS
    from pytest_arm64.inside.mapped import mapped_libraries
    from pytest_arm64.inside.ran import Ran

    native = os.environ.get("CORES_PLACE") == "native"
    core = planned.cell.core
    ran = Ran("aarch64", core, emulated=not native)
    library = next(path for path in mapped_libraries() if "/libc" in path)
    if os.environ.get("CORES_PLACE") == "unloaded":
        library = "/opt/other.so"
    code = AbiFinding(library, CORE_CODE, "", grave=False, package="zed-1.0", extension="SVE")
    file = CompiledFile("env/lib/site-packages/zed/core.so", "aarch64", "module", "zed-1.0")
    record = AbiRecord("a", "b", "aarch64", looked_up=True, files=(file,), findings=(code,))
    with _local({"WHERE": planned.name, "QEMU_CPU": QEMU_MODELS[core]}) as place:
        yield replace(place, ran=ran, abi=record)
