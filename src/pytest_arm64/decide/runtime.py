"""What a service's tests showed besides passing: values held against x86, time, memory, hot spots.

None of it decides a verdict: what must not be fails a test already.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..inside.ran import PLACE, Ran
from ..records import json_options


@dataclass(frozen=True)
class Picture:
    """One of the pictures of an image that differs."""

    kind: str
    """``golden``, ``here`` or ``difference``."""
    png: str
    """Base64."""


@dataclass(frozen=True)
class GoldenResult:
    """One value that is not identical to its golden."""

    test: str
    """Node id."""
    name: str
    label: str
    """Verdict class."""
    ok: bool
    """Whether the test's policy accepts it."""
    where: Ran = field(metadata=json_options(keys=PLACE))
    text: str = ""
    """Of one that is not accepted: what differs, where, by how much."""
    ulp: int | None = None
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True)
class HotSpot:
    """One function, without the functions that it calls."""

    file: str
    line: int
    name: str
    seconds: float
    calls: int | None = None


@dataclass(frozen=True)
class HotSpots:
    """Where the processor time of one cell's tests went."""

    where: Ran = field(metadata=json_options(keys=PLACE))
    tool: str
    """``samples`` of processor time, or ``calls``: then the shares are of stretched time."""
    seconds: float
    functions: tuple[HotSpot, ...]
    """The costliest first."""

    def share(self, spot: HotSpot) -> float:
        """Part of all time, 0 to 1."""
        return spot.seconds / self.seconds if self.seconds else 0.0
