"""Starts pytest and notes what is executed, or started, below the folder ``AUDITED``.

Notes go into the file ``AUDIT``, one a line: the event and its place.
"""

from __future__ import annotations

import os
import shutil
import sys
from importlib import import_module
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

FOLDER = os.path.realpath(os.environ.get("AUDITED", "/nowhere"))
LIBRARIES = ("docker", "requests", "urllib3", "certifi", "rich", "resolvelib", "elftools")


def below(place: object) -> bool:
    """Whether *place* is a path in the audited folder."""
    if isinstance(place, bytes):
        place = os.fsdecode(place)
    if not isinstance(place, str | os.PathLike) or str(place).startswith("<"):
        return False
    path = os.path.realpath(place)
    return path == FOLDER or path.startswith(FOLDER + os.sep)


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook, see https://docs.python.org/3/library/audit_events.html."""
    places: list[object] = []
    if event == "exec" and isinstance(arguments[0], CodeType):
        places = [arguments[0].co_filename]
    elif event == "import":
        places = [arguments[1]]
    elif event == "subprocess.Popen" and not any("start.py" in str(w) for w in arguments[1]):
        # Not the session of the local transport, which stands for a container.
        here = Path(arguments[2] or Path.cwd())
        words = [os.fsdecode(word) for word in arguments[1][1:2]]
        scripts = [here / word for word in words if not word.startswith("-")]
        places = [here, shutil.which(arguments[0]), *scripts]
    elif event in ("os.exec", "os.posix_spawn", "os.system", "ctypes.dlopen") or (
        event == "open" and str(arguments[0]).endswith((".pyc", ".so", ".pth"))
    ):
        places = [arguments[0]]
    for place in places:
        if below(place):
            with Path(os.environ["AUDIT"]).open("a", encoding="utf-8") as file:
                file.write(f"{event} {place}\n")


class Libraries:
    """Loads what a run with containers loads."""

    @pytest.hookimpl(tryfirst=True, optionalhook=True)
    def pytest_arm64_place(self) -> None:
        for name in LIBRARIES:
            import_module(name)


if __name__ == "__main__":
    sys.addaudithook(watch)
    # Where a container is started, all of them are loaded anyway.
    sys.exit(pytest.main(plugins=[Libraries()] if "local_place" in sys.argv else []))
