"""What a packager would put into a zip, and where that is not what the target needs."""

from __future__ import annotations

from dataclasses import dataclass

PACKAGERS = ("sam", "sam-container", "uv", "pip-platform", "pex")
TAKEN, BUILT, SLOW, FOREIGN, REFUSED = "wheel", "built", "slow", "x86", "refused"
"""A wheel; built from sources; the same without a compiler; compiled for x86; none of these."""
FAILS, PACKS_X86, PACKS_SLOW = "packager-fails", "packager-x86", "packager-slow"
LACKS, ADDS = "packager-lacks", "packager-adds"
OTHER_RELEASE, OTHER_WHEEL = "packager-release", "packager-wheel"
KINDS = (FAILS, PACKS_X86, LACKS, PACKS_SLOW, OTHER_RELEASE, ADDS, OTHER_WHEEL)
"""The gravest first."""
GRAVE_KINDS = frozenset([FAILS, PACKS_X86, LACKS])
"""With one of these there is no zip, or one that does not work."""
NOTES = frozenset([ADDS, OTHER_WHEEL])
"""Differences that do no harm."""


@dataclass(frozen=True)
class PackagedRelease:
    """One package, as the tool treats it."""

    name: str
    version: str
    how: str
    """``wheel``, ``built``, ``slow``, ``x86`` or ``refused``."""
    file: str = ""
    """What it takes from the index; empty for a project in a folder or a repository."""


@dataclass(frozen=True)
class PackagerFinding:
    """One package that a resolver for the target treats differently."""

    kind: str
    name: str
    version: str
    text: str
    fix: str = ""
    """The tool's own way out."""
    place: str = ""
    """The file and line that ask for the package."""

    @property
    def grave(self) -> bool:
        return self.kind in GRAVE_KINDS


@dataclass(frozen=True)
class PackagerView:
    """What one tool makes of the requirements of one service."""

    packager: str
    tool: str
    """Which version its rules were read from."""
    date: str
    """When that version was released, as ``2026-10-26``."""
    source: str
    command: str
    releases: tuple[PackagedRelease, ...] = ()
    findings: tuple[PackagerFinding, ...] = ()
    """The gravest first."""
    problems: tuple[str, ...] = ()
    """Why it cannot be said what the tool packs."""

    @property
    def works(self) -> bool:
        """Whether there is a zip, and the target can run what is in it."""
        return not any(finding.grave for finding in self.findings)
