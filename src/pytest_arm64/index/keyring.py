"""Credentials from a keyring, in the ways in which pip asks one (``keyring-provider``)."""

from __future__ import annotations

import importlib
import os
import subprocess
from collections.abc import Mapping

from ..isolation import NEUTRAL, program

AUTO, DISABLED, IMPORT, SUBPROCESS = "auto", "disabled", "import", "subprocess"
# A keyring may ask its owner to unlock it; a pipeline has no owner.
_SECONDS = 30.0


def from_keyring(
    provider: str, place: str, user: str, environ: Mapping[str, str] = os.environ
) -> tuple[str, str] | None:
    """User and password that a keyring has for *place*; None where it has none, or there is none.

    Args:
        provider: as pip has it; ``auto`` is the library where it is installed, else the program.
        place: the address of an index, or a host.
        user: the user of the address, empty where it names none. The program needs one.
        environ: where the program is looked for.
    """
    if provider in (AUTO, IMPORT):
        try:
            library = importlib.import_module("keyring")
        except ImportError:
            if provider == IMPORT:
                return None
        else:
            return _by_library(library, place, user)
    return _by_program(place, user, environ) if provider in (AUTO, SUBPROCESS) and user else None


def _by_library(library: object, place: str, user: str) -> tuple[str, str] | None:
    try:
        credential = library.get_credential(place, user or None)  # type: ignore[attr-defined] # checked only where it is installed
    except Exception:  # noqa: BLE001 - backends raise whatever they like; there is no credential
        return None
    return (
        (credential.username or "", credential.password or "") if credential is not None else None
    )


def _by_program(place: str, user: str, environ: Mapping[str, str]) -> tuple[str, str] | None:
    executable = program("keyring", environ)
    if executable is None:
        return None
    try:
        done = subprocess.run(
            [executable, "get", place, user],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            errors="replace",
            env={**environ, "PYTHONIOENCODING": "utf-8"},
            cwd=NEUTRAL,  # older keyrings read a configuration, and load what it names, from here
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    password = done.stdout.rstrip("\r\n")
    return (user, password) if done.returncode == 0 and password else None
