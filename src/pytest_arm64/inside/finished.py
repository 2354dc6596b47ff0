"""Takes out of a session the tests that other processes of the run have finished."""

from __future__ import annotations

from collections import Counter

import pytest


def leave_out(items: list[pytest.Item], finished: Counter[str]) -> None:
    """Remove from *items* as many of each node id as *finished* says, which is used up."""
    if not finished:
        return
    left = []
    for item in items:
        finished[item.nodeid] -= 1
        if finished[item.nodeid] < 0:
            left.append(item)
    items[:] = left
