"""A plugin that runs the session inside as a process of this machine; named by ``-p``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pytest_arm64.run.host import Place


@pytest.hookimpl(optionalhook=True)
def pytest_arm64_place() -> Any:
    """Called on the host alone: inside, nobody knows this hook."""
    return _local()


@contextmanager
def _local() -> Iterator[Place]:
    from pytest_arm64.run.host import Place
    from pytest_arm64.run.transport import LocalTransport

    transport = LocalTransport()
    try:
        yield Place(
            transport=transport,
            header=("arm64: this machine",),
            facts={"target": "here"},
            where="this machine",
        )
    finally:
        transport.close()
