"""Source distributions built where builds belong: in the builder image, each once.

A built wheel is cached by the hash of its sources and its recipe: the image it was built in, its
Python, what was laid beside the sources, and variables. Its own hash, the log and the time that it
took are beside it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
import tempfile
import time
import urllib.parse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from .. import cache
from ..config.cell import ImageFacts
from ..engine.container import Container
from ..engine.images import Base
from ..errors import InstallError
from ..index.addresses import subdirectory_of
from ..index.pip_config import PipConfig
from .build_environment import BuildEnvironment
from .failures import Tools, build_failure
from .local_files import copy_of_files
from .pip_container import pip_name
from .planned_scope import PlannedPackage
from .prepared_build import Prepared
from .tree import Owner, TarEntry, copy_of, tar_of
from .wheel_cache import hash_of

KIND = "built"
FORMAT = 3
MOST_BYTES = 4 * 2**30
"""Of a wheel that is built."""
_NOTE = "note"
_CHUNK = 2**20


@dataclass(frozen=True)
class Built:
    """A wheel that was built here."""

    wheel: Path
    seconds: float
    log: str
    fresh: bool
    """Whether it was built just now."""
    asked: tuple[str, ...] = ()
    """What its back end asked for beyond what its project writes down."""
    requirements: list[list[str]] | None = None
    """Name, version and hash of everything that it was built with; None where pip fetched that."""
    cross: str = ""
    """The cross compiler that compiled it, ``gcc 12.2.0``; empty where the builder's own did."""


@dataclass(frozen=True)
class WheelFile:
    """A wheel that a build has made."""

    name: str
    content: IO[bytes]
    """In a temporary file, at its start."""
    seconds: float
    log: str


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


def recipe_of(
    source: Source,
    variables: Mapping[str, str],
    environment: BuildEnvironment | None,
    config: PipConfig | None,
) -> dict[str, object]:
    """Everything besides sources, image and Python that decides what a build gives.

    *environment* is None where pip fetches what the build needs, and *config* where it cannot:
    where builds have no network.
    """
    return {
        "installer": pip_name(),
        "variables": dict(variables),
        "folder": source.subdirectory,
        "requirements": environment.identity if environment is not None else None,
        "network": config.fingerprint() if config is not None else None,
    }


class BuiltWheels:
    """Wheels that were built in *builder* for its Python, by *recipe*, a value of JSON.

    *compiler* is the builder's cross compiler; empty where it has none.
    """

    def __init__(
        self, builder: Base, ran: ImageFacts, recipe: Mapping[str, object], compiler: str = ""
    ) -> None:
        self.compiler = compiler
        self._builder = builder
        self._ran = ran
        self._recipe = recipe

    def find(self, source: Source) -> Built | None:
        """What was built of *source* by this recipe before; None where it is not as it was."""
        key = self._key(source)
        note = cache.load(_kind_of(key), _NOTE)
        if note is None or note.get("key") != key:
            return None
        try:
            wheel = cache.cache_folder() / _kind_of(key) / str(note["wheel"])
            if wheel.name != note["wheel"] or hash_of(wheel) != note["sha256"]:
                return None
            for used in (wheel, wheel.with_name(f"{_NOTE}.json")):
                used.touch()  # what was used last is pruned last
            return Built(
                wheel,
                float(note["seconds"]),
                str(note["log"]),
                fresh=False,
                asked=tuple(map(str, note["asked"])),
                requirements=note["requirements"],
                cross=self.compiler,
            )
        except (OSError, ValueError, LookupError, TypeError, InstallError):
            return None

    def store(self, source: Source, made: Prepared[WheelFile]) -> Built:
        """Keep the wheel that was *made* of *source*.

        Raises:
            InstallError: it cannot be written.
        """
        wheel, environment = made.result, made.environment
        key = self._key(source)
        path = cache.cache_folder() / _kind_of(key) / wheel.name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            sha256 = _copy(wheel.content, path)
        except OSError as error:
            raise InstallError(
                f"the wheel {wheel.name} that was built could not be cached: {error}",
                next_step=f"free some space below {cache.cache_folder()}: pytest-arm64 cache prune",
            ) from None
        requirements = environment.identity if environment is not None else None
        note = {
            "key": key,
            "recipe": dict(self._recipe),
            "wheel": wheel.name,
            "sha256": sha256,
            "seconds": wheel.seconds,
            "log": wheel.log,
            "asked": list(made.asked),
            "requirements": requirements,
        }
        cache.store(_kind_of(key), _NOTE, note)
        return Built(path, wheel.seconds, wheel.log, True, made.asked, requirements, self.compiler)

    def _key(self, source: Source) -> str:
        sha256 = source.package.sha256 or hash_of(source.path)
        python = self._ran.python.version
        return cache.digest([FORMAT, sha256, self._builder.id, python, dict(self._recipe)])


def _kind_of(key: str) -> str:
    return f"{KIND}/{key[:2]}/{key}"


def _copy(source: IO[bytes], path: Path) -> str:
    """Copy *source* to *path*, which is whole or absent; its SHA-256."""
    digest = hashlib.sha256()
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as target:
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
                target.write(chunk)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return digest.hexdigest()


def lay_source(container: Container, source: Source, folder: str, user: Owner) -> str:
    """Put *source* into *container*, an archive below *folder*, for *user*; its path there."""
    container.put("/", tar_of(_parents(folder, user)))
    if source.path.is_dir():
        container.put("/", copy_of(source.path, uid=user.uid, gid=user.gid))
        return str(source.path)
    file = f"{folder}/{source.path.name}"
    container.put("/", copy_of_files({file: source.path}))
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
) -> WheelFile:
    """Build *source* in *container*.

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
    with container.fetch(f"{folder}/out", MOST_BYTES) as archive:
        name, content = _only_wheel(archive, source)
    return WheelFile(name, content, seconds, finished.text)


def _parents(folder: str, user: Owner) -> dict[str, TarEntry]:
    entry = TarEntry(mode=0o755, uid=user.uid, gid=user.gid)
    return {folder: entry, f"{folder}/out": entry}


def _only_wheel(archive: IO[bytes], source: Source) -> tuple[str, IO[bytes]]:
    """Name and content of the one wheel in *archive*, a folder that a build has written to."""
    with tarfile.open(fileobj=archive) as opened:
        # A link would lead to what the build chooses.
        wheels = [m for m in opened if m.isreg() and m.name.endswith(".whl")]
        if len(wheels) != 1:
            raise InstallError(
                f"the build of {source.label} made {len(wheels)} wheels",
                why="exactly one is expected of a source distribution",
                next_step="pin another release, or give its wheel by --find-links",
            )
        stream = opened.extractfile(wheels[0])
        assert stream is not None
        content: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  (handed to the caller)
        shutil.copyfileobj(stream, content)
        content.seek(0)
        return wheels[0].name.rpartition("/")[2], content
