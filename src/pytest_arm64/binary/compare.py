"""One artifact against two systems: the one that answers, and one to compare it with.

A run compares the image that it ran in with the target that was asked; `abi` the target that was
asked with the image that is at hand. Each finding names the systems on which it holds.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from packaging.utils import canonicalize_name

from .record import MISSING_LIBRARY, UNKNOWN, AbiFinding, AbiRecord

_Key = tuple[str, str, str, str]


def beside(own: AbiRecord, other: AbiRecord, *, decisive: bool) -> AbiRecord:
    """*own* with what holds only on the system of *other*.

    Args:
        own: of the system that answers.
        other: of the same files, against another system.
        decisive: whether what holds only there counts as well; else it is a note.
    """
    own_keys = {_key(finding) for finding in own.findings}
    other_keys = {_key(finding) for finding in other.findings}
    both = (own.against, other.against)
    findings = [
        replace(finding, against=both if _key(finding) in other_keys else both[:1])
        for finding in own.findings
    ]
    findings += [
        replace(finding, against=both[1:], grave=finding.grave and decisive)
        for finding in other.findings
        if _key(finding) not in own_keys and (decisive or finding.kind != UNKNOWN)
    ]
    return replace(own, findings=tuple(findings), beside=other.against)


def _key(finding: AbiFinding) -> _Key:
    return (finding.path, finding.kind, finding.library, finding.version)


def without(record: AbiRecord, packages: Collection[str]) -> AbiRecord:
    """*record* without what holds only on its second system and is about one of *packages*.

    *packages* are canonical names: of what was built here, and would be built there, and of what is
    not deployed.
    """
    there = (record.beside,)
    kept = (f for f in record.findings if f.against != there or _package(f) not in packages)
    return replace(record, findings=tuple(kept))


def without_missing(record: AbiRecord, libraries: Collection[str]) -> AbiRecord:
    """*record* without *libraries* that are missing on its second system alone.

    The settings install them here, and say that the deployed system has them as well.
    """
    there, missing = (record.beside,), (MISSING_LIBRARY, UNKNOWN)
    return replace(
        record,
        findings=tuple(
            finding
            for finding in record.findings
            if not (
                finding.against == there
                and finding.kind in missing
                and finding.library in libraries
            )
        ),
    )


def _package(finding: AbiFinding) -> str:
    """Canonical name of the package that brought the file."""
    return canonicalize_name(finding.package.rpartition("-")[0])
