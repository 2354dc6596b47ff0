"""The files of a zip file or a folder that is deployed, as a tar of where they will lie."""

from __future__ import annotations

import hashlib
import os
import stat
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from ..config.artifact import ZIP, Artifact
from ..config.targets import Target
from ..errors import ArtifactError
from ..inside.zip_member import open_member
from ..walking import paths_below
from .tree import HOME
from .wheel_source import BROKEN_WHEEL

MAXIMUM_SIZE = 4 * 2**30
MAXIMUM_MEMBERS = 400_000
_MAXIMUM_LINK = 4096
_TASK = "/var/task"
_OF_LAYERS = frozenset(["python", "lib", "bin", "extensions"])


@dataclass(frozen=True)
class _Member:
    name: str
    mode: int
    size: int
    open: Callable[[], IO[bytes]]
    link: str = ""


@dataclass(frozen=True)
class Laid:
    """An artifact as it lies in the container."""

    root: str
    files: IO[bytes]
    """A tar without its end."""
    size: int
    """Bytes of its files."""


def fingerprint(artifact: Artifact) -> str:
    """A digest of every file of *artifact*, a zip file or a folder.

    Raises:
        ArtifactError: it cannot be read.
    """
    digest = hashlib.sha256()
    with _members(artifact) as members:
        for member in members:
            header = f"{member.name}\0{member.mode}\0{member.size}\0{member.link}\0"
            digest.update(header.encode("utf-8", "surrogateescape"))
            with member.open() as stream:
                while chunk := stream.read(2**20):
                    digest.update(chunk)
    return digest.hexdigest()


def lay(artifact: Artifact, target: Target) -> Laid:
    """*artifact* where *target* has it.

    Lambda unpacks a function to ``/var/task`` and a layer, whose packages are in ``python/``, to
    ``/opt``. What the artifact says of owners is left out, and everybody may read its files.

    Raises:
        ArtifactError: it cannot be read, is too large, or a name in it leads outside.
    """
    files: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  (handed to the caller)
    try:
        with _members(artifact) as members:
            root = _root(members, target)
            size = sum(member.size for member in members)
            archive = tarfile.open(fileobj=files, mode="w", format=tarfile.PAX_FORMAT)  # noqa: SIM115  (no end)
            for folder in _folders(members, root):
                info = tarfile.TarInfo(folder.lstrip("/"))
                info.type, info.mode = tarfile.DIRTYPE, 0o755
                archive.addfile(info)
            for member in members:
                _add(archive, member, root)
            files.seek(archive.offset)
            files.truncate()
    except BaseException:
        files.close()
        raise
    return Laid(root, files, size)


def _add(archive: tarfile.TarFile, member: _Member, root: str) -> None:
    info = tarfile.TarInfo(f"{root}/{member.name}".lstrip("/"))
    if member.link:
        info.type, info.linkname = tarfile.SYMTYPE, member.link
        archive.addfile(info)
        return
    info.size = member.size
    info.mode = 0o755 if member.mode & 0o111 else 0o644
    with member.open() as stream:
        archive.addfile(info, stream)


def _root(members: Sequence[_Member], target: Target) -> str:
    if _TASK not in target.library_path:
        return f"{HOME}/artifact"
    tops = {member.name.partition("/")[0] for member in members}
    return "/opt" if "python" in tops and tops <= _OF_LAYERS else _TASK


def _folders(members: Sequence[_Member], root: str) -> list[str]:
    """Every folder that a file lies in, each before what is in it."""
    folders = {root}
    for member in members:
        parts = member.name.split("/")[:-1]
        folders |= {"/".join([root, *parts[: count + 1]]) for count in range(len(parts))}
    return sorted(folders)


@contextmanager
def _members(artifact: Artifact) -> Iterator[Sequence[_Member]]:
    """Files and links of *artifact*, in the order of their names."""
    try:
        if artifact.kind == ZIP:
            with zipfile.ZipFile(artifact.path) as archive:
                yield _checked(artifact, _of_zip(archive))
        else:
            yield _checked(artifact, _of_folder(artifact.path))
    except BROKEN_WHEEL as error:
        raise ArtifactError(f"{artifact.shown} cannot be read: {error}") from None


def _checked(artifact: Artifact, members: Iterator[_Member]) -> Sequence[_Member]:
    by_name: dict[str, _Member] = {}
    total = 0
    for member in members:
        parts = member.name.split("/")
        if any(part in ("", ".", "..") for part in parts) or "\0" in member.name:
            raise ArtifactError(f"{artifact.shown}: {member.name[:100]!r} leads outside")
        by_name[member.name] = member
        total += member.size
        if len(by_name) > MAXIMUM_MEMBERS or total > MAXIMUM_SIZE:
            raise ArtifactError(f"{artifact.shown} unpacks to more than can be looked at")
    return [by_name[name] for name in sorted(by_name)]


def _of_zip(archive: zipfile.ZipFile) -> Iterator[_Member]:
    for info in archive.infolist():
        mode = info.external_attr >> 16
        if not info.filename or info.filename.endswith("/"):  # is_dir() fails without a name
            continue
        link = ""
        if stat.S_ISLNK(mode):
            with open_member(archive, info) as stream:
                link = os.fsdecode(stream.read(_MAXIMUM_LINK))
        yield _Member(
            info.filename, mode, info.file_size, partial(open_member, archive, info), link
        )


def _of_folder(folder: Path) -> Iterator[_Member]:
    for path in paths_below(folder):
        facts = path.lstat()
        name = path.relative_to(folder).as_posix()
        if stat.S_ISLNK(facts.st_mode):
            # A link counts by where it leads.
            link = os.fsdecode(path.readlink())
            yield _Member(name, facts.st_mode, 0, partial(_opened, Path(os.devnull)), link)
        elif stat.S_ISREG(facts.st_mode):
            yield _Member(name, facts.st_mode, facts.st_size, partial(_opened, path))


def _opened(path: Path) -> IO[bytes]:
    return path.open("rb")
