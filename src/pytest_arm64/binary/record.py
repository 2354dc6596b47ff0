"""The ABI record: every compiled file of an artifact, and what keeps it from being loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from ..records import Layout, decode, encode

FORMAT = 1

UNREADABLE = "unreadable"
WRONG_ARCHITECTURE = "wrong-architecture"
ABI_MISMATCH = "abi-mismatch"
MISSING_LIBRARY = "missing-system-library"
PAGE_SIZE = "page-size"
LOAD_ORDER = "load-order"
EXECUTABLE_STACK = "executable-stack"
DUPLICATE_OPENMP = "duplicate-openmp"
NATIVE_IN_PURE = "native-in-pure-wheel"
EXECUTABLE = "bundled-executable"
TOO_LARGE = "too-large"
MULTI_ARCHITECTURE = "multi-architecture"
NEWER_RELEASE = "newer-release"
NEWER_CORE = "newer-instructions"
CORE_CODE = "core-specific-code"
STATIC_TLS = "static-tls"
WHEEL_TAG = "wheel-tag"
OTHER_PYTHON = "other-python"
UNKNOWN = "not-evaluated"

LOADED, FAILED, RAISED, DIED, NOT_TRIED = "loaded", "failed", "raised", "died", "not-tried"


@dataclass(frozen=True)
class AbiFinding:
    """One thing that was found in one file."""

    path: str
    kind: str
    text: str
    grave: bool
    """Whether the file cannot be loaded, or not on every machine of the target."""
    package: str = ""
    """The distribution that brought the file, where that is known."""
    library: str = ""
    version: str = ""
    symbols: tuple[str, ...] = ()
    remedy: str = ""
    evidence: tuple[str, ...] = ()
    """Where in the file it stands: a header, a section, a relocation by its symbol."""
    disputed: bool = False
    """Whether the second reader of ELF files does not confirm it; then it is not grave."""
    against: tuple[str, ...] = ()
    """The systems on which it holds, where the files were compared with two."""
    extension: str = ""
    """Of code for newer processors: which instructions it has, for example ``SVE``."""

    @property
    def told(self) -> str:
        """The text, with the system where it holds on one of two only."""
        return f"{self.text} (only for {self.against[0]})" if len(self.against) == 1 else self.text


@dataclass(frozen=True)
class CompiledFile:
    """One compiled file."""

    path: str
    machine: str
    kind: str
    package: str = ""
    needed: Mapping[str, str] = field(default_factory=dict)
    """Libraries by name, each with the path where it was found; empty where it was not."""
    versions: tuple[str, ...] = ()
    """The newest version that it needs of each library: ``GLIBC_2.28`` and its like."""


@dataclass(frozen=True)
class Load:
    """How a compiled module could be imported in the image."""

    module: str
    path: str
    outcome: str
    """loaded, failed (the loader refused it), raised (its own code raised an error, or a Python
    package is missing), died (it killed its process) or not-tried.
    """
    text: str = ""
    kind: str = ""
    """Class of the failure; empty where it was loaded."""
    remedy: str = ""


@dataclass(frozen=True)
class AbiRecord:
    """Everything compiled in an artifact against one system."""

    JSON: ClassVar[Layout] = Layout(FORMAT, computed=("complete", "loadable"), name="ABI record")

    artifact: str
    against: str
    machine: str
    looked_up: bool
    """Whether an image was looked into; otherwise the target's declared data answered."""
    files: tuple[CompiledFile, ...]
    findings: tuple[AbiFinding, ...]
    loads: tuple[Load, ...] = ()
    """Compiled modules that were imported; empty where nothing was run."""
    beside: str = ""
    """The second system that the files were compared with, where there was one."""

    @property
    def grave(self) -> tuple[AbiFinding, ...]:
        return tuple(finding for finding in self.findings if finding.grave)

    @property
    def complete(self) -> bool:
        """Whether every question was answered."""
        return not any(finding.kind == UNKNOWN or finding.disputed for finding in self.findings)

    @property
    def refused(self) -> tuple[Load, ...]:
        """Modules that the loader refused, that killed their process, or were not tried."""
        return tuple(load for load in self.loads if load.outcome not in (LOADED, RAISED))

    @property
    def loadable(self) -> bool | None:
        """Whether everything can be loaded; None where that could not be evaluated."""
        if self.grave or self.refused:
            return False
        return True if self.complete else None

    @property
    def exit_code(self) -> int:
        """0 everything loads, 1 something does not, 3 it could not be evaluated."""
        return {True: 0, False: 1, None: 3}[self.loadable]

    def to_json(self) -> dict[str, object]:
        """Ready for ``json.dumps``."""
        return dict(encode(self))

    @classmethod
    def from_json(cls, data: object) -> AbiRecord:
        """The record that ``to_json`` gave.

        Raises:
            ValueError: it is of another format, or damaged.
        """
        return decode(cls, data)
