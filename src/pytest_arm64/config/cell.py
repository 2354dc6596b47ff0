"""A cell: one target on one architecture and core; and what its image really has."""

from __future__ import annotations

from dataclasses import dataclass

from ..inside.ran import Ran
from .targets import MACHINES, Target


@dataclass(frozen=True)
class Cell:
    """What is asked of one nested session: target × architecture × core."""

    target: Target
    architecture: str
    core: str
    image: str
    """Reference of the image to use: the target's own, or the one that overrides it."""

    @property
    def platform(self) -> str:
        return f"linux/{self.architecture}"

    @property
    def overridden(self) -> bool:
        return self.image != self.target.reference


@dataclass(frozen=True)
class Python:
    """A probed interpreter."""

    executable: str
    version: str
    minor: str
    cache_tag: str
    magic: str
    """Magic number of its byte-code, hexadecimal."""
    purelib: str
    """Path of pure packages below a prefix, ``lib/python3.12/site-packages``."""
    library: str
    """Folder of the standard library."""
    compiled: bool
    """Whether the standard library has its byte-code; some images are stripped of it."""


@dataclass(frozen=True)
class ImageFacts:
    """What was found in the image by looking, never by assuming; of no target and no session."""

    image: str
    image_id: str
    digest: str
    """Repository digest, empty for an image that was built here."""
    machine: str
    os: str
    """``ID VERSION_ID`` of os-release, for example ``amzn 2023``."""
    os_name: str
    glibc: str
    """Version of glibc, empty on musl."""
    libstdcxx: str
    """Newest ``GLIBCXX_`` version that the image's libstdc++ defines, empty if it has none."""
    python: Python
    page_size: int
    engine_machine: str
    """Machine of the engine's host as ``uname -m`` names it."""
    core: str
    """Name of the core: what is emulated, or what the native machine says it is."""
    emulator: str = ""
    """Version of qemu; empty on a native machine and where another emulator does the work."""

    @property
    def emulated(self) -> bool:
        return self.machine != self.engine_machine

    @property
    def native(self) -> bool:
        return not self.emulated

    def stand_in(self, target: Target) -> bool:
        """Whether this is another operating system than the one that was asked for.

        A target may name a major version alone, ``almalinux 9``, of which every minor is right.
        """
        same = self.os == target.os or self.os.startswith(f"{target.os}.")
        return bool(target.os) and not same

    def differences(self, target: Target) -> list[str]:
        """What ran otherwise than asked, in words; empty where all is as asked."""
        lines = []
        if self.stand_in(target):
            lines.append(f"{self.os_name}, not {target.os}")
        if self.python.minor != target.python:
            lines.append(f"Python {self.python.minor}, not {target.python}")
        if target.glibc and self.glibc != target.glibc:
            lines.append(f"glibc {self.glibc or '(none: musl)'}, not {target.glibc}")
        if self.page_size and self.page_size != target.facts.page_size:
            pages = target.facts.page_size
            lines.append(f"pages of {self.page_size:,} bytes, not {pages:,}")
        return lines

    def ran(self, target: Target) -> Ran:
        """What a session in this image runs on, for a cell of *target*."""
        return Ran(
            machine=self.machine,
            core=self.core,
            emulated=self.emulated,
            stand_in=self.stand_in(target),
            target=target.name,
            image=self.image,
            image_id=self.image_id,
            digest=self.digest,
            os=self.os,
            python=self.python.version,
            glibc=self.glibc,
            libstdcxx=self.libstdcxx,
            page_size=self.page_size,
            emulator=self.emulator,
            differences=tuple(self.differences(target)),
        )


def machine_of(architecture: str) -> str:
    """``aarch64`` for arm64, ``x86_64`` for amd64."""
    return MACHINES[architecture]
