"""What in the project's own tree will be in the way, told before a test stumbles over it."""

from __future__ import annotations

import stat
from itertools import islice
from pathlib import Path

from ..config.targets import MACHINES
from ..inputs.project_files import walk
from ..report.matrix_output import printable

_MAGIC = b"\x7fELF"
# ``e_machine`` of little-endian ELF files; source: the ELF specification and its processor
# supplements.
_MACHINES = {b"\x3e\x00": "x86_64", b"\xb7\x00": "aarch64", b"\x03\x00": "i386"}
_MAXIMUM_ENTRIES = 50_000
_SHOWN = 3


def foreign_libraries(root: Path, architecture: str) -> list[tuple[Path, str]]:
    """Shared libraries below *root* that *architecture* cannot load, with their machines.

    Of a very large tree only the beginning is looked at.
    """
    libraries = []
    for path in islice(walk(root), _MAXIMUM_ENTRIES):
        if (path.suffix == ".so" or ".so." in path.name) and path.is_file():
            machine = _machine(path)
            if machine not in ("", MACHINES[architecture]):
                libraries.append((path, machine))
    return libraries


def _machine(path: Path) -> str:
    """Machine of an ELF file, empty for anything else."""
    try:
        with path.open("rb") as stream:
            start = stream.read(20)
    except OSError:
        return ""
    return _MACHINES.get(start[18:20], "another machine") if start.startswith(_MAGIC) else ""


def preflight_lines(root: Path, architecture: str) -> list[str]:
    """For the header; empty where nothing is in the way."""
    libraries = foreign_libraries(root, architecture)
    if not libraries:
        return []
    names = [
        f"{printable(str(path.relative_to(root)))} ({machine})"
        for path, machine in libraries[:_SHOWN]
    ]
    more = f" and {len(libraries) - _SHOWN} more" if len(libraries) > _SHOWN else ""
    return [
        f"arm64: compiled for another machine, in the project: {', '.join(names)}{more}",
        "arm64:   what is imported from the source tree will miss them; "
        'in [tool.pytest-arm64], install = "wheel" builds the project for this one',
    ]


def ownership_lines(root: Path, uid: int) -> list[str]:
    """For the header, where the user *uid* may write into *root* here and not in a container.

    Root's right to write into what is another's is a capability, and containers have none.
    """
    about = root.stat()
    shared = stat.S_IWOTH | (0 if about.st_gid else stat.S_IWGRP)
    if uid or not about.st_uid or about.st_mode & shared:
        return []
    return [
        f"arm64: the project belongs to user {about.st_uid}: root has no privilege inside, and "
        "cannot write into it",
        "arm64:   pytest's cache and tests that write beside themselves will miss that; give the "
        "folder to root (chown -R root), or run as its owner",
    ]
