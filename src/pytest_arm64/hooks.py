"""Hooks of pytest-arm64 itself."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .run.host import Place
    from .settings import Settings


@pytest.hookspec(firstresult=True)
def pytest_arm64_place(
    config: pytest.Config, settings: Settings
) -> AbstractContextManager[Place] | Any:
    """Where the session inside runs; None leaves it to the container engine.

    A seam for endpoints of one's own, and what this project's fidelity tests use.
    """
