"""What every test of the audit has: empty caches, and no proxy between it and its server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from unit.audit.served import Played, all_recorded, serve


@pytest.fixture(autouse=True)
def _alone(caches: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture(scope="session")
def pins() -> Iterator[Played]:
    """The recorded pages of the pins whose states are known."""
    with serve(all_recorded()) as played:
        yield played
