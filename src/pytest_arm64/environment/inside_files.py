"""Our code for the inside, as files: what a cell gets of this package."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.abc import Traversable

PACKAGE = "pytest_arm64_inside"
"""Name under which ``inside/`` is importable in a cell."""


def inside_files() -> dict[str, bytes]:
    """Our code for the inside, by path below the folder that is put on its ``sys.path``.

    ``inside/`` becomes a package of its own name, so that a suite that deploys this package
    gets its own, not ours.
    """
    ours = resources.files("pytest_arm64")
    files = dict(_files_of(ours / "inside", PACKAGE))
    files |= _files_of(ours / "conformance", "pytest_arm64/conformance")
    # A suite that is named as --pyargs pytest_arm64.conformance, here as on the host.
    files["pytest_arm64/__init__.py"] = (ours / "__init__.py").read_bytes()
    return files


def _files_of(folder: Traversable, name: str) -> Iterator[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir() and entry.name != "__pycache__":
            yield from _files_of(entry, f"{name}/{entry.name}")
        elif entry.name.endswith((".py", ".c", ".json", ".npz")):
            yield f"{name}/{entry.name}", entry.read_bytes()
