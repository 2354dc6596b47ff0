"""A service as it is deployed already: a container image, a zip file or a folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ..errors import SettingsError
from .boundary import is_there
from .suggestions import file_suggestion

IMAGE, ZIP, DIR = "image", "zip", "dir"
KINDS = (IMAGE, ZIP, DIR)


@dataclass(frozen=True)
class Artifact:
    """What ``artifact = "KIND:PLACE"`` names."""

    kind: str
    place: str
    """Reference of an image, or an absolute path."""
    shown: str
    """As it was written."""

    @property
    def path(self) -> Path:
        """Of a zip file or a folder."""
        return Path(self.place)


def read_artifact_name(text: str, base: Path) -> Artifact | None:
    """The artifact that *text* names, relative to *base*; None where it begins with no kind.

    Raises:
        SettingsError: it names nothing, or there is no such file or folder.
    """
    kind, colon, place = text.partition(":")
    if not colon or kind not in KINDS:
        return None
    if not place:
        raise SettingsError(
            f"artifact {text!r} names nothing", next_step=f"for example {kind}:{_EXAMPLES[kind]}"
        )
    if kind == IMAGE:
        return Artifact(kind, place, text)
    path = Path(os.path.normpath(base / place))
    if not is_there(path, Path.is_file if kind == ZIP else Path.is_dir):
        what = "file" if kind == ZIP else "folder"
        raise SettingsError(
            f"artifact {text!r}: {path} is not a {what}{file_suggestion(path, base)}",
            next_step="build it before it is judged",
        )
    return Artifact(kind, str(path), text)


_EXAMPLES = {IMAGE: "shop/api:1.4", ZIP: "build/function.zip", DIR: "build/package"}


def configured_artifact(text: str, base: Path) -> Artifact | None:
    """The artifact that a table's key ``artifact`` names; None where it is empty.

    Raises:
        SettingsError: it is none.
    """
    if not text:
        return None
    artifact = read_artifact_name(text, base)
    if artifact is None:
        raise SettingsError(
            f"artifact = {text!r} does not say what it is",
            next_step="say image:REFERENCE, zip:FILE or dir:FOLDER",
        )
    return artifact
