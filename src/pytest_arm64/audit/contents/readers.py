"""What reads the files of releases, where files are looked into at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..matrix import SOURCE, Row
from .wheels import WheelReader

# What talks to an index is loaded when one is needed, which a lock may never do.
if TYPE_CHECKING:
    from ...index.index import Index
    from .sdists import SdistReader


class Contents:
    """Readers by index."""

    def __init__(self, *, wanted: bool) -> None:
        """*wanted*: whether files are looked into; else there are no readers."""
        self._wanted = wanted
        self._sdists: dict[Index, SdistReader] = {}

    def sdists(self, index: Index) -> SdistReader | None:
        """What reads source distributions of *index*."""
        from .sdists import SdistReader

        return self._sdists.setdefault(index, SdistReader(index)) if self._wanted else None

    def wheels(self, index: Callable[[], Index]) -> WheelReader | None:
        """What reads wheels; *index* gives the index when one has to be fetched."""
        return WheelReader(index) if self._wanted else None

    def described(self, rows: tuple[Row, ...], index: Callable[[], Index]) -> tuple[Row, ...]:
        """*rows*, where those that are built from sources say what their build compiles."""
        if not self._wanted or not any(row.state == SOURCE for row in rows):
            return rows
        from .sdists import with_contents

        reader = self.sdists(index())
        return tuple(with_contents(rows, reader)) if reader is not None else rows
