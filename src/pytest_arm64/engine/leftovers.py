"""What host processes that are dead by now left behind on this machine's engine."""

from __future__ import annotations

import contextlib
import functools
import os
import platform
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from docker import DockerClient

HOST_LABEL = "pytest-arm64.host"
"""Of a container: the process that it belongs to; empty on an image, and on what others start."""
MAKER_LABEL = "pytest-arm64.maker"
"""Of an image: the process that made it."""


@functools.cache
def this_process() -> str:
    """This process as a label: machine and boot, process id, and when the process began."""
    return f"{_machine()}/{os.getpid()}/{_began(os.getpid()) or 0}"


def sweep(client: DockerClient) -> int:
    """Remove containers whose host process was one of this machine and is gone; how many."""
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    removed = 0
    with contextlib.suppress(DockerException, RequestException, OSError):
        for container in client.api.containers(all=True, filters={"label": HOST_LABEL}):
            if is_dead(container.get("Labels", {}).get(HOST_LABEL, "")):
                client.api.remove_container(container["Id"], force=True, v=True)
                removed += 1
    return removed


def is_dead(label: str) -> bool:
    """Whether *label* names a process of this machine and boot that no longer runs.

    A process of another machine, or a label that cannot be read, is not ours to judge.
    """
    machine, _, rest = label.partition("/")
    number, _, began = rest.partition("/")
    if machine != _machine() or not re.fullmatch("[0-9]{1,9}", number):
        return False
    now = _began(int(number))
    return now is None or (began not in ("0", "") and str(now) != began)


def _machine() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        boot = platform.node()
    return boot.replace("/", "-")


def _began(pid: int) -> int | None:
    """Start time in clock ticks since boot (0 where the system does not tell); None if gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        if Path("/proc/self/stat").exists():
            return None
        return _signalled(pid)
    # A zombie is a process that ended and that nobody has asked about.
    return None if fields[0] == "Z" else int(fields[19])


def _signalled(pid: int) -> int | None:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    return 0
