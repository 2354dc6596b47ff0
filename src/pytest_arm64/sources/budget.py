"""How much work one file may cause: code of strangers can be written to take hours."""

from __future__ import annotations


class UnreadableSourceError(Exception):
    """It cannot be parsed here, or judging it takes too long."""


class StepBudget:
    """Steps that are left; a step takes some microseconds at most."""

    def __init__(self, steps: int) -> None:
        self.left = steps
        """Below zero once more was spent than there was."""

    def spend(self, steps: int = 1) -> None:
        """Take *steps*.

        Raises:
            UnreadableSourceError: fewer are left.
        """
        self.left -= steps
        if self.left < 0:
            raise UnreadableSourceError("too much to evaluate")
