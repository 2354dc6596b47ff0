"""Where the files of a tree's releases are looked up: an index, or a lock that settles them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from packaging.version import Version

from ..index.metadata import Metadata, MetadataError
from ..index.releases import Releases
from ..index.simple import IndexFile
from ..inputs.lock import Lock
from ..inputs.requirements import LocalProject, Node, SourcedRequirement, sourced_requirement
from .platform import Platform
from .usable_files import Fit, fit

if TYPE_CHECKING:
    from ..index.index import Index


class Candidates(Protocol):
    """What is asked about the releases of a tree."""

    @property
    def platform(self) -> Platform: ...

    @property
    def locals(self) -> Mapping[str, LocalProject]: ...

    def files(self, name: str, version: Version) -> tuple[IndexFile, ...]:
        """The files of a release from which an installer chooses."""

    def fit(self, name: str, version: Version, *, pinned: bool = True) -> Fit:
        """Those of them that the target can use."""

    def metadata(self, name: str, version: Version) -> Metadata:
        """What a release depends on, and which Python it asks for."""

    def metadata_of_index(self, name: str, version: Version) -> Metadata:
        """The same of any release, selected or not, from the index alone."""

    def releases(self, name: str) -> Releases:
        """Everything that the index has of *name*, the newest first."""

    def asked(self, name: str) -> bool:
        """Whether ``releases`` has its answer at hand."""

    def demands(self, node: Node) -> tuple[SourcedRequirement, ...]:
        """Everything that limits the version of *node*."""

    def excluded(self, name: str) -> str:
        """The kind of *name*'s files that an installer may not use; empty where it may use all."""


class LockCandidates:
    """Files as a lock lists them; the index is asked only about what has no usable wheel there."""

    def __init__(self, lock: Lock, index: Callable[[], Index], platform: Platform) -> None:
        self.platform = platform
        self._lock = lock
        self._index = index

    @property
    def locals(self) -> Mapping[str, LocalProject]:
        return self._lock.locals

    def files(self, name: str, version: Version) -> tuple[IndexFile, ...]:
        release = self._lock.release(name, version)
        return release.files if release is not None else ()

    def fit(self, name: str, version: Version, *, pinned: bool = True) -> Fit:
        return fit(self.files(name, version), self.platform, yanked=pinned)

    def metadata(self, name: str, version: Version) -> Metadata:
        release = self._lock.release(name, version)
        return Metadata(requires_python=release.requires_python if release is not None else "")

    def metadata_of_index(self, name: str, version: Version) -> Metadata:
        usable = fit(self.releases(name).get(version, ()), self.platform, yanked=True)
        file = usable.wheel or usable.sdist
        if file is None:
            return Metadata(doubt="the index has no file of it that the target can use")
        try:
            return self._index().metadata(name, file)
        except MetadataError as error:
            return Metadata(doubt=str(error))

    def releases(self, name: str) -> Releases:
        return self._index().page(name).releases

    def asked(self, name: str) -> bool:  # noqa: ARG002 - of no name
        return False

    def excluded(self, name: str) -> str:  # noqa: ARG002 - of no name
        return ""

    def demands(self, node: Node) -> tuple[SourcedRequirement, ...]:
        """What the lock was made from, as far as the lock or the parents' metadata tell it."""
        origins = {wish.origin for wish in node.demands}
        demands = list(node.demands)
        for parent in node.parents:
            for release in self._lock.releases.get(parent, ()):
                origin = f"{release.name} {release.version}".strip()
                if origin not in origins and release.local is None:
                    demands += self._of_parent(release.name, release.version, node.name, origin)
        return tuple(demands)

    def _of_parent(
        self, parent: str, version: str, name: str, origin: str
    ) -> list[SourcedRequirement]:
        usable = self.fit(parent, Version(version))
        file = usable.wheel or usable.sdist
        if file is None or not file.url:
            return []
        try:
            metadata = self._index().metadata(parent, file)
        except MetadataError:
            return []
        wishes = [sourced_requirement(wanted, origin) for wanted in metadata.parsed()]
        return [wish for wish in wishes if wish.name == name and wish.specifier]


class ArtifactCandidates(LockCandidates):
    """Files as an artifact holds them; for what the target cannot use of it, those of the index.

    An artifact for x86 is made again for ARM: what counts is what there is to make it from.
    """

    def files(self, name: str, version: Version) -> tuple[IndexFile, ...]:
        own = super().files(name, version)
        if fit(own, self.platform, yanked=True).wheel is not None:
            return own
        return tuple(self.releases(name).get(version, ())) or own
