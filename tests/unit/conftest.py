"""What every unit test has: reproducible hypothesis, caches of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from pytest_arm64 import cache

if TYPE_CHECKING:
    from pathlib import Path

settings.register_profile(
    "unit",
    deadline=None,
    derandomize=True,
    max_examples=40,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("unit")


@pytest.fixture
def caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The product's cache folder, this test's own and empty."""
    folder = tmp_path / "caches"
    monkeypatch.setattr(cache, "cache_folder", lambda: folder)
    return folder
