"""Tests behind an x86 boundary where there is no place for x86: skipped, and counted aloud."""

from __future__ import annotations

import pytest

from ..errors import Arm64Error
from ..inside.counted import counted
from .gates import Gate, emit
from .parts import RunPart


def skip(session: pytest.Session, part: RunPart, error: Arm64Error) -> str:
    """Report the tests of *part* as skipped for want of a place; what is told below the results.

    Args:
        session: the host's.
        part: one of marked tests.
        error: why there is no place for it.
    """
    session.testscollected += len(part.bounded)
    for test in part.bounded:
        reason = f"{test.reason}; not run: there is no linux/amd64 cell: {error.what}"
        emit(session.config, Gate(test.nodeid, test.location, elsewhere=reason))
    number = len(part.bounded)
    tests = counted(number, "test")
    return f"{part.name}: not run: {tests}, for there is no linux/amd64 cell: {error.what}"
