"""Refuses a project that is made for another Python than the image has, before it is installed."""

from __future__ import annotations

import os

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from ..audit.limits import targets_for
from ..config.cell import ImageFacts
from ..config.targets import Target
from ..errors import InstallError
from ..inputs.limits import python_limits
from ..inputs.manifest import Manifest
from ..inputs.reading import Reading


def refuse_other_python(manifest: Manifest, target: Target, ran: ImageFacts) -> None:
    """Refuse to install the project of *manifest* where its files exclude the Python of *ran*.

    A project that is not installed itself is not held to it: no installer asks.

    Raises:
        InstallError: they do; it names the targets that would do.
    """
    if manifest.own is None:
        return
    reading = Reading(manifest.root, os.environ, toml=manifest.toml)
    for limit in python_limits(manifest.own, reading):
        if limit.pinned or _admits(limit.specifier, ran.python.version):
            continue
        has = f"the target {target.name} has {ran.python.version}"
        if ran.python.minor != target.python:
            has = f"the image {ran.image}, which runs for {target.name}, has {ran.python.version}"
        raise InstallError(
            f"{limit.origin}: this project is for Python {limit.specifier}, and {has}",
            why="no installer would install it there",
            next_step=f"{targets_for(limit.specifier, target.name)} (--arm64-target NAME)",
        )


def _admits(specifier: str, version: str) -> bool:
    """Whether *specifier* admits *version*; what cannot be read admits all."""
    try:
        return SpecifierSet(specifier).contains(version, prereleases=True)
    except InvalidSpecifier:
        return True
