"""Loads before the first test what an ordinary run loads late: a test may change files by then."""

from __future__ import annotations

from concurrent.futures import Future
from importlib import import_module

from ..index.workers import in_background
from ..mirror.lambda_hints import all_hints

_LATE = (
    *("inside.golden.explain", "inside.golden.verdict", "inside.golden.hints"),
    *("inside.measure.budget", "inside.measure.judge", "inside.measure.summary"),
    *("report.progress", "run.findings"),
)


def begin_to_load() -> Future[None]:
    """Import all that is used after the tests, while the engine works; wait before the first."""
    return in_background(_load)


def _load() -> None:
    for name in _LATE:
        import_module(f"pytest_arm64.{name}")
    all_hints()
