"""Folders held open, into which files are written whole and through no link.

Tests can write to the project while a run lasts: they may leave a link where the host writes next,
or put one in the place of a folder.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

STAGED = ".new"
"""What ends the name of a file that is not in its place yet; one that was killed leaves it."""
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class OpenFolder:
    """The folder that *path* named when this was created; it is created where it is missing."""

    def __init__(self, path: Path, descriptor: int | None = None) -> None:
        """*descriptor* is of the folder where it is open already.

        Raises:
            OSError: it can neither be opened nor created.
        """
        self.path = path
        if descriptor is None:
            path.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, _FOLDER)
        self._descriptor = descriptor

    @classmethod
    def below(cls, root: Path, folder: Path) -> OpenFolder:
        """The *folder* below *root*, reached through no link below it.

        Raises:
            OSError: a part of the way is a link or no folder.
            ValueError: it is not below *root*.
        """
        opened = cls(root)
        for part in folder.relative_to(root).parts:
            with opened:
                opened = opened._child(part)
        return opened

    def _child(self, name: str) -> OpenFolder:
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, dir_fd=self._descriptor)
        descriptor = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=self._descriptor)
        return OpenFolder(self.path / name, descriptor)

    def __enter__(self) -> OpenFolder:  # noqa: PYI034  (Self needs Python 3.11)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        os.close(self._descriptor)

    def write(self, name: str, content: bytes) -> Path:
        """Put a new file with *content* in the place of *name*, whole or not at all; its path.

        Raises:
            OSError: it cannot be written, or another folder is in the place of this one.
        """
        write_all([(self, name, content)])
        return self.path / name

    def stage(self, name: str, content: bytes, mode: int | None = None) -> str:
        """Write *content* into a new file that ``place`` moves to *name*; its name until then.

        *mode* are its permissions; None for those that the mask gives.
        """
        self._check()
        temporary = f"{name}.{secrets.token_hex(8)}{STAGED}"
        with open(os.open(temporary, _NEW_FILE, 0o666, dir_fd=self._descriptor), "wb") as file:  # noqa: PTH123  (a descriptor)
            try:
                if mode is not None:
                    os.fchmod(file.fileno(), mode)
                file.write(content)
                file.flush()
            except BaseException:
                self.remove(temporary)
                raise
        return temporary

    def place(self, temporary: str, name: str) -> None:
        """Move the staged file to *name*; a link of that name is replaced, not followed."""
        here = self._descriptor
        os.replace(temporary, name, src_dir_fd=here, dst_dir_fd=here)

    def remove(self, name: str) -> None:
        """Remove the file or link *name*, if it exists."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self._descriptor)

    def _check(self) -> None:
        """Raises OSError where *path* does not lead here any more."""
        with contextlib.suppress(OSError):
            if os.path.samestat(os.stat(self.path), os.fstat(self._descriptor)):  # noqa: PTH116  (as above)
                return
        raise OSError(errno.ESTALE, "the folder was moved or replaced during the run")


def write_inside(root: Path, path: Path, content: bytes) -> None:
    """Write *path*, a file of the repository *root* that a user edits, whole or not at all.

    A link counts by where it leads, and the file keeps its permissions.

    Raises:
        OSError: it cannot be written, or a link leads outside of *root*.
    """
    root, place = root.resolve(), path.resolve()
    if not place.is_relative_to(root):
        raise OSError(errno.EPERM, f"a link leads to {place}, outside of {root}")
    mode = place.stat().st_mode & 0o777 if place.exists() else None
    with OpenFolder.below(root, place.parent) as folder:
        folder.place(folder.stage(place.name, content, mode), place.name)


def write_all(files: Iterable[tuple[OpenFolder, str, bytes]]) -> None:
    """Put *files* (folder, name, content) into their places, each whole or not at all.

    All are on the disk before the first is moved: what fails or is killed until then changes
    nothing, and what is killed while they are moved leaves each as it was or as it is to be.

    Raises:
        OSError: one cannot be written.
    """
    staged: list[tuple[OpenFolder, str, str]] = []
    try:
        for folder, name, content in files:
            staged.append((folder, folder.stage(name, content), name))
        while staged:
            folder, temporary, name = staged[0]
            folder.place(temporary, name)
            del staged[0]
    finally:
        for folder, temporary, _ in staged:
            folder.remove(temporary)
