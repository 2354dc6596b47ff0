"""The ABI record: every compiled file of an artifact, and what keeps it from being loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

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
UNKNOWN = "not-evaluated"


@dataclass(frozen=True)
class Finding:
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


@dataclass(frozen=True)
class File:
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
class AbiRecord:
    """Everything compiled in an artifact against one system."""

    artifact: str
    against: str
    machine: str
    looked_up: bool
    """Whether an image was looked into; otherwise the target's declared data answered."""
    files: tuple[File, ...]
    findings: tuple[Finding, ...]

    @property
    def grave(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.grave)

    @property
    def complete(self) -> bool:
        """Whether every question was answered."""
        return not any(finding.kind == UNKNOWN for finding in self.findings)

    @property
    def exit_code(self) -> int:
        """0 everything loads, 1 something does not, 3 it could not be evaluated."""
        if self.grave:
            return 1
        return 0 if self.complete else 3

    def to_json(self) -> dict[str, Any]:
        """Ready for ``json.dumps``."""
        return {
            "format": FORMAT,
            **asdict(self),
            "complete": self.complete,
            "loads": not self.grave if self.complete or self.grave else None,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> AbiRecord:
        """The record that ``to_json`` gave.

        Raises:
            ValueError: it is of another format, or damaged.
        """
        try:
            if data["format"] != FORMAT:
                raise ValueError(f"ABI record of format {data['format']}")
            return cls(
                artifact=str(data["artifact"]),
                against=str(data["against"]),
                machine=str(data["machine"]),
                looked_up=bool(data["looked_up"]),
                files=tuple(
                    File(**{**file, "versions": tuple(file["versions"])}) for file in data["files"]
                ),
                findings=tuple(
                    Finding(**{**finding, "symbols": tuple(finding["symbols"])})
                    for finding in data["findings"]
                ),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"damaged ABI record: {error!r}") from None
