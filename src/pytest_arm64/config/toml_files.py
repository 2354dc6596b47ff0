"""The TOML files of one run: each is read from the disk once, and parsed once."""

from __future__ import annotations

import hashlib
import stat
import threading
from pathlib import Path
from typing import NamedTuple

from ..errors import SettingsError
from ._toml import Table, TOMLDecodeError, loads
from .boundary import check_inside

MAXIMUM_BYTES = 256 * 2**20


class TomlFile(NamedTuple):
    """One file as it was when the run began."""

    text: str
    data: Table

    @property
    def digest(self) -> str:
        """SHA-256 of its text."""
        return hashlib.sha256(self.text.encode()).hexdigest()


class TomlFiles:
    """Hand one of these down for a whole run: then all readers see the same content.

    Threads may share it.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._files: dict[Path, TomlFile | SettingsError | None] = {}

    def find(self, path: Path) -> TomlFile | None:
        """The file at *path*; None where there is no file.

        Raises:
            SettingsError: it cannot be read, is not TOML, or is a link out of its repository.
        """
        with self._lock:
            if path not in self._files:
                self._files[path] = _read(path)
            file = self._files[path]
        if isinstance(file, SettingsError):
            raise file
        return file

    def stand_in(self, path: Path, other: Path) -> None:
        """Have the content of *other* read wherever *path* is asked for, as if it were there."""
        with self._lock:
            self._files[path] = _read(other)

    def data(self, path: Path) -> Table:
        """The tables of the file at *path*; empty where there is no file.

        Raises:
            SettingsError: it cannot be read, or is not TOML.
        """
        file = self.find(path)
        return file.data if file is not None else {}

    def read(self, path: Path) -> TomlFile:
        """The file at *path*.

        Raises:
            SettingsError: it is missing, cannot be read, or is not TOML.
        """
        file = self.find(path)
        if file is None:
            raise SettingsError(f"{path} cannot be read: No such file or directory")
        return file


def read_text(path: Path) -> str:
    """The text of *path*.

    Raises:
        SettingsError: it cannot be read, is not a regular file, or is absurdly large.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # a named pipe would block for ever
            raise SettingsError(f"{path} cannot be read: it is not a regular file")
        if status.st_size > MAXIMUM_BYTES:
            raise SettingsError(f"{path} is larger than {MAXIMUM_BYTES >> 20} MiB")
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SettingsError(f"{path} cannot be read: {reason}") from None


def _read(path: Path) -> TomlFile | SettingsError | None:
    try:
        if not path.exists():
            return None
        check_inside(path, path, path.parent, str(path))
        text = read_text(path)
        return TomlFile(text, loads(text))
    except OSError as error:
        return SettingsError(f"{path} cannot be read: {error.strerror}")
    except (TOMLDecodeError, RecursionError) as error:
        return SettingsError(f"{path} is not TOML: {error}", next_step="correct the file there")
    except SettingsError as error:
        return error
