"""How a service's Lambda function is called: its handler, and how long a call may take."""

from __future__ import annotations

import math
import re

from ..errors import SettingsError
from ..inside.function.record import DEFAULT_TIMEOUT

MOST_SECONDS = 900
"""What a function may be given (AWS, "Lambda quotas", read 2026-11-30)."""
_HANDLER = re.compile(r"(\w[\w-]*[/.])+\w+")


def checked_handler(text: str) -> str:
    """*text*, ``module.function`` or ``folder/module.function``; empty where nothing is said.

    Raises:
        SettingsError: it is neither.
    """
    if text and not (_HANDLER.fullmatch(text) and "." in text.rpartition("/")[2]):
        raise SettingsError(
            f"handler = {text!r} is not MODULE.FUNCTION",
            next_step='handler = "app.lambda_handler"',
        )
    return text


def checked_timeout(seconds: float) -> float:
    """*seconds* of one call.

    Raises:
        SettingsError: a function cannot be given so many.
    """
    if not (math.isfinite(seconds) and 0 < seconds <= MOST_SECONDS):
        raise SettingsError(
            f"lambda-timeout = {seconds} is not a number of seconds up to {MOST_SECONDS}",
            next_step=f"lambda-timeout = {DEFAULT_TIMEOUT:g}",
        )
    return float(seconds)
