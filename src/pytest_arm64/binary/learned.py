"""Facts of a target that were read from its image once, as a file that can be committed.

Such a file answers like the image itself: what is not in it is not there. It keeps the day on which
it was read, and says how old it is.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import ClassVar

from ..config.facts import PAGE
from ..config.targets import Target
from ..errors import ArtifactError
from ..records import Layout, decode, encode, json_options, parse
from .elf import Elf
from .filetree import Compiled, FileTree
from .rootfs import RootFiles
from .system import System, declared_system, looked_up_system
from .system_packages import alpine_packages, debian_packages, rpm_packages

FORMAT = 1
MACHINE = "aarch64"
_MAXIMUM_FILE = 16 * 2**20
_LIBRARY = re.compile(r"(?:lib|ld-)[^/]*\.so(?:\.[\w.]+)?\Z|libc\.musl-[\w.]+\Z")
_RELEASE_LINE = re.compile(r"""(\w+)=(?:"([^"]*)"|'([^']*)'|(\S*))\s*\Z""")


def _day(text: str) -> str:
    date.fromisoformat(text)
    return text


@dataclass(frozen=True)
class Library:
    """One shared library, by a name that the loader finds."""

    path: str
    """Where the loader finds it, over links."""
    soname: str
    versions: tuple[str, ...]
    """The versions of symbols that it defines."""


@dataclass(frozen=True)
class Learned:
    """What was read from an image or a root file system."""

    JSON: ClassVar[Layout] = Layout(FORMAT, name="facts of a target")

    source: str
    """What was read: an image's reference, or a file's name."""
    read: str = field(metadata=json_options(check=_day))
    """The day, ISO 8601."""
    os: str
    """``ID VERSION_ID`` of os-release."""
    release: str
    """``PRETTY_NAME`` of os-release."""
    machine: str
    libraries: Mapping[str, Library]
    """By each name that the loader finds."""
    folders: tuple[str, ...]
    """What the loader searches, in its order."""
    packages: Mapping[str, str]
    """Version by name, from the package manager's files."""
    digest: str = ""
    page_size: int = PAGE
    loader: str = ""
    """Version of glibc, ``musl``, or empty."""

    @property
    def nodes(self) -> tuple[str, ...]:
        """Every version of symbols that any library defines."""
        return tuple(sorted({v for found in self.libraries.values() for v in found.versions}))

    def system(self, today: date, library_path: tuple[str, ...] = ()) -> System:
        """The place of every comparison; its name says how old the facts are."""
        files = {
            found.path: Compiled(
                Elf(self.machine, 64, "library", soname=found.soname, defines=found.versions)
            )
            for found in self.libraries.values()
        }
        days = (today - date.fromisoformat(self.read)).days
        return System(
            name=f"facts of {self.source}, read {self.read} ({days} days ago)",
            machine=self.machine,
            page_size=self.page_size,
            tree=FileTree(files),
            before=library_path,
            after=self.folders,
        )

    def to_json(self) -> dict[str, object]:
        """Ready for ``json.dumps``."""
        return dict(encode(self))

    @classmethod
    def from_json(cls, data: object) -> Learned:
        """The facts that ``to_json`` gave.

        Raises:
            ValueError: they are of another format, or damaged.
        """
        return decode(cls, data, FORMAT)


def learn(root: RootFiles, source: str, today: date) -> Learned:
    """The facts of *root*, which was read from *source* on the day *today*.

    Raises:
        ArtifactError: it is no root file system for ARM64.
    """
    system = looked_up_system(
        root.tree, name=source, machine=MACHINE, page_size=PAGE, library_path=root.library_path
    )
    libraries = dict(_libraries(system))
    if not libraries:
        raise ArtifactError(
            f"{source} has no shared library for {MACHINE} where the loader searches",
            next_step="give the whole root file system, or an image for linux/arm64",
        )
    release = _os_release(root.tree)
    return Learned(
        source=source,
        read=today.isoformat(),
        os=" ".join(filter(None, [release.get("ID"), release.get("VERSION_ID")])),
        release=release.get("PRETTY_NAME", ""),
        machine=MACHINE,
        libraries=dict(sorted(libraries.items())),
        folders=system.everywhere,
        packages=_packages(root),
        digest=root.digest,
        loader=system.pages.loader,
    )


def system_of_target(target: Target, today: date) -> System:
    """What is known of *target* without an engine: its file of facts, else what it declares.

    Raises:
        ArtifactError: the file cannot be read.
    """
    if target.facts_file is None:
        return declared_system(target)
    facts = replace(read_learned(target.facts_file), page_size=target.facts.page_size)
    return facts.system(today, target.library_path)


def read_learned(path: Path) -> Learned:
    """The facts in the file *path*.

    Raises:
        ArtifactError: it cannot be read, or is no such file.
    """
    try:
        if path.stat().st_size > _MAXIMUM_FILE:
            raise ArtifactError(f"{path} is larger than {_MAXIMUM_FILE >> 20} MiB")
        return Learned.from_json(parse(path.read_bytes()))
    except (OSError, ValueError) as error:
        raise ArtifactError(
            f"{path} cannot be read as facts of a target: {error}",
            next_step=f"write it again: pytest-arm64 target learn IMAGE --output {path}",
        ) from None


def _libraries(system: System) -> Iterator[tuple[str, Library]]:
    """By every name in the folders that the loader searches; the first folder wins."""
    names = {
        posixpath.basename(path)
        for path in (*system.tree.files, *system.tree.links)
        if _LIBRARY.match(posixpath.basename(path))
    }
    for name in names:
        for folder in system.everywhere:
            path = f"{folder}/{name}"
            elf = system.tree.elf(path)
            if elf is not None and elf.machine == system.machine:
                yield name, Library(path, elf.soname, elf.defines)
                break


def _os_release(tree: FileTree) -> Mapping[str, str]:
    """The fields of os-release. Source: os-release(5)."""
    for path in ("/etc/os-release", "/usr/lib/os-release"):
        text = tree.texts.get(path) or tree.texts.get(tree.real(path))
        if text:
            lines = map(_RELEASE_LINE.match, text.splitlines())
            return {m[1]: next(filter(None, m.groups()[1:]), "") for m in lines if m is not None}
    return {}


def _packages(root: RootFiles) -> Mapping[str, str]:
    texts = root.tree.texts
    for database in root.databases.values():
        return rpm_packages(database)
    if "/var/lib/dpkg/status" in texts:
        return debian_packages(texts["/var/lib/dpkg/status"])
    return alpine_packages(texts.get("/lib/apk/db/installed", ""))
