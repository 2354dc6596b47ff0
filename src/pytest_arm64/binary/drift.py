"""Declared facts held against those that were read from the image: where they differ."""

from __future__ import annotations

from collections.abc import Iterator

from ..config.targets import Target
from .declared import numbers
from .learned import Learned


def differences(target: Target, image: Learned) -> Iterator[str]:
    """What *target* declares and *image* does not have, or has and is said to lack; in words."""
    if target.os and image.os != target.os:
        yield f"system: {target.os} is declared, the image is {image.os or 'unknown'}"
    if target.glibc and image.loader != target.glibc:
        yield f"glibc: {target.glibc} is declared, the image has {image.loader or 'none'}"
    for name in target.facts.has:
        if name not in image.libraries:
            yield f"{name} is declared to be there, and is not in the image"
    for name in target.facts.lacks:
        if name in image.libraries:
            yield f"{name} is declared to be missing, and is in the image"
    for prefix, declared in target.facts.symbols:
        newest = _newest(image, prefix)
        if newest != declared and (newest or prefix == "GLIBC"):
            yield f"{prefix}: {declared} is declared, the image has {newest or 'none'}"


def _newest(image: Learned, prefix: str) -> str:
    found = (n.removeprefix(f"{prefix}_") for n in image.nodes if n.startswith(f"{prefix}_"))
    return max(filter(numbers, found), key=numbers, default="")
