"""What a session says it executed of the statements that it was asked about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..inside.frames import LinesExecuted

Statements = Mapping[str, Sequence[tuple[int, int]]]
"""First and last lines, by file."""


class ExecutedStatements:
    """Those of all processes of one session."""

    def __init__(self) -> None:
        self.watched: Statements = {}
        """What the session was asked about; nothing else counts."""
        self.problem: str | None = None
        """Why it is not known; None where no process has said anything."""
        self._lines: dict[str, set[int]] = {}

    def take(self, frame: LinesExecuted) -> None:
        """A process has come to its end."""
        self.problem = self.problem or frame.problem[:200]
        for path, statements in self.watched.items():
            lines = {first for first, _ in statements}.intersection(frame.files.get(path, ()))
            self._lines.setdefault(path, set()).update(lines)

    def has(self, path: str, first: int) -> bool:
        """Whether the statement that begins there was executed."""
        return first in self._lines.get(path, ())
