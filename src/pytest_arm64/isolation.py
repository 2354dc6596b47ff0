"""Keeps code of folders that we do not trust out of our processes and those that we start."""

from __future__ import annotations

import os
import shutil
import site
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

NEUTRAL = "/"
"""Working directory of the programs that we start: nothing of a project is found relative to it."""


@cache
def isolated_python() -> tuple[str, ...]:
    """The command that starts this interpreter with nothing but what is installed on its path.

    Start it in ``NEUTRAL``.
    """
    # -I leaves out the user's site folder. Who installed us there has pip and keyring there too.
    return (sys.executable, "-E" if _in_user_site() else "-I", "-X", "utf8")


def program(name: str, environ: Mapping[str, str] | None = None) -> str | None:
    """The program *name* of ``PATH``, as an absolute path; None if there is none.

    Entries that are relative to the working directory do not count: that may be a project's.
    """
    path = (os.environ if environ is None else environ).get("PATH", os.defpath)
    absolute = [entry for entry in path.split(os.pathsep) if Path(entry).is_absolute()]
    return shutil.which(name, path=os.pathsep.join(absolute)) if absolute else None


def _in_user_site() -> bool:
    folder = site.getusersitepackages() if site.ENABLE_USER_SITE else None
    return folder is not None and Path(__file__).is_relative_to(folder)
