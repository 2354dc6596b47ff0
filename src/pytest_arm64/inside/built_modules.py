"""Finds the compiled modules of a project whose packages are imported from its source.

A project with compiled code is built from a copy and installed as a wheel. Where its packages lie
in the folder in which the tests start, Python imports them from there, and an editable installation
would have put their compiled modules beside them. Without those, a package with a fallback in
Python would be tested without its compiled code, and nobody would know.
"""

from __future__ import annotations

import csv
import importlib.machinery
import importlib.util
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import ModuleType

_SITES = ("site-packages", "dist-packages")


class BuiltModules:
    """A finder of compiled submodules by name. It comes first, as a compiled module beside its
    twin in Python does.
    """

    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = files

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None,  # noqa: ARG002 - the import system's protocol
        target: ModuleType | None = None,  # noqa: ARG002 - the import system's protocol
    ) -> importlib.machinery.ModuleSpec | None:
        """The specification of module *name*; None for what was not built with a project."""
        file = self._files.get(name)
        return None if file is None else importlib.util.spec_from_file_location(name, file)


def find_built_modules(paths: Iterable[str]) -> None:
    """Have the compiled modules found of the projects that were built into *paths*."""
    files = dict(built_modules(paths))
    if files and not any(isinstance(finder, BuiltModules) for finder in sys.meta_path):
        sys.meta_path.insert(0, BuiltModules(files))


def built_modules(paths: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Name and file of each compiled submodule of projects that were built from a folder."""
    for site in paths:
        if os.path.basename(site) in _SITES and os.path.isdir(site):
            for name in os.listdir(site):
                metadata = os.path.join(site, name)
                if name.endswith(".dist-info") and _is_of_folder(metadata):
                    yield from _compiled(site, os.path.join(metadata, "RECORD"))


def _is_of_folder(metadata: str) -> bool:
    """Whether what *metadata* is about was built from a folder, and installed as a wheel.

    Source: PyPA specifications, "Recording the Direct URL Origin", ``dir_info``.
    """
    try:
        with open(os.path.join(metadata, "direct_url.json"), encoding="utf-8") as stream:
            about = json.load(stream).get("dir_info")
    except (OSError, ValueError, AttributeError):
        return False
    return isinstance(about, dict) and not about.get("editable")


def _compiled(site: str, record: str) -> Iterator[tuple[str, str]]:
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
