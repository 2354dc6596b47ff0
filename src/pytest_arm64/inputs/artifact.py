"""An artifact that is deployed already, as a lock: what is installed in it is what was decided."""

from __future__ import annotations

import csv
import email.parser
import hashlib
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from packaging.markers import Marker
from packaging.metadata import parse_email
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from ..binary.filetree import FileTree, folder_tree, tar_tree, zip_tree
from ..binary.packages import owners
from ..binary.siblings import Siblings
from ..config.artifact import DIR, ZIP, Artifact
from ..index.metadata import requirement_of
from ..index.simple import IndexFile, file_of
from .lock import ARTIFACT, Lock, LockedRelease, LockedRequirement, Selection

_METADATA = ".dist-info/METADATA"
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?\Z")
_TAG = re.compile(r"([a-z0-9_.]+)-([a-z0-9_.]+)-([A-Za-z0-9_.]+)\Z", re.ASCII)
_MAXIMUM_TAGS = 64


@dataclass(frozen=True)
class InstalledDistribution:
    """One package that is installed in an artifact."""

    name: str
    version: str
    site: str
    """The folder from which it is imported, absolute in the artifact."""
    tags: tuple[str, ...]
    """Of the wheel that it was installed from."""
    requires: tuple[str, ...] = ()
    requires_python: str = ""


def read_artifact(artifact: Artifact) -> tuple[Lock, tuple[str, ...]]:
    """*artifact* as a lock, and what a reader should know of it.

    Nothing of it is executed. Only an image needs an engine.

    Raises:
        ArtifactError: a file or a folder cannot be read.
        EngineError, ImageError: an image cannot be had.
    """
    tree = artifact_tree(artifact)
    distributions, notes = distributions_in(tree)
    digest = hashlib.sha256()
    for path, text in sorted(tree.texts.items()):
        digest.update(f"{path}\0{text}\0".encode())
    lock = _lock(artifact.shown, distributions, digest.hexdigest())
    return replace(lock, foreign=tuple(_foreign(tree))), notes


def _foreign(tree: FileTree) -> Iterator[str]:
    """Files that aarch64 cannot load, in no package or in one that says it is for any machine."""
    owned, siblings = owners(tree), Siblings(tree, "/", "aarch64")
    for path, file in sorted(tree.files.items()):
        if file.elf is None or file.elf.machine == "aarch64" or file.elf.kind in ("object", "core"):
            continue
        by_tags = path in owned and not owned[path].pure
        if not by_tags and not siblings.excuse(path, file.elf):
            yield path.lstrip("/")


def artifact_tree(artifact: Artifact) -> FileTree:
    """The compiled files and the packages' own texts of *artifact*.

    Raises:
        ArtifactError, EngineError, ImageError: as ``read_artifact``.
    """
    if artifact.kind == DIR:
        return folder_tree(artifact.path, "/")
    if artifact.kind == ZIP:
        return zip_tree(artifact.path, "/")
    from ..engine.endpoint import open_engine
    from ..engine.images import export_image, find_image, get_image
    from ..progress import NoProgress

    with open_engine() as engine:
        image = find_image(engine, artifact.place)
        if image is None:
            image = get_image(engine, artifact.place, "arm64", NoProgress(), offline=False)
        with export_image(engine, image) as archive:
            return tar_tree(archive, "/")


def distributions_in(tree: FileTree) -> tuple[tuple[InstalledDistribution, ...], tuple[str, ...]]:
    """What is installed in *tree*, each name once, and what could not be read of it."""
    distributions: dict[str, InstalledDistribution] = {}
    notes: list[str] = []
    compiled, vendored = _machines(tree), set(_vendored(tree))
    for path, text in sorted(tree.texts.items()):
        if not path.endswith(_METADATA) or path in vendored:
            continue
        folder = posixpath.dirname(path)
        distribution = parse_distribution(
            posixpath.dirname(folder), text, tree.texts.get(f"{folder}/WHEEL", "")
        )
        if distribution is None:
            notes.append(f"{path}: its metadata cannot be read")
            continue
        if not distribution.tags:
            machine = compiled.get(posixpath.basename(folder).removesuffix(".dist-info"))
            distribution = replace(
                distribution, tags=(f"py3-none-linux_{machine}" if machine else "py3-none-any",)
            )
        key = str(canonicalize_name(distribution.name))
        other = distributions.setdefault(key, distribution)
        if other.version != distribution.version:
            notes.append(
                f"{distribution.name} is in it as {other.version} ({other.site}) and as "
                f"{distribution.version} ({distribution.site}); the first was taken"
            )
    return tuple(distributions[name] for name in sorted(distributions)), tuple(notes)


def parse_distribution(site: str, metadata: str, wheel: str) -> InstalledDistribution | None:
    """What ``METADATA`` and ``WHEEL`` of a package in *site* say; None where that is nothing."""
    raw, _ = parse_email(metadata.encode("utf-8", "replace"))
    name, version = raw.get("name", ""), raw.get("version", "")
    try:
        Version(version)
    except ValueError:
        return None
    if not _NAME.match(name):
        return None
    tags = email.parser.HeaderParser().parsestr(wheel).get_all("Tag") or ()
    return InstalledDistribution(
        name,
        version,
        site,
        tuple(str(tag).strip() for tag in tags[:_MAXIMUM_TAGS] if _TAG.match(str(tag).strip())),
        tuple(" ".join(text.split()) for text in raw.get("requires_dist", ())),
        raw.get("requires_python", "")[:300].strip(),
    )


def _machines(tree: FileTree) -> Mapping[str, str]:
    """The machine of the compiled files of each distribution that has any."""
    owned = owners(tree)
    machines = {}
    for path, file in tree.files.items():
        if path in owned and file.elf is not None:
            machines[owned[path].name] = file.elf.machine
    return machines


def _vendored(tree: FileTree) -> Iterator[str]:
    """``METADATA`` of what lies inside a package as a part of it, and is not installed."""
    for path, text in tree.texts.items():
        folder, name = posixpath.split(path)
        if name != "RECORD" or text.count(_METADATA) < 2:
            continue
        try:
            rows = [row[0] for row in csv.reader(text.splitlines()) if row]
        except csv.Error:
            continue
        for row in rows:
            other = posixpath.normpath(posixpath.join(posixpath.dirname(folder), row))
            if other.endswith(_METADATA) and posixpath.dirname(other) != folder:
                yield other


def _lock(shown: str, distributions: Iterable[InstalledDistribution], digest: str) -> Lock:
    listed = list(distributions)
    there = {canonicalize_name(distribution.name) for distribution in listed}
    releases: dict[str, tuple[LockedRelease, ...]] = {}
    absent: list[tuple[str, LockedRequirement]] = []
    wanted: set[NormalizedName] = set()
    for distribution in listed:
        name = canonicalize_name(distribution.name)
        needs = []
        for need in _needs(distribution):
            if need.name in there:
                needs.append(need)
                wanted.add(canonicalize_name(need.name))
            else:
                absent.append((f"{distribution.name} {distribution.version}", need))
        file = installed_file(distribution)
        releases[name] = (
            LockedRelease(
                name,
                str(Version(distribution.version)),
                files=(file,) if file is not None else (),
                needs=tuple(needs),
                requires_python=distribution.requires_python,
            ),
        )
    # What nothing else asks for comes first, so that the way to each package is told.
    first, rest = (
        tuple(LockedRequirement(str(name), origin=shown) for name in sorted(names))
        for names in (there - wanted, there & wanted)
    )
    return Lock(
        kind=ARTIFACT,
        shown=shown,
        releases=releases,
        deploy=Selection(first, rest=rest),
        digest=digest,
        absent=tuple(absent),
    )


def _needs(distribution: InstalledDistribution) -> Iterator[LockedRequirement]:
    for text in distribution.requires:
        try:
            wanted = requirement_of(text)
        except (ValueError, RecursionError):
            continue
        if not _only_with_extra(wanted.marker):
            marker = str(wanted.marker) if wanted.marker is not None else ""
            name = str(canonicalize_name(wanted.name))
            yield LockedRequirement(name, marker=marker, specifier=wanted.specifier)


def _only_with_extra(marker: Marker | None) -> bool:
    """Which extras were asked for is not written anywhere in an artifact."""
    return marker is not None and "extra" in str(marker)


def installed_file(distribution: InstalledDistribution) -> IndexFile | None:
    """The wheel that *distribution* was installed from, by its tags; built ones as their source."""
    name = canonicalize_name(distribution.name)
    stem = f"{name.replace('-', '_')}-{Version(distribution.version)}"
    parts = [set(part.split(".")) for part in ("", "", "")]
    for tag in distribution.tags:
        parts_of_tag = _TAG.match(tag)
        assert parts_of_tag is not None
        for values, part in zip(parts, parts_of_tag.groups(), strict=True):
            values.add(part)
    pythons, abis, platforms = (sorted(part - {""}) for part in parts)
    if any(platform.startswith("linux_") for platform in platforms):
        return file_of(name, f"{stem}.tar.gz", "", {})
    label = "-".join(".".join(part) for part in (pythons, abis, platforms))
    return file_of(name, f"{stem}-{label}.whl", "", {})
