"""A plugin: as ``local_place``, of one service that lacks nothing but a native run; for ``-p``.

With ``REFUSED`` its environment cannot be built.
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
    from pytest_arm64.run.place import Place


@pytest.hookimpl(optionalhook=True)
def pytest_arm64_place(config: pytest.Config) -> Any:
    """Called on the host alone: inside, nobody knows this hook."""
    return _whole(config.option.arm64_gate or "report")


@contextmanager
def _whole(policy: str) -> Iterator[Place]:
    from pytest_arm64.audit.matrix import Row, WheelMatrix
    from pytest_arm64.binary.record import AbiRecord
    from pytest_arm64.decide.assessment import Assessment
    from pytest_arm64.environment.record import Installed, InstallRecord
    from pytest_arm64.errors import InstallError
    from pytest_arm64.inside.ran import Ran

    if "REFUSED" in os.environ:
        raise InstallError("the packages cannot be installed", log="Network is unreachable")
    quick = Installed("quick", "2.0", "deploy", "wheel", "quick.whl", "", "", requested=True)
    matrix = WheelMatrix("api", "al2023-python3.12", (Row("quick", "2.0", "wheel"),))
    with _local({}) as place:
        yield replace(
            place,
            ran=Ran.of_facts(FACTS),
            assessment=Assessment((matrix,), policy),
            record=InstallRecord((quick,), "pip 26.3", "2026-11-22T10:00:00+00:00", 3.0),
            abi=AbiRecord("environment", "amzn 2023", "aarch64", True, (), ()),
        )
