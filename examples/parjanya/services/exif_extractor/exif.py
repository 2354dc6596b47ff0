"""What a photograph says of itself: when, where and with what it was taken; nothing is guessed."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

import exifread


@dataclass(frozen=True)
class Facts:
    """What the file says; None where it says nothing, or nothing that makes sense."""

    taken: datetime | None = None
    camera: str | None = None
    latitude: float | None = None
    longitude: float | None = None


def facts_of(content: bytes) -> Facts:
    """The facts in *content*, a JPEG, TIFF or HEIC file; none in anything else."""
    try:
        tags = exifread.process_file(io.BytesIO(content), details=False)
    except (struct.error, LookupError, ValueError, TypeError):
        return Facts()  # cut off, or no photograph: the library says so in many ways
    return Facts(
        taken=_time(tags.get("EXIF DateTimeOriginal")),
        camera=_words(tags.get("Image Make"), tags.get("Image Model")),
        latitude=_degrees(tags.get("GPS GPSLatitude"), tags.get("GPS GPSLatitudeRef"), "S", 90),
        longitude=_degrees(tags.get("GPS GPSLongitude"), tags.get("GPS GPSLongitudeRef"), "W", 180),
    )


def _time(tag: Any) -> datetime | None:
    try:
        return datetime.strptime(str(tag), "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return None


def _words(*tags: Any) -> str | None:
    found = [str(tag).strip() for tag in tags if tag is not None]
    return " ".join(word for word in found if word) or None


def _degrees(tag: Any, reference: Any, negative: str, limit: int) -> float | None:
    values = tag.values if tag is not None else []
    if len(values) != 3 or reference is None or any(value.den == 0 for value in values):
        return None
    parts = [Fraction(value.num, value.den) for value in values]
    degrees = parts[0] + parts[1] / 60 + parts[2] / 3600
    if degrees > limit:
        return None
    return float(-degrees if str(reference).strip() == negative else degrees)
