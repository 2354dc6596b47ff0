"""Finds the compiled modules of a project whose packages are imported from its source.

A project with compiled code is built from a copy and installed as a wheel. Where its packages lie
in the folder in which the tests start, Python imports them from there, and an editable installation
would have put their compiled modules beside them. Without those, a package with a fallback in
Python would be tested without its compiled code, and nobody would know.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # each interpreter starts with this module
    from collections.abc import Iterator, Sequence
    from types import ModuleType


class BuiltModules:
    """A finder of compiled submodules by name. It comes first, as a compiled module beside its
    twin in Python does.
    """

    def __init__(self, site: str) -> None:
        self._site = site
        self._files: dict[str, str] | None = None
        """Read when the first submodule is imported."""

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None,  # noqa: ARG002 - the import system's protocol
        target: ModuleType | None = None,  # noqa: ARG002 - the import system's protocol
    ) -> importlib.machinery.ModuleSpec | None:
        """The specification of module *name*; None for what was not built with a project."""
        if "." not in name:
            return None
        if self._files is None:
            self._files = {}  # to read them imports modules
            self._files = dict(built_modules(self._site))
        file = self._files.get(name)
        return None if file is None else importlib.util.spec_from_file_location(name, file)


def find_built_modules(site: str) -> None:
    """Have the compiled modules found of the projects that were built into the folder *site*.

    Called by a ``.pth`` file there, so that it holds for every interpreter that a test starts.
    """
    if not any(isinstance(finder, BuiltModules) for finder in sys.meta_path):
        sys.meta_path.insert(0, BuiltModules(site))


def built_modules(site: str) -> Iterator[tuple[str, str]]:
    """Name and file of each compiled submodule of projects that were built from a folder."""
    for name in os.listdir(site):
        metadata = os.path.join(site, name)
        if name.endswith(".dist-info") and _is_of_folder(metadata):
            yield from _compiled(site, os.path.join(metadata, "RECORD"))


def _is_of_folder(metadata: str) -> bool:
    """Whether what *metadata* is about was built from a folder, and installed as a wheel.

    Source: PyPA specifications, "Recording the Direct URL Origin", ``dir_info``.
    """
    import json

    try:
        with open(os.path.join(metadata, "direct_url.json"), encoding="utf-8") as stream:
            about = json.load(stream).get("dir_info")
    except (OSError, ValueError, AttributeError):
        return False
    return isinstance(about, dict) and not about.get("editable")


def _compiled(site: str, record: str) -> Iterator[tuple[str, str]]:
    import csv

    try:
        with open(record, encoding="utf-8", newline="") as stream:
            rows = [row[0] for row in csv.reader(stream) if row]
    except (OSError, ValueError, csv.Error):
        return
    for row in rows:
        for suffix in importlib.machinery.EXTENSION_SUFFIXES:
            if row.endswith(suffix) and "/" in row:
                yield row[: -len(suffix)].replace("/", "."), os.path.join(site, row)
                break
