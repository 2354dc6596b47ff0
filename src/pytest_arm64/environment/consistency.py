"""Whether what is installed is what it asks for, as `pip check` would tell, without running it."""

from __future__ import annotations

import email.parser
import posixpath
import tarfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from ..index.metadata import requirement_of

_MAXIMUM_METADATA = 4 * 2**20
_FILES = ("METADATA", "WHEEL")


@dataclass(frozen=True)
class DistributionMetadata:
    """What an installed package says of itself."""

    name: str
    version: str
    requires: tuple[str, ...]
    portable: bool = False
    """Whether the wheel that it was installed from says that it is for any machine."""


def installed_in(
    archive: IO[bytes], at: str, sites: Collection[str]
) -> Iterator[DistributionMetadata]:
    """Every package of the uncompressed tar *archive*, which is left at its start.

    Packages lie directly in a folder of *sites*; what lies deeper, such as
    ``setuptools/_vendor/packaging.dist-info``, is not installed. *at* is where the archive is
    unpacked.
    """
    archive.seek(0)
    texts: dict[tuple[str, str], str] = {}
    with tarfile.open(fileobj=archive, mode="r:") as opened:
        for member in opened:
            folder, name = posixpath.split(posixpath.normpath(posixpath.join(at, member.name)))
            site, information = posixpath.split(folder)
            wanted = name in _FILES and information.endswith(".dist-info") and site in sites
            if wanted and member.isreg() and member.size < _MAXIMUM_METADATA:
                stream = opened.extractfile(member)
                text = stream.read().decode("utf-8", "replace") if stream is not None else ""
                texts[folder, name] = text
    archive.seek(0)
    for (folder, name), text in texts.items():
        if name == "METADATA":
            yield _metadata(text, texts.get((folder, "WHEEL"), ""))


def _metadata(text: str, wheel: str) -> DistributionMetadata:
    headers = email.parser.HeaderParser().parsestr(text)
    tags = email.parser.HeaderParser().parsestr(wheel).get_all("Tag") or ()
    return DistributionMetadata(
        str(headers.get("Name", "")),
        str(headers.get("Version", "")),
        tuple(map(str, headers.get_all("Requires-Dist") or ())),
        bool(tags) and all(str(tag).strip().endswith("-any") for tag in tags),
    )


def broken(distributions: Iterable[DistributionMetadata], markers: Mapping[str, str]) -> list[str]:
    """Requirements that are not met, in words; *markers* are those of the interpreter."""
    listed = list(distributions)
    versions: dict[str, str] = {canonicalize_name(d.name): d.version for d in listed}
    return sorted(
        {
            f"{distribution.name} {distribution.version} requires {requirement}, {problem}"
            for distribution in listed
            for requirement, problem in _unmet(distribution, versions, markers)
        }
    )


def _unmet(
    distribution: DistributionMetadata, versions: Mapping[str, str], markers: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    for text in distribution.requires:
        try:
            requirement = requirement_of(text)
            applies = requirement.marker is None or requirement.marker.evaluate(
                {**markers, "extra": ""}
            )
        except (ValueError, KeyError):
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
    except ValueError:
        return True
