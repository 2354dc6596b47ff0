"""Which of the service's own pins would have to move so that a dependency may."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from packaging.version import Version

from ..inputs.requirements import Node, SourcedRequirement, sourced_requirement
from .candidates import Candidates
from .usable_files import admits as admits_python

_DEEPEST = 3


@dataclass(frozen=True)
class Move:
    """A project that the service asks for itself, and the release that it would have to be."""

    node: Node
    version: Version

    def __str__(self) -> str:
        return f"{self.node.name}=={self.version}"


@dataclass(frozen=True)
class Freeing:
    """Looks for releases whose demands let go of what they hold."""

    candidates: Candidates
    nodes: Mapping[str, Node]
    defect: Callable[[str, Version], str]
    """Tells the advisory that keeps a release from being advised; empty for none."""

    def moves(self, node: Node, version: Version, depth: int = 0) -> tuple[Move, ...] | None:
        """What to move so that *node* may become *version*; None where nothing is known to do.

        Every answer is checked against the metadata of the releases in it, and against nothing
        else: whether they go together is for a resolution to say.
        """
        if depth == _DEEPEST:
            return None
        moves: tuple[Move, ...] = ()
        for parent in self._holding(node, version):
            free = self.release(parent, node.name, lambda wish: admits(wish, version))
            further = self.moves(parent, free, depth + 1) if free is not None else None
            if further is None:
                return None
            moves += further
        if any(wish.direct and not admits(wish, version) for wish in node.demands):
            moves += (Move(node, version),)
        return tuple(dict.fromkeys(moves))

    def _holding(self, node: Node, version: Version) -> Iterator[Node]:
        """The packages of the tree whose demands exclude *version* of *node*."""
        for name in node.parents:
            parent = self.nodes[name]
            wishes = self._demands(parent, parent.version, node.name) if parent.version else None
            if any(not admits(wish, version) for wish in wishes or ()):
                yield parent

    def release(
        self,
        parent: Node,
        name: str,
        lets_go: Callable[[SourcedRequirement], bool],
        *,
        earlier: bool = False,
    ) -> Version | None:
        """The nearest release of *parent* whose demands on *name* all let go.

        Args:
            parent: what holds it.
            name: what is held.
            lets_go: whether a demand does.
            earlier: look at releases before the selected one, and not at later ones.
        """
        selected = parent.version
        if selected is None:
            return None

        def free(version: Version) -> bool:
            wishes = self._demands(parent, version, name)
            return wishes is not None and all(map(lets_go, wishes))

        releases = self.candidates.releases(parent.name)
        final = [v for v in releases if not v.is_prerelease and not self.defect(parent.name, v)]
        if earlier:
            older = [version for version in final if version < selected][:4]
            return next(filter(free, older), None)
        later = [version for version in final if version > selected]
        if not later or not free(later[0]):
            return None
        # Demands seldom tighten again: between the newest and the selected one, halving finds
        # where they began to let go, with a handful of questions instead of hundreds.
        low, high = 0, len(later)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if free(later[middle]) else (low, middle)
        return later[low]

    def _demands(
        self, parent: Node, version: Version, name: str
    ) -> list[SourcedRequirement] | None:
        """What a release of *parent* says about *name*; None where it is not certain, or no use."""
        usable = self.candidates.fit(parent.name, version, pinned=version == parent.version)
        if version != parent.version and not usable.usable:
            return None
        metadata = self.candidates.metadata_of_index(parent.name, version)
        platform = self.candidates.platform
        if metadata.doubt or not admits_python(metadata.requires_python, platform.python_version):
            return None
        extras: Iterable[str] = ("", *parent.extras)
        return [
            sourced_requirement(requirement, f"{parent.name} {version}")
            for requirement in metadata.parsed()
            if any(platform.calls_for(requirement, extra) for extra in extras)
            and sourced_requirement(requirement, "").name == name
        ]


def admits(wish: SourcedRequirement, version: Version) -> bool:
    """Whether *wish* allows *version*."""
    return not wish.url and wish.specifier.contains(version, prereleases=True)
