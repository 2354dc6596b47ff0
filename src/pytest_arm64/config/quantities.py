"""Numbers that a command takes as values of its options."""

from __future__ import annotations

import argparse
import math


def above_zero(text: str) -> float:
    """A finite number above 0.

    Raises:
        ArgumentTypeError: it is not one.
    """
    number = _number(text)
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0, such as 60")
    return number


def at_least_zero(text: str) -> float:
    """A finite number that is not negative.

    Raises:
        ArgumentTypeError: it is not one.
    """
    number = _number(text)
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of 0 or more, such as 30")
    return number


def count(text: str) -> int:
    """A whole number that is not negative.

    Raises:
        ArgumentTypeError: it is not one.
    """
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number, such as 5")
    return int(text)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
