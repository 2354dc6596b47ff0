"""Our code for the inside, as files: what a cell gets of this package."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import IO, TYPE_CHECKING

from ..errors import InstallError

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


def check_inside(archive: IO[bytes], files: Mapping[str, bytes]) -> None:
    """Check that *archive*, the folder of our code as a container has it, has *files* alone.

    Beside them, there is only byte-code in ``__pycache__``, which was just made of them.

    Raises:
        InstallError: something is missing, changed or there besides.
    """
    present: dict[str, bytes] = {}
    with tarfile.open(fileobj=archive) as opened:
        for member in opened:
            name = member.name.partition("/")[2]
            folder, _, last = name.rpartition("/")
            source = f"{folder.removesuffix('/__pycache__')}/{last.partition('.')[0]}.py"
            made = folder.endswith("/__pycache__") and last.endswith(".pyc") and ".opt-" not in last
            if member.isdir() or (member.isreg() and made and source in files):
                continue
            stream = opened.extractfile(member) if member.isreg() else None
            present[name] = stream.read() if stream is not None else b""
    differing = sorted(name for name in {*present, *files} if present.get(name) != files.get(name))
    if differing:
        raise InstallError(
            f"the code of pytest-arm64 in the image is not its own: {differing[0][:100]!r}",
            why="what is installed there has changed it, and could make every test pass",
            next_step="look at what brings it; to build the environment again: --arm64-refresh",
        )


def _files_of(folder: Traversable, name: str) -> Iterator[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir() and entry.name != "__pycache__":
            yield from _files_of(entry, f"{name}/{entry.name}")
        elif entry.name.endswith((".py", ".c", ".json", ".npz")):
            yield f"{name}/{entry.name}", entry.read_bytes()
