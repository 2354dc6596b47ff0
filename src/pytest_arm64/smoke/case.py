"""A check of one package, and which packages with compiled files are deployed."""

from __future__ import annotations

import importlib
import importlib.metadata
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

COMPILED = (".so", ".abi3.so")


@dataclass(frozen=True)
class Smoke:
    """What is called of one package."""

    packages: tuple[str, ...]
    """Names under which it is deployed, such as ``opencv-python-headless``; normalised."""
    modules: tuple[str, ...]
    """What is imported for it, and given to *check* in this order."""
    check: Callable[..., None]
    """Calls it and asserts the answer."""
    covers: tuple[str, ...] = ()
    """Further packages whose compiled files it calls."""

    def run(self) -> None:
        """Import and call."""
        self.check(*map(importlib.import_module, self.modules))


SMOKES: list[Smoke] = []
"""All checks, in the order in which their modules are imported."""


def smoke(
    packages: str, *modules: str, covers: str = ""
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a function the check of *packages*, names that are separated by spaces."""

    def add(check: Callable[..., None]) -> Callable[..., None]:
        SMOKES.append(Smoke(tuple(packages.split()), modules, check, tuple(covers.split())))
        return check

    return add


def deployed_packages() -> dict[str, importlib.metadata.Distribution]:
    """The distributions on ``sys.path`` by normalised name; of two with one name the first."""
    packages: dict[str, importlib.metadata.Distribution] = {}
    for distribution in importlib.metadata.distributions():
        name: Any = distribution.metadata["Name"]  # None in a folder without metadata
        if name:
            packages.setdefault(normalised(name), distribution)
    return packages


def normalised(name: str) -> str:
    """*name* as packages are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def is_native(distribution: importlib.metadata.Distribution) -> bool:
    """Whether *distribution* has a compiled module or library."""
    files = distribution.files or ()
    return any(file.name.endswith(COMPILED) or ".so." in file.name for file in files)


def deployed_smokes(deployed: Iterable[str]) -> list[tuple[str, Smoke]]:
    """The checks of *deployed* packages, each with the name under which its package is deployed."""
    names = set(deployed)
    pairs = ((next((n for n in s.packages if n in names), ""), s) for s in SMOKES)
    return sorted((pair for pair in pairs if pair[0]), key=lambda pair: pair[0])


def unchecked(native: Iterable[str]) -> list[str]:
    """Which of *native* packages no check calls."""
    checked = {name for smoke in SMOKES for name in (*smoke.packages, *smoke.covers)}
    return sorted(set(native) - checked)
