"""What a long step tells while it runs; how that is shown is the report's business."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Step(Protocol):
    """One running step."""

    def update(self, text: str = "", fraction: float | None = None) -> None:
        """Say what is being done now, and how much of the whole is done (0 to 1)."""

    def say(self, text: str) -> None:
        """Say what is to be read in the log of a pipeline as well."""


class Progress(Protocol):
    """Where steps are told."""

    def step(self, title: str) -> AbstractContextManager[Step]:
        """Begin a step; it ends with the context."""


class _Silent:
    def update(self, text: str = "", fraction: float | None = None) -> None:
        pass

    def say(self, text: str) -> None:
        pass


class NoProgress:
    """Tells nobody."""

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:  # noqa: ARG002
        yield _Silent()
