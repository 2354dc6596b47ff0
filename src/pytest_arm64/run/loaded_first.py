"""Loads before the first test what an ordinary run loads late: a test may change files by then."""

from __future__ import annotations

from importlib import import_module

_LATE = (
    *("inside.golden.explain", "inside.golden.verdict", "inside.golden.hints"),
    *("inside.measure.budget", "inside.measure.judge", "inside.measure.summary"),
    *("report.progress", "run.findings"),
)


def load_first() -> None:
    """Import all that is used after the tests."""
    for name in _LATE:
        import_module(f"pytest_arm64.{name}")
