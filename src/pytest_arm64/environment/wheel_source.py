"""A wheel as its contents, read with suspicion: whatever could reach outside is refused."""

from __future__ import annotations

import base64
import configparser
import csv
import hashlib
import io
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from installer.sources import WheelContentElement, WheelSource
from packaging.utils import canonicalize_name

from ..errors import InstallError
from ..index.archives import BROKEN
from ..inside.zip_member import open_member, read_member

MAXIMUM_MEMBERS = 200_000
MAXIMUM_TOTAL = 16 * 2**30
_MAXIMUM_RATIO = 200
_HARMLESS = 256 * 2**20
_MAXIMUM_TEXT = 16 * 2**20
_HASHES = ("sha256", "sha384", "sha512")


class HostileWheelError(InstallError):
    """A wheel that must not be unpacked, and why."""

    def __init__(self, file: str, reason: str) -> None:
        super().__init__(
            f"the wheel {file} is refused: {reason}",
            why="unpacking it could overwrite files outside the environment or fill the disk",
            next_step="look at where it comes from; pin another release",
        )


class CheckedWheel(WheelSource):
    """The wheel at *path*, for pypa's ``installer``.

    ``lies`` fills while the contents are read: each is a file of which ``RECORD`` says something
    that is not so. pip takes such a wheel without a word.
    """

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self._file = path.name
        self._archive = archive
        self._members = _checked(path, archive)
        folder = self._dist_info()
        distribution, _, version = folder.removesuffix(".dist-info").rpartition("-")
        super().__init__(distribution, version)
        if self.data_dir in self._members:
            reason = f"{self.data_dir} is a file in the place of a folder"
            raise HostileWheelError(self._file, reason)
        self.lies: list[str] = []

    @property
    def dist_info_filenames(self) -> list[str]:
        prefix = f"{self.dist_info_dir}/"
        return [name.removeprefix(prefix) for name in self._members if name.startswith(prefix)]

    def read_dist_info(self, filename: str) -> str:
        name = f"{self.dist_info_dir}/{filename}"
        if name not in self._members:
            raise HostileWheelError(self._file, f"it has no {name}")
        info = self._members[name]
        if info.file_size > _MAXIMUM_TEXT:
            raise HostileWheelError(self._file, f"{name} is too large to be what it should be")
        return read_member(self._archive, info).decode("utf-8", "replace")

    def get_contents(self) -> Iterator[WheelContentElement]:
        record = self._record()
        own = f"{self.dist_info_dir}/RECORD"
        for name, info in self._members.items():
            if "__pycache__" in name.split("/"):
                continue  # byte-code is made here, from the source
            stated = record.pop(name, None)
            if stated is None and not name.startswith(own):
                self.lies.append(f"{name} is not in RECORD")
            with open_member(self._archive, info) as stream:
                listening = _Listening(
                    cast("BinaryIO", stream), info.file_size, (stated or ("", ""))[0]
                )
                mode = info.external_attr >> 16
                runs = stat.S_ISREG(mode) and bool(mode & 0o111)
                yield (name, "", ""), cast("BinaryIO", listening), runs
            if stated is not None and not name.startswith(own) and not listening.matches(stated):
                self.lies.append(f"{name} is not what RECORD says")
        self.lies += [f"{name} is in RECORD and not in the wheel" for name in sorted(record)]

    def _record(self) -> dict[str, tuple[str, str]]:
        """Hash and size by name."""
        try:
            rows = list(csv.reader(io.StringIO(self.read_dist_info("RECORD"))))
        except csv.Error:
            self.lies.append("RECORD cannot be read")
            return {}
        return {row[0]: (row[1], row[2]) for row in rows if len(row) >= 3}

    def _dist_info(self) -> str:
        wanted = canonicalize_name(self._file.partition("-")[0])
        tops = {name.partition("/")[0] for name in self._members}
        folders = [
            top
            for top in sorted(tops)
            if top.endswith(".dist-info") and canonicalize_name(top.partition("-")[0]) == wanted
        ]
        if len(folders) != 1:
            raise HostileWheelError(self._file, f"it has {len(folders)} folders of metadata")
        return folders[0]


class _Listening:
    """A stream of *most* bytes that hashes what is read from it."""

    def __init__(self, stream: BinaryIO, most: int, stated: str) -> None:
        self._stream = stream
        self._most = most
        name = stated.partition("=")[0]
        self._hash = hashlib.new(name) if name in _HASHES else None
        self._size = 0

    def read(self, size: int = -1, /) -> bytes:
        data = self._stream.read(size if size >= 0 else self._most + 1)
        if self._hash is not None:
            self._hash.update(data)
        self._size += len(data)
        return data

    def matches(self, stated: tuple[str, str]) -> bool:
        digest, size = stated
        if size and size != str(self._size):
            return False
        if self._hash is None:
            return not digest
        value = base64.urlsafe_b64encode(self._hash.digest()).decode().rstrip("=")
        return digest.partition("=")[2] == value


def _checked(path: Path, archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Files by name.

    Raises:
        HostileWheelError: a name leads outside, is there twice, is a link; or there is too much.
    """
    infos = archive.infolist()
    if len(infos) > MAXIMUM_MEMBERS:
        raise HostileWheelError(path.name, f"it has {len(infos)} members")
    total = sum(info.file_size for info in infos)
    packed = path.stat().st_size
    if total > MAXIMUM_TOTAL or (total > _HARMLESS and total > _MAXIMUM_RATIO * packed):
        raise HostileWheelError(
            path.name, f"{packed >> 10} KiB of it unpack to {total >> 20} MiB: a zip bomb"
        )
    by_name: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        name = info.filename
        if _leads_outside(name):
            raise HostileWheelError(path.name, f"{name[:100]!r} leads outside")
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise HostileWheelError(path.name, f"{name[:100]!r} is a link or a device")
        if info.is_dir():
            continue
        if name.count("/") == 1 and name.partition("/")[0].endswith(".data"):
            raise HostileWheelError(path.name, f"{name[:100]!r} is in no folder of a scheme")
        if name in by_name:
            raise HostileWheelError(path.name, f"{name[:100]!r} is in it twice")
        by_name[name] = info
    return by_name


def _leads_outside(name: str) -> bool:
    parts = name.removesuffix("/").split("/")
    return any(part in ("", ".", "..") for part in parts) or "\\" in name or "\0" in name


BROKEN_WHEEL = (*BROKEN, AssertionError, configparser.Error)
"""What reading a broken wheel raises, in the zip module and in ``installer``."""
