"""What every unit test has: reproducible hypothesis, caches of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from pytest_arm64 import cache
from unit.index.served import Played, all_recorded, serve

settings.register_profile(
    "unit",
    deadline=None,
    derandomize=True,
    max_examples=int(os.environ.get("PYTEST_ARM64_EXAMPLES", "40")),
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


@pytest.fixture
def index_alone(caches: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty caches, and no proxy between a test and the index that it serves."""
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture(scope="session")
def pins() -> Iterator[Played]:
    """The recorded pages of the pins whose states are known."""
    with serve(all_recorded()) as played:
        yield played
