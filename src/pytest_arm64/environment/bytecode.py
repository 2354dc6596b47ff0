"""Byte-code made on the host, by an interpreter whose byte-code the image's Python accepts.

An emulated interpreter takes ten times as long for the same bytes.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import BinaryIO

from ..config.cell import Python
from ..isolation import NEUTRAL, program

_SECONDS = 300
_ASK = "import importlib.util as u, json; print(json.dumps(u.MAGIC_NUMBER.hex()))"


@dataclass(frozen=True)
class Compiler:
    """A host interpreter, or none; then byte-code is made in the image."""

    executable: str = ""
    magic: str = ""
    """Magic number of its byte-code, hexadecimal."""

    @property
    def identity(self) -> str:
        """What decides about the byte-code."""
        return self.magic if self.executable else ""

    def append(self, layer: Path, target: BinaryIO) -> bool:
        """Add to *target*, open at the end of the tar *layer*, the byte-code of its modules.

        Whether that was possible; what does not compile is left out, as pip does.
        """
        if not self.executable:
            return False
        end = target.tell()
        script = resources.files("pytest_arm64.environment").joinpath("compile_layer.py")
        command = [self.executable, "-I", "-S", "-c", script.read_text("utf-8"), str(end)]
        try:
            with layer.open("rb") as source:
                finished = subprocess.run(
                    command,
                    stdin=source,
                    stdout=target,
                    stderr=subprocess.DEVNULL,
                    timeout=_SECONDS,
                    check=False,
                    cwd=NEUTRAL,
                )
            done = finished.returncode == 0
        except (OSError, subprocess.TimeoutExpired):
            done = False
        if not done:
            target.truncate(end)
        target.seek(0, os.SEEK_END)
        return done


def compile_command(python: Python, *folders: str) -> list[str]:
    """What makes the byte-code of all modules in *folders*, in an image with *python*.

    Isolated and without ``site``: no code of a package, such as in a ``.pth`` file, is run.
    """
    return [python.executable, "-I", "-S", "-m", "compileall", "-q", "-f", *folders]


def compiler_for(python: Python) -> Compiler:
    """A host interpreter that makes the byte-code of *python*; an empty one if there is none."""
    if not python.magic:
        return Compiler()
    if importlib.util.MAGIC_NUMBER.hex() == python.magic:
        return Compiler(sys.executable, python.magic)
    executable = program(f"python{python.minor}")
    matches = executable is not None and _magic_of(executable) == python.magic
    return Compiler(executable or "", python.magic) if matches else Compiler()


@lru_cache(maxsize=16)
def _magic_of(executable: str) -> str:
    try:
        finished = subprocess.run(
            [executable, "-I", "-S", "-c", _ASK],
            capture_output=True,
            timeout=20,
            check=False,
            cwd=NEUTRAL,
        )
        magic = json.loads(finished.stdout)
    except (OSError, subprocess.TimeoutExpired, ValueError):
        return ""
    return magic if isinstance(magic, str) else ""
