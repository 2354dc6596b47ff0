"""Base images that a folder's Dockerfiles name, as far as they say which wheels fit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..inside.regular_file import read_regular_text
from .reading import Reading

_NAMES = ("Dockerfile", "Containerfile")
_FROM = re.compile(r"\s*FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?\s*\Z", re.IGNORECASE)
# Images whose C library is musl. Source: their own descriptions on Docker Hub, 2026-11-30.
_MUSL = re.compile(r"(?:^|[/:._-])(?:alpine|musl|musllinux\w*)(?=$|[/:@._-]|\d)", re.IGNORECASE)


@dataclass(frozen=True)
class BaseImage:
    """The image that a Dockerfile's last stage begins with."""

    name: str
    line: int


def base_image(text: str) -> BaseImage | None:
    """The image under the last stage of the Dockerfile *text*; None where it names none."""
    stages: dict[str, BaseImage] = {}
    last = None
    for number, line in enumerate(text.splitlines(), 1):
        match = _FROM.match(line[:1000])
        if match is None:
            continue
        last = stages.get(match[1].lower()) or BaseImage(match[1], number)
        if match[2]:
            stages[match[2].lower()] = last
    return last


def musl_notes(folder: Path, reading: Reading) -> Iterator[str]:
    """A note for each Dockerfile in *folder* whose image has musl: the targets have glibc."""
    for name in _NAMES:
        try:
            image = base_image(read_regular_text(folder / name))
        except (OSError, ValueError):
            continue
        if image is not None and _MUSL.search(image.name):
            place = reading.origin(folder / name, image.line)
            yield (
                f"{place}: {image.name[:100]} has musl, and the target glibc: what is said here "
                "is right for an image with glibc (-slim instead of -alpine)"
            )
