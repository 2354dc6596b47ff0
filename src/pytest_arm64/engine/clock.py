"""The engine's clock beside this machine's."""

from __future__ import annotations

import re
from datetime import datetime, timezone

from ..errors import ClockError

SKEW_SECONDS = 30.0
"""How far two clocks may be apart before certificates and time stamps suffer."""


def ahead(moment: object) -> float:
    """Seconds from now to *moment*, as an engine tells its time; 0 where that is no time."""
    if not isinstance(moment, str):
        return 0.0
    # Go writes nanoseconds, and Python before 3.11 knows neither those nor "Z".
    plain = re.sub(r"\.\d+", "", moment).replace("Z", "+00:00")
    try:
        return (datetime.fromisoformat(plain) - datetime.now(timezone.utc)).total_seconds()
    except (ValueError, TypeError):
        return 0.0


def clock_error(seconds_ahead: float) -> ClockError | None:
    """What is wrong with an engine's clock that is so far ahead, None if nothing is."""
    if abs(seconds_ahead) <= SKEW_SECONDS:
        return None
    which = "ahead of" if seconds_ahead > 0 else "behind"
    return ClockError(
        f"the engine's clock is {abs(seconds_ahead):.0f} s {which} this machine's",
        why="certificates are refused and time stamps mislead when a clock is wrong",
        next_step="set both clocks; restart a virtual machine that was suspended",
    )
