"""Source distributions built where builds belong: in the builder image, each once.

A built wheel is kept by the hash of its sources and its recipe: the image it was built in, its
Python, indexes and variables. Its own hash, the log and the time that it took are beside it.
"""

from __future__ import annotations

import hashlib
import json
import tarfile
import time
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from .. import cache
from ..config.cell import ImageFacts
from ..engine.container import Container
from ..engine.images import Base
from ..errors import InstallError
from ..index.addresses import subdirectory_of
from .failures import Tools, build_failure
from .plan import PlannedPackage
from .tree import Owner, TarEntry, copy_of, tar_of
from .wheel_cache import hash_of

KIND = "built"
FORMAT = 2


@dataclass(frozen=True)
class Built:
    """A wheel that was built here."""

    wheel: Path
    seconds: float
    log: str
    fresh: bool
    """Whether it was built just now."""


@dataclass(frozen=True)
class Source:
    """A source distribution, and how it is called where it fails."""

    package: PlannedPackage
    path: Path

    @property
    def label(self) -> str:
        return f"{self.package.name} {self.package.version}".strip()

    @property
    def subdirectory(self) -> str:
        """The folder of the project within its sources; empty where it is their top."""
        return subdirectory_of(self.package.url)


class BuiltWheels:
    """Wheels that were built in *builder* for its Python, with the indexes and variables of
    *recipe*, a value of JSON."""

    def __init__(self, builder: Base, ran: ImageFacts, recipe: Mapping[str, object]) -> None:
        self._builder = builder
        self._ran = ran
        self._recipe = recipe

    def find(self, source: Source) -> Built | None:
        """What was built of *source* before, in this image; None where it is not as it was."""
        folder = self._folder(source)
        try:
            note = json.loads((folder / "note.json").read_text("utf-8"))
            wheel = folder / str(note["wheel"])
            if wheel.parent != folder or hash_of(wheel) != note["sha256"]:
                return None
            for used in (wheel, folder / "note.json"):
                used.touch()
            return Built(wheel, float(note["seconds"]), str(note["log"]), fresh=False)
        except (OSError, ValueError, LookupError, TypeError, InstallError):
            return None

    def store(self, source: Source, name: str, content: bytes, seconds: float, log: str) -> Built:
        """Keep the wheel *name* that was built of *source*.

        Raises:
            InstallError: it cannot be written.
        """
        folder = self._folder(source)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            part = folder / f"{name}.part"
            part.write_bytes(content)
            part.replace(folder / name)
            sha256 = hashlib.sha256(content).hexdigest()
            note = {"wheel": name, "sha256": sha256, "seconds": seconds, "log": log}
            (folder / "note.json").write_text(json.dumps(note), "utf-8")
        except OSError as error:
            raise InstallError(
                f"the wheel {name} that was built could not be kept: {error}",
                next_step=f"free some space below {cache.cache_folder()}: pytest-arm64 cache prune",
            ) from None
        return Built(folder / name, seconds, log, fresh=True)

    def _folder(self, source: Source) -> Path:
        sha256 = source.package.sha256 or hash_of(source.path)
        python = self._ran.python.version
        key = cache.digest([FORMAT, sha256, self._builder.id, python, dict(self._recipe)])
        return cache.cache_folder() / KIND / key[:2] / key


def lay_source(container: Container, source: Source, folder: str, user: Owner) -> str:
    """Put *source* into *container*, an archive below *folder*, for *user*; its path there."""
    container.put("/", tar_of(_parents(folder, user)))
    if source.path.is_dir():
        container.put("/", copy_of(source.path, uid=user.uid, gid=user.gid))
        return str(source.path)
    file = f"{folder}/{source.path.name}"
    container.put("/", tar_of({file: TarEntry(source.path.read_bytes())}))
    return file


def build(
    container: Container,
    pip: Sequence[str],
    source: Source,
    file: str,
    folder: str,
    variables: Mapping[str, str],
    tools: Tools,
    user: Owner,
) -> tuple[str, bytes, float, str]:
    """Build *source* in *container*: the wheel's name and content, seconds, and log.

    *pip* is the command to run there, ``pip wheel`` with its options; *file* is the source, and
    *folder* one for the wheel.

    Raises:
        BuildError: it cannot be built; the error has its class and remedy, ``log`` everything.
    """
    container.put("/", tar_of(_parents(folder, user)))
    if source.subdirectory:
        file = f"file://{urllib.parse.quote(file)}#subdirectory={urllib.parse.quote(source.subdirectory)}"
    began = time.monotonic()
    command = [*pip, "-w", f"{folder}/out", file]
    finished = container.run(command, environment=variables)
    seconds = round(time.monotonic() - began, 1)
    if finished.code != 0:
        package = source.package
        raise build_failure(package.name, package.version, finished.text, tools, seconds=seconds)
    with container.fetch(f"{folder}/out") as archive:
        wheels = list(_wheels(archive))
    if len(wheels) != 1:
        raise InstallError(
            f"the build of {source.label} made {len(wheels)} wheels",
            why="exactly one is expected of a source distribution",
            next_step="pin another release, or give its wheel by --find-links",
        )
    name, content = wheels[0]
    return name, content, seconds, finished.text


def _parents(folder: str, user: Owner) -> dict[str, TarEntry]:
    entry = TarEntry(mode=0o755, uid=user.uid, gid=user.gid)
    return {folder: entry, f"{folder}/out": entry}


def _wheels(archive: IO[bytes]) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(fileobj=archive) as opened:
        for member in opened:
            stream = opened.extractfile(member) if member.name.endswith(".whl") else None
            if stream is not None:
                yield member.name.rpartition("/")[2], stream.read()
