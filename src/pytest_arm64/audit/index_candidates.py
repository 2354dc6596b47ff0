"""The releases that the indexes have, as one target sees them: files, versions, dependencies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from copy import copy
from itertools import dropwhile, islice

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from ..contents.sdists import SdistReader
from ..index.index import Index, Page, page_of_reference
from ..index.metadata import Metadata, MetadataError
from ..index.releases import Releases
from ..index.simple import SDIST, WHEEL, IndexFile
from ..inputs.formats import Formats
from ..inputs.requirements import LocalProject, Node, SourcedRequirement
from .builds import kept_built_metadata
from .platform import Platform
from .usable_files import Fit, admits, fit

_ANY_FORMAT = Formats()


class IndexCandidates:
    """Which files and versions of a project count on the target, and what each depends on."""

    def __init__(
        self,
        index: Index,
        platform: Platform,
        *,
        locals_: Iterable[LocalProject] = (),
        prereleases: bool = False,
        formats: Formats = _ANY_FORMAT,
        ask: Callable[[str, IndexFile], Metadata | None] | None = None,
        overrides: Iterable[Requirement] = (),
        reader: SdistReader | None = None,
    ) -> None:
        self.index = index
        self.platform = platform
        self.locals = {local.name: local for local in locals_}
        self.unreachable: dict[str, str] = {}
        """By name: why the repository that it is named by cannot be had."""
        self.hashes: Mapping[str, frozenset[str]] = {}
        """By name: the files to which a lock restricts it."""
        self.refused: set[tuple[str, Version]] = set()
        """Releases whose metadata exclude the target's Python although their page does not."""
        self._prereleases = prereleases
        self._formats = formats
        self._ask = ask
        self._reader = reader
        self._overrides: dict[str, list[Requirement]] = {}
        for override in overrides:
            name = canonicalize_name(override.name)
            self._overrides.setdefault(name, []).append(override)
        self._direct: dict[str, Page] = {}
        self._constraints: dict[str, list[SourcedRequirement]] = {}
        self._fits: dict[tuple[str, Version, bool], Fit] = {}
        self._metadata: dict[tuple[str, Version], Metadata] = {}

    def restrict(
        self,
        *,
        constraints: Iterable[SourcedRequirement],
        hashes: Mapping[str, frozenset[str]],
        references: Iterable[SourcedRequirement] = (),
    ) -> None:
        """Limit versions and files; to be said before anything is asked.

        Args:
            constraints: what constraint files say.
            hashes: by name, the files to which a lock restricts it.
            references: demands that name a file by its address.
        """
        self.hashes = hashes
        for wish in references:
            with suppress(ValueError):
                address = self.index.fetcher.access.learn(wish.url)
                page = page_of_reference(wish.name, address)
                if page is not None:
                    self._direct[wish.name] = page
        for wish in constraints:
            self._constraints.setdefault(wish.name, []).append(wish)

    def is_known(self, wish: SourcedRequirement) -> bool:
        """Whether the files that *wish* names by an address, if it does, are known."""
        return not wish.url or wish.name in self.locals or wish.name in self._direct

    def constraints_on(self, name: str) -> Sequence[SourcedRequirement]:
        """What constraint files say about *name*."""
        return self._constraints.get(name, ())

    def applies(self, requirement: Requirement, extra: str = "") -> bool:
        """Whether the target's markers call for *requirement*; what cannot be judged counts."""
        return self.platform.calls_for(requirement, extra)

    def called_for(self, requirement: Requirement, extra: str = "") -> Iterator[Requirement]:
        """What the target is to have for *requirement*: itself, or what overrides it."""
        if not self.applies(requirement, extra):
            return
        overrides = self._overrides.get(canonicalize_name(requirement.name))
        if overrides is None:
            yield requirement
        for override in filter(self.applies, overrides or ()):
            replaced = copy(override)
            replaced.extras = override.extras | requirement.extras
            yield replaced

    def page(self, name: str) -> Page:
        """Everything that there is of *name*: the file that was named, or what the indexes have."""
        return self._direct.get(name) or self.index.page(name)

    def files(self, name: str, version: Version) -> tuple[IndexFile, ...]:
        return self.page(name).releases.get(version, ())

    def releases(self, name: str) -> Releases:
        return self.page(name).releases

    def asked(self, name: str) -> bool:  # noqa: ARG002 - an index has always been asked
        return True

    def demands(self, node: Node) -> tuple[SourcedRequirement, ...]:
        return node.demands

    def excluded(self, name: str) -> str:
        return self._formats.excluded(name)

    def fit(self, name: str, version: Version, *, pinned: bool = True) -> Fit:
        """The files of a release that the target can use."""
        if (name, version) in self.refused:
            return Fit()
        key = (name, version, pinned)
        if key not in self._fits:
            files = self._formats.admitted(name, self.files(name, version))
            hashes = self.hashes.get(name, frozenset())
            self._fits[key] = fit(files, self.platform, yanked=pinned, hashes=hashes)
        return self._fits[key]

    def metadata(self, name: str, version: Version) -> Metadata:
        """Dependencies of a release, from whatever file tells them."""
        if (name, version) not in self._metadata:
            files = list(self.sources_of_metadata(name, version))
            metadata = Metadata(doubt="none of its files lists its dependencies")
            for file in files[:4]:
                try:
                    metadata = self.index.metadata(name, file)
                    if metadata.doubt and file == self.fit(name, version).sdist:
                        metadata = self._of_sources(name, file, metadata)
                    break
                except MetadataError as error:
                    metadata = Metadata(doubt=str(error))
            self._metadata[name, version] = metadata
            python = self.platform.python_version
            if self.fit(name, version).usable and not admits(metadata.requires_python, python):
                self.refused.add((name, version))
        return self._metadata[name, version]

    def metadata_of_index(self, name: str, version: Version) -> Metadata:
        return self.metadata(name, version)

    def prefetch_metadata(self, name: str, version: Version, count: int) -> None:
        """Begin to fetch the metadata of *version* and of the releases before it."""
        versions = dropwhile(version.__ne__, self.releases(name))
        for older in islice(versions, count):
            if (name, older) not in self._metadata:
                file = next(self.sources_of_metadata(name, older), None)
                if file is not None and file.kind == WHEEL:
                    self.index.prefetch_metadata(name, file)

    def dependencies(self, name: str, version: Version, extra: str = "") -> list[Requirement]:
        """What a release asks for on the target, with *extra* where one is named."""
        parsed = self.metadata(name, version).parsed()
        return [called for requirement in parsed for called in self.called_for(requirement, extra)]

    def _of_sources(self, name: str, file: IndexFile, doubtful: Metadata) -> Metadata:
        """The metadata of a source distribution that does not say them for certain itself.

        A build knows best; what its files state is as good, and needs no engine.
        """
        python = ".".join(map(str, self.platform.python))
        built = kept_built_metadata(file, self.platform.machine, python)
        if built is None and self._reader is not None:
            built = self._reader.metadata(name, file, doubtful)
        return built or self.built_metadata(name, file) or doubtful

    def built_metadata(self, name: str, file: IndexFile) -> Metadata | None:
        """What a build of *file* says; without an engine, what an earlier build said."""
        if self._ask is not None:
            return self._ask(name, file)
        python = ".".join(map(str, self.platform.python))
        return kept_built_metadata(file, self.platform.machine, python)

    def sources_of_metadata(self, name: str, version: Version) -> Iterator[IndexFile]:
        """Files of a release in the order in which they are asked for its dependencies."""
        usable = self.fit(name, version)
        if usable.wheel is not None:
            yield usable.wheel
        files = self.files(name, version)
        wheels = [f for f in files if f.kind == WHEEL and f != usable.wheel]
        # Dependencies of another Python may differ: prefer the wheels of this one.
        python = f"cp{self.platform.python[0]}{self.platform.python[1]}-"
        wheels.sort(key=lambda f: (python not in f.name, "linux" not in f.name, f.size, f.name))
        yield from wheels[:2]
        yield from sorted((f for f in files if f.kind == SDIST), key=lambda f: f != usable.sdist)

    def satisfying(self, name: str, wishes: Sequence[SourcedRequirement]) -> Iterator[Version]:
        """Versions of *name* that *wishes* and constraints admit, the newest first.

        Pre-releases count where one of them is named, or where there is nothing else.
        """
        specifiers = [w.specifier for w in (*wishes, *self.constraints_on(name))]
        pre = self._prereleases or any(specifier.prereleases for specifier in specifiers)
        later, final = [], False
        for version in self._worth_looking_at(name, (*wishes, *self.constraints_on(name))):
            if all(s.contains(version, prereleases=True) for s in specifiers):
                if version.is_prerelease and not pre:
                    later.append(version)
                else:
                    final = True
                    yield version
        if not final:
            yield from later

    def _worth_looking_at(
        self, name: str, wishes: Iterable[SourcedRequirement]
    ) -> Iterable[Version]:
        """The versions to look at: of thousands, a pin needs one."""
        releases = self.releases(name)
        exact = next((version for wish in wishes if (version := wish.exact) is not None), None)
        return releases if exact is None else releases.like(exact)

    def best(self, name: str, wishes: Sequence[SourcedRequirement]) -> Version | None:
        """The version that would be tried first."""
        pinned = any(wish.pin for wish in wishes)
        first = None
        for version in self.satisfying(name, wishes):
            first = first or version
            if self.fit(name, version, pinned=pinned).usable:
                return version
        return first

    def is_missing(self, wish: SourcedRequirement) -> bool:
        """Whether there are releases of what *wish* names, and none that it and constraints admit.

        False where nothing is known of it: no index has it, or none has answered.
        """
        if wish.url or wish.name in self.locals or wish.name in self.unreachable:
            return False
        return not self.page(wish.name).problem and not any(
            True for _ in self.satisfying(wish.name, [wish])
        )
