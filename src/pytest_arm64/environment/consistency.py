"""Whether what is installed is what it asks for, as `pip check` would tell, without running it."""

from __future__ import annotations

import email.parser
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

_MAXIMUM_METADATA = 4 * 2**20


@dataclass(frozen=True)
class Distribution:
    """What an installed package says of itself."""

    name: str
    version: str
    requires: tuple[str, ...]


def installed_in(archive: IO[bytes]) -> Iterator[Distribution]:
    """Every package of the uncompressed tar *archive*, which is left at its start."""
    archive.seek(0)
    with tarfile.open(fileobj=archive, mode="r:") as opened:
        for member in opened:
            if member.name.endswith(".dist-info/METADATA") and member.size < _MAXIMUM_METADATA:
                stream = opened.extractfile(member)
                text = stream.read().decode("utf-8", "replace") if stream is not None else ""
                found = email.parser.HeaderParser().parsestr(text)
                yield Distribution(
                    str(found.get("Name", "")),
                    str(found.get("Version", "")),
                    tuple(map(str, found.get_all("Requires-Dist") or ())),
                )
    archive.seek(0)


def broken(distributions: Iterable[Distribution], markers: Mapping[str, str]) -> list[str]:
    """Requirements that are not met, in words; *markers* are those of the interpreter."""
    listed = list(distributions)
    versions: dict[str, str] = {canonicalize_name(d.name): d.version for d in listed}
    return sorted(
        {
            f"{found.name} {found.version} requires {requirement}, {problem}"
            for found in listed
            for requirement, problem in _unmet(found, versions, markers)
        }
    )


def _unmet(
    found: Distribution, versions: Mapping[str, str], markers: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    for text in found.requires:
        try:
            requirement = Requirement(text)
            applies = requirement.marker is None or requirement.marker.evaluate(
                {**markers, "extra": ""}
            )
        except (InvalidRequirement, UndefinedComparison, UndefinedEnvironmentName, InvalidVersion):
            continue  # what cannot be read, no installer could heed
        if not applies:
            continue
        version = versions.get(canonicalize_name(requirement.name))
        if version is None:
            yield str(requirement), "which is not installed"
        elif not _admits(requirement, version):
            yield str(requirement), f"and {version} is installed"


def _admits(requirement: Requirement, version: str) -> bool:
    try:
        return requirement.specifier.contains(Version(version), prereleases=True)
    except InvalidVersion:
        return True
