"""Our code for the inside, as files: what a cell gets of this package."""

from __future__ import annotations

import hashlib
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
    # Suites that are named as --pyargs pytest_arm64.conformance, here as on the host.
    for suite in ("conformance", "smoke"):
        files |= _files_of(ours / suite, f"pytest_arm64/{suite}")
    files["pytest_arm64/__init__.py"] = (ours / "__init__.py").read_bytes()
    return files


def check_inside(archive: IO[bytes], files: Mapping[str, bytes]) -> dict[str, str]:
    """Check that *archive*, the folder of our code as a container has it, has *files* alone.

    Beside them, there is only byte-code in ``__pycache__``, which was just made of them.

    Returns:
        the SHA-256 of every file in it, byte-code included, for ``check_unchanged``.

    Raises:
        InstallError: something is missing, changed or there besides.
    """
    present = _hashes(archive)
    expected = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    for name in present.keys() - expected.keys():
        folder, _, last = name.rpartition("/")
        source = f"{folder.removesuffix('/__pycache__')}/{last.partition('.')[0]}.py"
        made = folder.endswith("/__pycache__") and last.endswith(".pyc") and ".opt-" not in last
        if made and present[name] and source in files:
            expected[name] = present[name]
    _compare(present, expected)
    return present


def check_unchanged(archive: IO[bytes], hashes: Mapping[str, str]) -> None:
    """Check that *archive*, the folder of our code as a container has it, is as it was made.

    Raises:
        InstallError: something is missing, changed or there besides.
    """
    _compare(_hashes(archive), hashes)


def _hashes(archive: IO[bytes]) -> dict[str, str]:
    """By name below the folder: the SHA-256 of a file; of anything else that is no folder, none."""
    hashes = {}
    with tarfile.open(fileobj=archive) as opened:
        for member in opened:
            if member.isdir():
                continue
            content = ""
            if member.isreg():
                archive.seek(member.offset_data)
                content = hashlib.sha256(archive.read(member.size)).hexdigest()
            hashes[member.name.partition("/")[2]] = content
    return hashes


def _compare(present: Mapping[str, str], expected: Mapping[str, str]) -> None:
    names = {*present, *expected}
    differing = sorted(name for name in names if present.get(name) != expected.get(name))
    if differing:
        raise InstallError(
            f"the code of pytest-arm64 in the image is not its own: {differing[0][:100]!r}",
            why="an installed package has changed it, and could make every test pass",
            next_step="find the package that changed it, then run with --arm64-refresh",
        )


def _files_of(folder: Traversable, name: str) -> Iterator[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir() and entry.name != "__pycache__":
            yield from _files_of(entry, f"{name}/{entry.name}")
        elif entry.name.endswith((".py", ".c", ".json", ".npz")):
            yield f"{name}/{entry.name}", entry.read_bytes()
