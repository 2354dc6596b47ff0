"""An image that differs, as three pictures: the golden, what is here, and where they differ."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .lazily import Array
from .values import Node, Stored, restored

FOLDER = "pictures"
"""Below ``$PYTEST_ARM64_OUT``: copies for the report."""
KINDS = ("golden", "here", "difference")
_BANDS = {"L": 1, "RGB": 3}
_COLOUR_TYPE = {1: 0, 3: 2, 4: 6}


@dataclass(frozen=True)
class _Pixels:
    width: int
    height: int
    bands: int
    data: bytes


def write_pictures(golden: Stored, here: Stored, folder: Path, name: str) -> tuple[Path, ...]:
    """PNG files of an image and its golden and their difference; none for what is no image."""
    ours, theirs = _pixels(golden.tree, golden.blobs), _pixels(here.tree, here.blobs)
    if ours is None or theirs is None or len(ours.data) != len(theirs.data):
        return ()
    apart = bytes(abs(a - b) for a, b in zip(ours.data, theirs.data))
    most = max(apart, default=0) or 1
    # One level of 255 cannot be seen: the largest difference becomes white.
    shown = bytes(level * 255 // most for level in apart)
    difference = _Pixels(ours.width, ours.height, ours.bands, shown)
    paths = []
    for kind, pixels in zip(KINDS, (ours, theirs, difference)):
        path = folder / f"{name}-{kind}.png"
        path.write_bytes(_png(pixels))
        paths.append(path)
    return tuple(paths)


def _pixels(tree: Node, blobs: Mapping[str, Array]) -> _Pixels | None:
    """The pixels of a Pillow image, or of an 8-bit array with the shape of one."""
    if tree["k"] == "record" and tree.get("t") == "Image":
        parts = restored(tree, blobs)
        bands = _BANDS.get(parts.get("mode"))
        data = parts.get("pixels")
        if bands is None or not isinstance(data, bytes):
            return None
        width, height = parts["size"]
    elif tree["k"] == "array" and tree["dtype"] == "|u1" and len(tree["shape"]) in (2, 3):
        height, width, bands = (*tree["shape"], 1)[:3]
        data = blobs[tree["blob"]].tobytes()
    else:
        return None
    fits = bands in _COLOUR_TYPE and len(data) == width * height * bands and data
    return _Pixels(width, height, bands, data) if fits else None


def _png(pixels: _Pixels) -> bytes:
    header = struct.pack(
        ">IIBBBBB", pixels.width, pixels.height, 8, _COLOUR_TYPE[pixels.bands], 0, 0, 0
    )
    stride = pixels.width * pixels.bands
    starts = range(0, len(pixels.data), stride)
    lines = b"".join(b"\0" + pixels.data[start : start + stride] for start in starts)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
