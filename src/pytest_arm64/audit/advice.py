"""What would turn a package green, checked against everything that holds its version."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from packaging.version import Version

from ..index.simple import WHEEL, IndexFile
from ..inputs.requirements import Node, SourcedRequirement
from . import causes
from .causes import Diagnosis, minors
from .known_packages import Known
from .matrix import BLOCKER, SOURCE, Remedy
from .pins_to_move import Freeing, Move, admits
from .platform import Platform
from .usable_files import Nearest


@dataclass(frozen=True)
class Adviser:
    """Finds the fix for a row, given its cause."""

    freeing: Freeing
    known: Known
    renewal: str = ""
    """For a lock, the command that moves one release of it."""

    def of(
        self,
        node: Node,
        version: Version,
        state: str,
        diagnosis: Diagnosis,
        nearest: Nearest,
        demands: tuple[SourcedRequirement, ...],
    ) -> Remedy:
        """What to do about *node*, whose *version* is not green.

        Args:
            node: the package.
            version: the release that is selected.
            state: ``source`` or ``blocker``.
            diagnosis: why it is.
            nearest: the nearest releases with a usable wheel.
            demands: everything that limits its version.
        """
        fix = self._of_this_release(node, version, diagnosis)
        if fix is None:
            files = self.freeing.candidates.files(node.name, version)
            chosen = _chosen(nearest, state, files)
            fix = (
                Remedy(_without_wheel(node, state, diagnosis))
                if chosen is None
                else self._of_another(node, version, chosen, nearest, demands)
            )
            fix = replace(fix, text=fix.text + _other_python(diagnosis))
        return self._with_replacement(fix, node.name)

    def out_of_defect(
        self,
        node: Node,
        version: Version,
        nearest: Nearest,
        demands: tuple[SourcedRequirement, ...],
    ) -> Remedy | None:
        """What to do about *node*, whose *version* has a usable wheel and a known defect.

        Args:
            node: the package.
            version: the release that is selected.
            nearest: the nearest releases with a usable wheel and without a known defect.
            demands: everything that limits its version.
        """
        chosen = nearest.later or nearest.earlier
        if chosen is None:
            return None
        return self._of_another(
            node, version, chosen, nearest, demands, quality=" and no known defect"
        )

    def of_missing(self, node: Node, wish: SourcedRequirement) -> Remedy:
        """What to do about a demand that no release of *node* satisfies."""
        if wish.direct:
            return self._with_replacement(self._nearest_release(node, wish), node.name)
        candidates = self.freeing.candidates
        parents = [self.freeing.nodes[name] for name in node.parents]
        for parent in parents:
            for earlier in (False, True):
                free = self.freeing.release(
                    parent,
                    node.name,
                    lambda demand: any(admits(demand, v) for v in candidates.releases(node.name)),
                    earlier=earlier,
                )
                moves = self.freeing.moves(parent, free) if free is not None else None
                if moves is not None:
                    text = f"{parent.name} {free} asks for one that exists: {self._how(moves)}"
                    return Remedy(text, moves=tuple(map(str, moves)))
        names = " and ".join(parent.name for parent in parents)
        fix = Remedy(f"no release of {names} that the target can use asks for one that exists")
        for parent in parents:
            fix = self._with_replacement(fix, parent.name)
        return fix

    def _nearest_release(self, node: Node, wish: SourcedRequirement) -> Remedy:
        releases = self.freeing.candidates.releases(node.name)
        final = [
            version
            for version, files in releases.items()
            if not version.is_prerelease
            if not all(file.yanked for file in files)
            if not self.known.defect(node.name, version)
        ]
        pinned = wish.exact
        later = [version for version in final if pinned is None or version > pinned]
        choice = (later[-1] if pinned else later[0]) if later else next(iter(final), None)
        if choice is None:
            return Remedy(f"change {_who(wish)}: it has no final release that can be advised")
        return Remedy(f"the nearest release is {choice}: change {_who(wish)}", str(choice))

    def _of_this_release(self, node: Node, version: Version, diagnosis: Diagnosis) -> Remedy | None:
        """Where the index has a usable wheel of this very release: what keeps it out."""
        wheel = diagnosis.wheel
        if wheel is None:
            return None
        texts = {
            causes.LOCK: f"lock again for all platforms: {wheel.name} is then used",
            causes.WRONG_PYTHON: f"lock again for this Python: {wheel.name} is then used",
            causes.NO_BINARY: f"remove --no-binary for {node.name}: {wheel.name} is then used",
            causes.HASHES: f"add {_hash(wheel)} of {wheel.name}, or make the file again for all "
            "platforms",
        }
        return Remedy(texts[diagnosis.cause], str(version), wheel.name, allowed=True)

    def _of_another(
        self,
        node: Node,
        version: Version,
        chosen: tuple[Version, IndexFile],
        nearest: Nearest,
        demands: Iterable[SourcedRequirement],
        *,
        quality: str = "",
    ) -> Remedy:
        target, file = chosen
        held = [wish for wish in demands if not admits(wish, target)]
        what = f"{node.name} {target} has a usable wheel{quality}"
        if nearest.later is None:
            what = f"no later release has a usable wheel{quality}; {what}"
        major = target.epoch != version.epoch or target.major != version.major
        if major:
            what += " (another major version)"
        moves = self.freeing.moves(node, target)
        if not held:
            how = self.renewal.format(name=node.name, version=target) or "pin it"
            text = f"{what} and every requirement allows it: {how}"
        elif all(wish.direct for wish in held):
            text = f"{what}: change {', '.join(map(_who, held[:3]))}"
        else:
            holding = ", ".join(_who(wish) for wish in held[:3])
            text = f"{what}, but it is held at {version} by {holding}"
            text += f": {self._how(moves)}" if moves is not None else self._nobody_lets_go(node)
        return Remedy(
            text,
            str(target),
            file.name,
            not held,
            tuple(map(_who, held)),
            own=all(wish.direct for wish in held),
            moves=tuple(map(str, moves or ())),
            major=major,
        )

    def _nobody_lets_go(self, node: Node) -> str:
        names = ", ".join(node.parents[:3])
        return f"; no later release of {names} is known to let it go" if names else ""

    def _how(self, moves: Iterable[Move]) -> str:
        """The pins to change, each with where it stands; without any an upgrade is enough."""
        moves = list(moves)
        if not moves:
            return "resolve it again"
        if self.renewal:
            return "; ".join(
                self.renewal.format(name=move.node.name, version=move.version) for move in moves
            )
        return "; ".join(
            f"change {', '.join(_who(w) for w in move.node.demands if w.direct)} "
            f"to {move.node.name} {move.version}"
            for move in moves
        )

    def _with_replacement(self, fix: Remedy, name: str) -> Remedy:
        replacement = self.known.replacement(name)
        if replacement is None:
            return fix
        return replace(
            fix,
            text=f"{fix.text}; {replacement.name} can replace it ({replacement.source})",
            replacement=replacement.name,
            source=replacement.source,
        )


def not_needed(node: Node, x86: Platform) -> Remedy:
    """What to do about a package that only *x86* needs: no release of it has to be found."""
    marker = f'platform_machine == "{x86.machine}"'
    own = [wish for wish in node.demands if wish.direct]
    if not own:
        return Remedy(
            f"it comes with {', '.join(node.parents[:3])}, which the target does not need"
        )
    places = ", ".join(wish.origin for wish in own[:3])
    text = f"the target does not need it: remove it, or mark it ; {marker} ({places})"
    return Remedy(text, marker=marker, own=True)


def passed_over(
    fix: Remedy, name: str, near: Nearest, safe: Nearest, defect: Callable[[str, Version], str]
) -> Remedy:
    """*fix*, with the nearer release that it is not, and why.

    Args:
        fix: what leads to a release of *safe*, if there is any.
        name: the package.
        near: the nearest releases with a usable wheel.
        safe: the same among those without a known defect.
        defect: tells the advisory on a release.
    """
    chosen = near.later or near.earlier
    if chosen is None:
        return fix
    version = chosen[0]
    why = f"{name} {version} has a usable wheel and a known defect ({defect(name, version)})"
    if safe.later is None and safe.earlier is None:
        return replace(fix, text=f"{why}: build a release in the target's image, or replace it")
    return replace(fix, text=f"{fix.text}; {why}")


def _chosen(
    nearest: Nearest, state: str, files: Iterable[IndexFile]
) -> tuple[Version, IndexFile] | None:
    """The release to advise: a later one; an earlier one only where it is as good.

    A pure package that can be built anyway is built: going back to an older release of it would
    gain nothing. And what was pure once, or a placeholder, does not do what compiled files do.
    """
    if nearest.later is not None or nearest.earlier is None:
        return nearest.later
    pure = nearest.earlier[1].name.endswith("-any.whl")
    compiled = any(f.kind == WHEEL and not f.name.endswith("-any.whl") for f in files)
    return None if pure and (state == SOURCE or compiled) else nearest.earlier


def _other_python(diagnosis: Diagnosis) -> str:
    if not diagnosis.pythons:
        return ""
    return f"; or deploy on a Python version it supports ({minors(diagnosis.pythons)})"


def _without_wheel(node: Node, state: str, diagnosis: Diagnosis) -> str:
    if diagnosis.sources_excluded:
        return (
            "no release has a usable wheel, and --only-binary excludes the source: allow it with "
            f"--no-binary {node.name}, and build it in the target's image"
        )
    if diagnosis.cause == causes.X86_INSIDE:
        return (
            "no later release is known to have them for ARM64: replace it, or keep the service "
            "on x86"
        )
    if state == BLOCKER:
        return "no release has a file for this target: replace it, or keep the service on x86"
    return "no release has a usable wheel: build it in the target's image, or replace it"


def _hash(file: IndexFile) -> str:
    return f"--hash=sha256:{file.sha256}" if file.sha256 else "the hash"


def _who(wish: SourcedRequirement) -> str:
    return f"{wish} ({wish.origin})" if wish.direct else f"{wish.origin}, which asks for {wish}"
