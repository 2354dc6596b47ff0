"""How many images of ours an engine holds: those that were not used for longest go first."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .. import cache
from .endpoint import Engine
from .failures import engine_errors
from .seals import BASE_LABEL, NAME_LABEL, is_made_image

MOST_IMAGES = 100
MOST_BYTES = 30 * 2**30
"""Of all images of ours, beyond what they were made from."""
_KIND = "image-uses"


@dataclass(frozen=True)
class MadeImage:
    """An image of ours."""

    id: str
    base: str
    """Id of the image that it was made from."""
    size: int
    """Bytes beyond that one."""
    used: float
    """When it, or what was made from it, was used last, in seconds since 1970."""


def remember_use(tag: str) -> None:
    """Note that the image *tag* is used now."""
    cache.store(_KIND, cache.digest(tag), {"used": time.time()})


def made_images(engine: Engine) -> list[MadeImage]:
    """Images of ours, the least recently used first, each before the one that it was made from.

    Raises:
        EngineError: the engine does not list them.
    """
    with engine_errors("images could not be listed"):
        listed: Sequence[Mapping[str, Any]] = engine.client.api.images()
    sizes = {str(image["Id"]): int(image.get("Size", 0)) for image in listed}
    images = {str(image["Id"]): _made(image, sizes) for image in listed if is_made_image(image)}
    depths = dict.fromkeys(images, 0)
    for image in list(images.values()):
        base = image.base
        # An id names what it was made from: there are no circles.
        while base in images:
            used = max(images[base].used, image.used)
            images[base] = replace(images[base], used=used)
            depths[image.id] += 1
            base = images[base].base
    return sorted(images.values(), key=lambda image: (image.used, -depths[image.id]))


def _made(image: Mapping[str, Any], sizes: Mapping[str, int]) -> MadeImage:
    identifier, labels = str(image["Id"]), image["Labels"]
    base = labels.get(BASE_LABEL, "")
    used = (cache.load(_KIND, cache.digest(labels[NAME_LABEL])) or {}).get("used")
    created = float(image.get("Created", 0))
    return MadeImage(
        identifier,
        base,
        max(0, sizes[identifier] - sizes.get(base, 0)),
        max(created, used) if isinstance(used, float) else created,
    )


def surplus(
    images: Sequence[MadeImage],
    *,
    most_images: int = MOST_IMAGES,
    most_bytes: int = MOST_BYTES,
    unused_since: float = float("-inf"),
) -> list[MadeImage]:
    """The first of *images*, as many as exceed a bound or were not used since a time."""
    number, size = len(images), sum(image.size for image in images)
    leave: list[MadeImage] = []
    for image in images:
        if number <= most_images and size <= most_bytes and image.used >= unused_since:
            break
        leave.append(image)
        number, size = number - 1, size - image.size
    return leave


def remove_images(engine: Engine, images: Iterable[MadeImage]) -> list[MadeImage]:
    """Remove *images*, but those in use and what these were made from; those that went."""
    from docker.errors import APIError

    gone = []
    with engine_errors("images could not be removed"):
        for image in images:
            with contextlib.suppress(APIError):
                engine.client.api.remove_image(image.id)
                gone.append(image)
    return gone
