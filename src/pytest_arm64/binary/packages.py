"""Which distribution brought which file, as the ``RECORD`` of each says."""

from __future__ import annotations

import csv
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass

from .filetree import FileTree

_MAXIMUM_TAGS = 256


@dataclass(frozen=True)
class OwningPackage:
    """A distribution, and whether its wheel says that it is for any machine."""

    name: str
    pure: bool
    tags: tuple[str, ...] = ()
    """Of its wheel: ``cp312-cp312-manylinux_2_28_aarch64``."""


def owners(tree: FileTree) -> Mapping[str, OwningPackage]:
    """OwningPackage by path of each compiled file that a ``RECORD`` in *tree* names."""
    by_path: dict[str, OwningPackage] = {}
    for path, text in tree.texts.items():
        folder, name = posixpath.split(path)
        if name != "RECORD":
            continue
        site, information = posixpath.split(folder)
        tags = _tags(tree.texts.get(f"{folder}/WHEEL", ""))
        pure = bool(tags) and all(tag.endswith("-any") for tag in tags)
        owner = OwningPackage(information.removesuffix(".dist-info"), pure, tags)
        try:
            for row in csv.reader(text.splitlines()):
                file = posixpath.normpath(posixpath.join(site, row[0])) if row else ""
                if file in tree.files:
                    by_path[file] = owner
        except csv.Error:
            continue  # a damaged RECORD names nothing
    return by_path


def _tags(wheel: str) -> tuple[str, ...]:
    lines = wheel.splitlines()[:_MAXIMUM_TAGS]
    return tuple(line.partition(":")[2].strip() for line in lines if line[:4] == "Tag:")
