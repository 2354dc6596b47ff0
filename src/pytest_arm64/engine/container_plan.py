"""How a container is to be created: image, user, mounts, limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

PIDS_LIMIT = 4096
LONGEST_SECONDS = 4 * 3600.0
"""For one command that is run to its end, such as a build."""


@dataclass(frozen=True)
class Mount:
    """A bind mount of *path* at the same path inside."""

    path: str
    read_only: bool = True


@dataclass(frozen=True)
class Plan:
    """How a container is made. The defaults are the least that a process needs."""

    image: str
    platform: str
    user: str = "0:0"
    environment: Mapping[str, str] | None = None
    mounts: Sequence[Mount] = ()
    volumes: Sequence[str] = ()
    """Paths that are anonymous volumes: writable, reachable by ``put`` and ``get``."""
    tmpfs: Mapping[str, str] | None = None
    network: str = "none"
    read_only: bool = False
    memory: int = 0
    """Bytes that all processes together may use, swap included; 0 for the engine's limit."""
    memory_note: str = ""
    """What it means that they used more."""
    shm_size: int = 0
    """Bytes of ``/dev/shm``; 0 for the engine's default."""
    ipc: str = ""
    """``none`` for a container without ``/dev/shm``; empty for one of its own."""
    open_files: int = 0
    """Of one process; 0 for the engine's limit."""
    processes: int = PIDS_LIMIT
    """All processes and threads together."""
    processors: float = 0.0
    """How many all processes together may use; 0 for all."""
    capabilities: Sequence[str] = ()
    """Capabilities to keep; all others are dropped."""
    longest: float = LONGEST_SECONDS
    """Seconds that one command may take which is run to its end."""
    kept_as: str = ""
    """Name of one that stays when this process is gone; empty for those that go with it."""
    volumes_from: Sequence[str] = ()
    """Ids of containers whose volumes it has as well."""
