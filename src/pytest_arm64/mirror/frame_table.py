"""The table of frames in ``docs/how-it-works.md``, from the frames themselves."""

from __future__ import annotations

import inspect
from typing import get_args

from ..inside.frames import Frame


def markdown() -> str:
    """Name, fields and meaning of each frame."""
    lines = ["| frame | fields | what it says |", "| --- | --- | --- |"]
    for frame in get_args(Frame):
        fields = ", ".join(f"`{name}`" for name in frame._fields)
        says = (inspect.getdoc(frame) or "").partition("\n")[0].replace("``", "`")
        lines.append(f"| `{frame.__name__}` | {fields} | {says} |")
    return "\n".join(lines) + "\n"
