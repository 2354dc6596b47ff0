"""What sessions inside leave below ``$PYTEST_ARM64_OUT``, brought to the host as plain files."""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path, PurePosixPath
from typing import IO

from ..errors import ProtocolError

VARIABLE = "PYTEST_ARM64_OUT"
MAXIMUM = 2**30
"""Most bytes that are taken."""
MOST_FILES = 100_000
MOST_FOLDERS = 64
"""Most entries, folders and links included, that are read."""


def unpack(stream: IO[bytes], folder: Path) -> None:
    """Write the regular files of a tar, whose first component is dropped, below *folder*.

    It was made by tests: links and devices are left out.

    Raises:
        ProtocolError: it is no tar, too large, or a name in it leads out of the folder.
    """
    total = 0
    try:
        with tarfile.open(fileobj=stream) as archive:
            for number, member in enumerate(archive):
                if number >= MOST_FILES:
                    raise ProtocolError(f"results have more than {MOST_FILES:,} files")
                parts = PurePosixPath(member.name).parts[1:]
                if not member.isreg() or not parts:
                    continue
                if len(parts) > MOST_FOLDERS:  # Python's own functions for folders recurse
                    raise ProtocolError(f"results are more than {MOST_FOLDERS} folders deep")
                total += member.size
                if total > MAXIMUM:
                    raise ProtocolError(f"results are larger than {MAXIMUM >> 20} MiB")
                source = archive.extractfile(member)
                target = folder.joinpath(*parts)
                if ".." in parts or source is None:
                    raise ProtocolError(f"results hold a name that leads elsewhere: {parts!r}")
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("wb") as sink:
                    shutil.copyfileobj(source, sink)
    except (tarfile.TarError, OSError, ValueError) as error:
        raise ProtocolError(f"results cannot be read: {error}") from error
