"""A wheel unpacked into a tar stream: once for each wheel and place, then only copied.

The layout, launchers and ``RECORD`` are those of pip, so that the result does not tell which of
both installed it.
"""

from __future__ import annotations

import csv
import email.parser
import errno
import io
import json
import os
import posixpath
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO, TypedDict, cast

from installer import install
from installer.destinations import WheelDestination
from installer.exceptions import InstallerError
from installer.records import Hash, RecordEntry
from installer.utils import Scheme, copyfileobj_with_hashing, fix_shebang

if TYPE_CHECKING:
    from installer.scripts import ScriptSection

from .. import cache
from ..config.cell import Python
from ..errors import InstallError
from .bytecode import Compiler
from .tree import PYTHON
from .wheel_cache import hash_of
from .wheel_source import BROKEN_WHEEL, CheckedWheel, HostileWheelError

KIND = "layers"
FORMAT = 4
INSTALLER = b"pytest-arm64\n"
_OWN_FILES = (".dist-info/INSTALLER", ".dist-info/RECORD")
# Byte-code names the time of its source; any fixed one will do.
MTIME = 315532800
# Errors that say nothing about the wheel: where it is unpacked to is full or cannot be written.
_OF_THE_DISK = frozenset([errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG])
_LAUNCHER = """\
#!{python}
import sys
from {module} import {name}
if __name__ == '__main__':
    sys.argv[0] = sys.argv[0].removesuffix('.exe')
    sys.exit({call}())
"""


@dataclass(frozen=True)
class Layer:
    """A tar without its end, to be written one after another."""

    path: Path
    name: str
    """As the package's metadata spell it."""
    names: frozenset[str]
    """Paths of its files."""
    lies: tuple[str, ...]
    """What ``RECORD`` says and is not so."""
    compiled: bool
    """Whether its byte-code is in it."""
    size: int
    """Bytes of the unpacked files."""
    fetched: int
    """Bytes of the wheel."""
    sha256: str
    """Of the tar."""

    def is_intact(self) -> bool:
        """Whether the tar is what it was when it was made; else it is used no more."""
        with suppress(OSError, InstallError):
            if hash_of(self.path) == self.sha256:
                return True
        with suppress(OSError):
            _note(self.path).unlink(missing_ok=True)
        return False


class _Note(TypedDict):
    """What is known of a layer, beside it."""

    name: str
    names: list[str]
    lies: list[str]
    compiled: bool
    size: int
    fetched: int
    bytes: int
    """Of the layer itself."""
    sha256: str
    """Of the layer itself."""


def cached_layer(
    file: str, sha256: str, prefix: str, python: Python, compiler: Compiler
) -> Layer | None:
    """The layer of the wheel called *file* with *sha256*, where it is cached; to be checked."""
    return _kept(_place(file, sha256, prefix, python, compiler))


def _place(file: str, sha256: str, prefix: str, python: Python, compiler: Compiler) -> Path:
    key = cache.digest(
        [FORMAT, sha256, file, prefix, python.purelib, python.minor, compiler.identity]
    )
    return cache.cache_folder() / KIND / key[:2] / f"{key}.tar"


def layer_of(wheel: Path, sha256: str, prefix: str, python: Python, compiler: Compiler) -> Layer:
    """The layer of *wheel* for the scheme below *prefix*; made where it is not kept.

    Raises:
        InstallError: the wheel is broken, or hostile.
    """
    path = _place(wheel.name, sha256 or hash_of(wheel), prefix, python, compiler)
    cached = _kept(path)
    if cached is not None and cached.is_intact():
        return cached
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    except OSError as error:
        raise InstallError(f"{wheel.name} could not be unpacked: {error}") from None
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w+b") as target:
            made = _write(wheel, temporary, target, prefix, python, compiler)
        temporary.replace(path)
        _note(path).write_text(json.dumps(made), "utf-8")
    except OSError as error:
        raise InstallError(
            f"{wheel.name} could not be unpacked: {error}",
            next_step=f"free some space below {cache.cache_folder()}: pytest-arm64 cache prune",
        ) from None
    finally:
        temporary.unlink(missing_ok=True)
    return _layer(path, made)


def _note(path: Path) -> Path:
    return path.with_suffix(".json")


def _kept(path: Path) -> Layer | None:
    """The layer at *path*, which may not be intact."""
    try:
        note = json.loads(_note(path).read_text("utf-8"))
        if path.stat().st_size != note["bytes"]:
            return None
        for used in (path, _note(path)):
            os.utime(used)  # what was used last is pruned last
        return _layer(path, note)
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _layer(path: Path, note: _Note) -> Layer:
    return Layer(
        path,
        str(note["name"]),
        frozenset(map(str, note["names"])),
        tuple(map(str, note["lies"])),
        bool(note["compiled"]),
        int(note["size"]),
        int(note["fetched"]),
        str(note["sha256"]),
    )


def _write(
    wheel: Path, place: Path, target: BinaryIO, prefix: str, python: Python, compiler: Compiler
) -> _Note:
    destination = _Destination(target, prefix, python)
    try:
        with zipfile.ZipFile(wheel) as archive:
            source = CheckedWheel(wheel, archive)
            destination.distribution = source.distribution
            install(source, destination, {"INSTALLER": INSTALLER})
            name = _name(source.read_dist_info("METADATA")) or source.distribution
    except HostileWheelError:
        raise
    except (*BROKEN_WHEEL, InstallerError) as error:
        if isinstance(error, OSError) and error.errno in _OF_THE_DISK:
            raise
        raise InstallError(
            f"the wheel {wheel.name} cannot be unpacked: {str(error) or type(error).__name__}",
            next_step="look at where it comes from; pin another release",
        ) from None
    end = destination.end()
    target.truncate(end)
    target.flush()
    target.seek(end)
    compiled = compiler.append(place, target)
    target.flush()
    return {
        "name": name,
        "names": sorted(destination.names),
        "lies": source.lies[:50],
        "compiled": compiled,
        "size": destination.size,
        "fetched": wheel.stat().st_size,
        "bytes": target.tell(),
        "sha256": hash_of(place),
    }


def _name(metadata: str) -> str:
    return str(email.parser.HeaderParser().parsestr(metadata).get("Name", ""))


class _Destination(WheelDestination):
    """Writes a wheel's files as members of a tar."""

    def __init__(self, target: BinaryIO, prefix: str, python: Python) -> None:
        self._archive = tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT)  # noqa: SIM115  (no end)
        self._site = f"{prefix}/{python.purelib}"
        self._folders: set[str] = set()
        self._prefix = prefix
        self._minor = python.minor
        self.distribution = ""
        self.names: set[str] = set()
        self.size = 0
        self._launchers: dict[str, RecordEntry] = {}

    def end(self) -> int:
        """Where the tar's end would be written."""
        return self._archive.offset

    def write_script(
        self,
        name: str,
        module: str,
        attr: str,
        section: ScriptSection,  # noqa: ARG002  (of the base class)
    ) -> RecordEntry:
        if posixpath.basename(name) != name or not name or name in (".", ".."):
            raise InstallerError(f"an entry point is called {name!r}")
        text = _LAUNCHER.format(
            python=PYTHON, module=module, name=attr.partition(".")[0], call=attr
        )
        place = f"{self._prefix}/bin/{name}"
        with io.BytesIO(text.encode()) as stream:
            self._launchers[place] = self._add(place, name, stream, runs=True)
        return self._launchers[place]

    def write_file(
        self, scheme: Scheme, path: str | os.PathLike[str], stream: BinaryIO, is_executable: bool
    ) -> RecordEntry:
        name = os.fspath(path)
        if scheme != "scripts":
            return self._add(f"{self._base(scheme)}/{name}", name, stream, runs=is_executable)
        place = f"{self._prefix}/bin/{name}"
        with io.BytesIO(stream.read()) as script, fix_shebang(script, PYTHON) as fixed:
            # As with pip, the launcher of an entry point wins over a script of its name.
            launcher = self._launchers.get(place)
            return launcher or self._add(place, name, fixed, runs=True)

    def finalize_installation(
        self,
        scheme: Scheme,  # noqa: ARG002  (of the base class)
        record_file_path: str,
        records: Iterable[tuple[Scheme, RecordEntry]],
    ) -> None:
        rows = []
        for kind, entry in records:
            path = entry.path
            if kind not in ("purelib", "platlib"):
                path = posixpath.relpath(f"{self._base(kind)}/{path}", self._site)
            rows.append((path, *entry.to_row()[1:]))
        with io.StringIO(newline="") as text:
            csv.writer(text, lineterminator="\n").writerows(sorted(set(rows)))
            content = text.getvalue().encode()
        with io.BytesIO(content) as stream:
            self._add(f"{self._site}/{record_file_path}", record_file_path, stream, runs=False)

    def _base(self, scheme: str) -> str:
        return {
            "purelib": self._site,
            "platlib": self._site,
            "headers": f"{self._prefix}/include/site/python{self._minor}/{self.distribution}",
            "scripts": f"{self._prefix}/bin",
            "data": self._prefix,
        }[scheme]

    def _add(self, place: str, path: str, stream: BinaryIO, *, runs: bool) -> RecordEntry:
        if place in self._folders or (place in self.names and not place.endswith(_OWN_FILES)):
            raise InstallerError(f"two of its files belong at {path}")
        # A tar member's header, with its size, goes before its content.
        with tempfile.SpooledTemporaryFile(8 * 2**20) as content:
            digest, size = copyfileobj_with_hashing(stream, cast("BinaryIO", content), "sha256")
            content.seek(0)
            self._parents(place, path)
            info = tarfile.TarInfo(place.lstrip("/"))
            info.size, info.mtime, info.mode = size, MTIME, 0o755 if runs else 0o644
            self._archive.addfile(info, content)
        self.names.add(place)
        self.size += size
        return RecordEntry(path, Hash("sha256", digest), size)

    def _parents(self, place: str, path: str) -> None:
        folder = posixpath.dirname(place)
        missing = []
        while folder not in self._folders and folder.startswith(f"{self._prefix}/"):
            if folder in self.names:
                raise InstallerError(f"{path} lies in a folder that is a file as well")
            missing.append(folder)
            folder = posixpath.dirname(folder)
        for name in reversed(missing):
            info = tarfile.TarInfo(name.lstrip("/"))
            info.type, info.mode, info.mtime = tarfile.DIRTYPE, 0o755, MTIME
            self._archive.addfile(info)
            self._folders.add(name)


def write_together(
    target: IO[bytes], layers: Iterable[Layer], more: IO[bytes] | None, last: bytes
) -> list[str]:
    """One tar of *layers* in their order, of *more*, a tar without its end, and of *last*, a
    whole tar; paths that two layers share.

    What comes later wins.
    """
    seen: set[str] = set()
    shared: set[str] = set()
    for layer in layers:
        shared |= seen & layer.names
        seen |= layer.names
        with layer.path.open("rb") as stream:
            shutil.copyfileobj(stream, target, 2**20)
    if more is not None:
        more.seek(0)
        shutil.copyfileobj(more, target, 2**20)
    target.write(last)
    return sorted(shared)
