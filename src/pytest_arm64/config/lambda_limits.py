"""What Lambda allows a function, for containers of its targets: numbers, and how they are said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .facts import Facts

READ_ONLY, COPY = CODE = ("read-only", "copy")
"""What tests get of the project: as it is deployed, or a copy in which they can write."""
PROCESSOR_MEMORY = 1769 * 2**20
"""Bytes of memory with which a function has one processor (AWS, "Configure Lambda function memory",
read 2026-11-30)."""
_SMALLEST_MEMORY = 128 * 2**20
"""What a function has for which nothing is configured."""
_OPEN_FILES, _PROCESSES, _TEMPORARY = "open-files", "processes", "temporary-bytes"


@dataclass(frozen=True)
class LambdaLimits:
    """What one function may use. The fixed numbers are facts of its target."""

    open_files: int
    processes: int
    """Threads included."""
    temporary: int
    """Bytes of ``/tmp``."""
    memory: int = 0
    """Bytes; 0 where the settings do not say how many."""
    code: str = READ_ONLY

    @property
    def read_only(self) -> bool:
        """Whether tests cannot write to the project."""
        return self.code == READ_ONLY

    @property
    def processors(self) -> float:
        """How many its memory gives it; 0 where that is not known."""
        return self.memory / PROCESSOR_MEMORY


def lambda_limits(facts: Facts, *, memory: int, temporary: int, code: str) -> LambdaLimits:
    """The limits of a function on a platform with *facts*.

    Args:
        facts: those of a Lambda target.
        memory: bytes, 0 where the settings do not say how many.
        temporary: bytes of ``/tmp``, 0 for what a function has by default.
        code: one of ``CODE``.
    """
    numbers = dict(facts.limits)
    return LambdaLimits(
        numbers[_OPEN_FILES],
        numbers[_PROCESSES],
        temporary or numbers[_TEMPORARY],
        memory,
        code,
    )


def memory_size(memory: int) -> int:
    """What a function with *memory* bytes, 0 for unknown, reads as its memory: in MB."""
    return (memory or _SMALLEST_MEMORY) >> 20


def in_words(limits: LambdaLimits, processors: float) -> tuple[str, ...]:
    """What a container has of *limits*; *processors* is how many it may use, 0 for all."""
    return tuple(_words(limits, processors))


def _words(limits: LambdaLimits, processors: float) -> Iterator[str]:
    also = "" if limits.read_only else " and the copy of the project"
    yield "no /dev/shm"
    yield f"only /tmp{also} can be written, /tmp up to {limits.temporary >> 20:,} MB"
    yield f"{limits.open_files:,} open files"
    yield f"{limits.processes:,} processes and threads"
    yield "/sys/devices/system/cpu cannot be read"
    if processors:
        yield f"{processors:.2g} processor{'' if processors == 1 else 's'}"
