"""The state of each package of a tree, and why it is not green."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from packaging.version import Version

from ..contents.wheels import WheelReader
from ..index.addresses import shown
from ..index.simple import IndexFile
from ..inputs.requirements import LocalProject, Node, SourcedRequirement, Tree
from .advice import Adviser, not_needed, passed_over
from .candidates import Candidates
from .causes import (
    MISSING,
    SOURCE_EVERYWHERE,
    UNREADABLE,
    X86_INSIDE,
    X86_PIN,
    Causes,
    Diagnosis,
    x86_pins,
)
from .contents import contents_for_any, weighed, wheel_of
from .known_packages import Known
from .matrix import BLOCKER, DEPLOY, PURE, SOURCE, STATES, UNKNOWN, WHEEL, Row
from .pins_to_move import Freeing
from .platform import Platform, libstdcxx_of
from .usable_files import Fit, Nearest, fit, floor_of, nearest, newest
from .usable_files import admits as admits_python


@dataclass(frozen=True)
class Judge:
    """Files seen through the eyes of the target, and of x86_64 for comparison."""

    candidates: Candidates
    platform: Platform
    x86: Platform
    known: Known
    """What else is known of packages: replacements, system packages of the target."""
    scope: str = DEPLOY
    lock: str = ""
    """The lock file that decides, as shown; empty if the index does."""
    renewal: str = ""
    """The command that moves one release of the lock."""
    wheels: WheelReader | None = None
    """What looks into wheels for any platform; without it they count by their names."""

    def rows(self, tree: Tree) -> tuple[Row, ...]:
        """A row for each package of *tree*, the gravest first."""
        freeing = Freeing(self.candidates, tree.nodes, self.known.defect)
        adviser = Adviser(freeing, self.known, self.renewal)
        rows = {name: self._row(node, adviser) for name, node in tree.nodes.items()}
        rows = self._weighed(tree, rows)
        rows |= self._for_x86_inside(tree, rows, adviser)
        if any(not row.green for row in rows.values()):
            rows |= self._pinned_on_x86(tree, rows)
        blocked = _blocked(tree.nodes, [n for n, row in rows.items() if row.state == BLOCKER])
        judged = (replace(row, blocked_by=blocked.get(name, ())) for name, row in rows.items())
        return tuple(sorted(judged, key=lambda row: (STATES.index(row.state), row.name)))

    def _pinned_on_x86(self, tree: Tree, rows: Mapping[str, Row]) -> dict[str, Row]:
        """Rows that are not green and that the target does not need, with that as their cause."""
        pins = x86_pins(tree.nodes, self.candidates, self.x86)
        return {
            name: replace(
                rows[name],
                cause=X86_PIN,
                detail=f"{who} asks for it on {self.x86.machine}, and on "
                f"{self.platform.machine} nothing does: it was pinned on {self.x86.machine}",
                remedy=not_needed(tree.nodes[name], self.x86),
            )
            for name, who in pins.items()
            if not rows[name].green
        }

    def _weighed(self, tree: Tree, rows: dict[str, Row]) -> dict[str, Row]:
        """Rows with what their wheels unpack to; all wheels that count are read at once."""
        if self.wheels is None or self.scope != DEPLOY:
            return rows
        wheels = {name: file for name, row in rows.items() if (file := wheel_of(row))}
        x86 = {name: file for name in rows if (file := self._x86_wheel(tree.nodes[name]))}
        self.wheels.read([*wheels.items(), *x86.items()])
        on_arm, on_x86 = self.wheels.contents(wheels), self.wheels.contents(x86)
        return {n: weighed(row, on_arm.get(n), on_x86.get(n)) for n, row in rows.items()}

    def _x86_wheel(self, node: Node) -> IndexFile | None:
        """The wheel of the same release on x86_64."""
        if node.version is None or node.name in self.candidates.locals:
            return None
        return fit(self.candidates.files(node.name, node.version), self.x86, yanked=True).wheel

    def _for_x86_inside(
        self, tree: Tree, rows: Mapping[str, Row], adviser: Adviser
    ) -> dict[str, Row]:
        """Rows whose wheels, for any platform by their names, hold compiled files for x86-64."""
        contents = contents_for_any(rows, self.wheels) if self.wheels is not None else {}
        changed = {}
        for name, of_wheel in contents.items():
            node, row = tree.nodes[name], rows[name]
            if not of_wheel.x86 or node.version is None:
                continue
            lacks = self.known.lacks(name)
            if lacks:
                detail = (
                    f"for x86-64 alone it holds {of_wheel.named}; without it there is no {lacks}"
                )
                changed[name] = replace(row, cause=X86_INSIDE, detail=detail)
                continue
            detail = (
                "its wheel is for any platform by its name, and holds files for x86-64 Linux and "
                f"none for ARM64: {of_wheel.named}; what starts or loads them fails"
            )
            near = Nearest(self._first_for_arm(name, node.version))
            demands = self.candidates.demands(node)
            diagnosis = Diagnosis(X86_INSIDE, detail)
            fix = adviser.of(node, node.version, BLOCKER, diagnosis, near, demands)
            changed[name] = replace(
                row, state=BLOCKER, cause=X86_INSIDE, detail=detail, remedy=fix, native=True
            )
        return changed

    def _first_for_arm(self, name: str, version: Version) -> tuple[Version, IndexFile] | None:
        """The first later release whose wheel does not hold files for x86-64 alone."""
        assert self.wheels is not None
        releases = self._without_defects(name, self.candidates.releases(name))
        later = [
            (v, wheel)
            for v in reversed(tuple(releases))
            if v > version and not v.is_prerelease
            if (wheel := fit(releases[v], self.platform).wheel) is not None
        ]
        if not later or not self.wheels.for_arm(name, later[-1][1]):
            return None
        # What is for ARM64 once stays so: halving asks about a handful of releases.
        low, high = -1, len(later) - 1
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (
                (low, middle) if self.wheels.for_arm(name, later[middle][1]) else (middle, high)
            )
        return later[high]

    def _row(self, node: Node, adviser: Adviser) -> Row:
        local = self.candidates.locals.get(node.name)
        if local is not None:
            return self._local(node, local)
        if node.version is None:
            return self._unknown(node, adviser)
        return self._released(node, node.version, adviser)

    def _unknown(self, node: Node, adviser: Adviser) -> Row:
        row = Row(node.name, "", UNKNOWN, node.path, UNREADABLE, node.problem, scope=self.scope)
        if node.missing is None:
            return row
        detail = self._missing(node, node.missing)
        fix = adviser.of_missing(node, node.missing)
        return replace(row, cause=MISSING, detail=detail, remedy=fix)

    def _missing(self, node: Node, wish: SourcedRequirement) -> str:
        """Which release there is not, who asks for it, and what there is."""
        versions = [v for v in self.candidates.releases(node.name) if not v.is_prerelease]
        offer = f"; its releases are {versions[-1]} to {versions[0]}" if versions else ""
        return f"{node.problem}, which {wish.origin} asks for{offer}"

    def _local(self, node: Node, local: LocalProject) -> Row:
        return Row(
            node.name,
            local.version,
            SOURCE if local.native else PURE,
            node.path,
            native=local.native,
            cause=SOURCE_EVERYWHERE if local.native else "",
            detail=local.detail if local.native else "",
            doubt=local.doubt,
            scope=self.scope,
            url=shown(local.uri),
            editable=local.editable,
        )

    def _released(self, node: Node, version: Version, adviser: Adviser) -> Row:
        name = node.name
        files = self.candidates.files(name, version)
        usable = self.candidates.fit(name, version, pinned=any(w.pin for w in node.demands))
        metadata = self.candidates.metadata(name, version)
        refused = not admits_python(metadata.requires_python, self.platform.python_version)
        if refused:
            # Not every index repeats on its page what the metadata ask for.
            usable = Fit()
        state = state_of(usable)
        file = usable.wheel or usable.sdist
        floor = floor_of(usable.wheel.name, self.platform) if usable.wheel else None
        green = state in (PURE, WHEEL)
        asked = not green or self.candidates.asked(name)
        needs = self.known.system_packages(name, state)
        row = Row(
            name,
            str(version),
            state,
            node.path,
            native=usable.native or state in (SOURCE, BLOCKER),
            file=file.name if file else "",
            size=file.size if file else 0,
            glibc=f"{floor[0]}.{floor[1]}" if floor else "",
            x86=state_of(fit(files, self.x86, yanked=True)),
            files=tuple(sorted(f.name for f in files)),
            newest_wheel=newest(self.candidates.releases(name), self.platform) if asked else "",
            doubt=metadata.doubt,
            yanked=bool(files) and all(f.yanked for f in files),
            scope=self.scope,
            url=file.url if file else "",
            hashes=(f"sha256:{file.sha256}",) if file and file.sha256 else (),
            libstdcxx=libstdcxx_of(floor) if floor else "",
            system=self.known.system_words(needs),
            system_packages=self.known.installable(needs),
        )
        if not green:
            return self._explained(row, node, version, usable, adviser)
        return self._out_of_defect(row, node, version, adviser)

    def _out_of_defect(self, row: Row, node: Node, version: Version, adviser: Adviser) -> Row:
        """*row*, which is green, with the way out of a known defect where it has one."""
        if not self.known.defect(node.name, version):
            return row
        releases = self._without_defects(node.name, self.candidates.releases(node.name))
        safe = nearest(releases, version, self.platform)
        demands = self.candidates.demands(node)
        return replace(row, remedy=adviser.out_of_defect(node, version, safe, demands))

    def _explained(
        self, row: Row, node: Node, version: Version, usable: Fit, adviser: Adviser
    ) -> Row:
        """*row* with cause and fix."""
        releases = self.candidates.releases(node.name)
        near = nearest(releases, version, self.platform)
        causes = Causes(self.candidates, self.platform, self.x86, self.lock)
        diagnosis = causes.of(node, version, usable, near)
        demands = self.candidates.demands(node)
        safe = nearest(self._without_defects(node.name, releases), version, self.platform)
        fix = adviser.of(node, version, row.state, diagnosis, safe, demands)
        if safe != near:
            fix = passed_over(fix, node.name, near, safe, self.known.defect)
        url = row.url or address_of(releases.get(version, ()), row.file)
        return replace(row, cause=diagnosis.cause, detail=diagnosis.detail, remedy=fix, url=url)

    def _without_defects(
        self, name: str, releases: Mapping[Version, tuple[IndexFile, ...]]
    ) -> Mapping[Version, tuple[IndexFile, ...]]:
        """The releases that can be advised: those without an advisory that may apply."""
        return {v: files for v, files in releases.items() if not self.known.defect(name, v)}


def address_of(files: Iterable[IndexFile], name: str) -> str:
    """Where the file called *name* is; empty where it is not among *files*."""
    return next((file.url for file in files if file.name == name), "")


def state_of(usable: Fit) -> str:
    """One of the four states."""
    if usable.wheel is not None:
        return WHEEL if usable.native else PURE
    return SOURCE if usable.sdist is not None else BLOCKER


def _blocked(nodes: Mapping[str, Node], blockers: list[str]) -> dict[str, tuple[str, ...]]:
    """By name: the blockers that it leads to."""
    led_to: dict[str, set[str]] = {}
    for blocker in blockers:
        pending = list(nodes[blocker].parents)
        while pending:
            name = pending.pop()
            if blocker not in led_to.setdefault(name, set()) and name != blocker:
                led_to[name].add(blocker)
                pending.extend(nodes[name].parents)
    return {name: tuple(sorted(names)) for name, names in led_to.items()}
