"""An upload: has the technical validator judge it, looks for duplicates, stores what is new."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from gallery import Gallery

Judge = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""Invokes the technical validator with an event, and gives its answer."""


def upload(gallery: Gallery, judge: Judge, name: str, image: bytes) -> dict[str, Any]:
    """What became of the photograph: ``stored``, ``duplicate``, ``rejected`` or ``unreadable``."""
    answer = judge({"name": name, "image": base64.b64encode(image).decode()})
    if answer["status"] != "accepted":
        return {"name": name, "status": answer["status"], "reasons": answer.get("reasons", [])}
    near = gallery.near(name, answer["hashes"])
    if near:
        return {"name": name, "status": "duplicate", "duplicates": [asdict(one) for one in near]}
    gallery.store(name, answer["hashes"])
    return {"name": name, "status": "stored"}
