"""A plugin that runs the session inside as a process of this machine; named by ``-p``."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pytest_arm64.config.settings import Settings
    from pytest_arm64.run.cells import PlannedCell
    from pytest_arm64.run.place import Place


@pytest.hookimpl(optionalhook=True)
def pytest_arm64_place(settings: Settings, planned: PlannedCell) -> Any:
    """Called on the host alone: inside, nobody knows this hook."""
    several = len(settings.cores) > 1 or settings.reference
    return _local({"WHERE": planned.name} if several else {})


@contextmanager
def _local(environment: Mapping[str, str]) -> Iterator[Place]:
    from local_transport import LocalTransport  # type: ignore[import-not-found]

    from pytest_arm64.inside.ran import Ran
    from pytest_arm64.run.place import Place

    hidden = os.environ.get("LOCAL_PLACE_HIDES", "")
    value = os.environ.pop(hidden, None)
    transport = LocalTransport(environment)
    if value is not None:
        os.environ[hidden] = value
    try:
        yield Place(
            transport=transport,
            header=("arm64: this machine",),
            ran=Ran(target="here"),
            where="this machine",
        )
    finally:
        transport.close()
