"""``--fix``: changes pins in requirement files, after the changed set was resolved as a whole."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from ..advisories.entries import GRAVE
from ..config.project_files import repository_root
from ..config.targets import MACHINES, Target
from ..errors import SettingsError
from ..index.simple import IndexFile
from ..inputs.places import place_of
from ..inputs.requirements import RequirementSet, SourcedRequirement, Tree
from ..inputs.service import Service
from ..inside.regular_file import read_regular
from ..open_folder import write_inside
from .auditor import Auditor
from .index_candidates import IndexCandidates
from .matrix import Row, WheelMatrix
from .platform import Platform, platform_of

_ARCHITECTURES = ("arm64", "amd64")


_PIN = re.compile(r"===?\s*[^\s,;#\\\"']+")


@dataclass(frozen=True)
class Edit:
    """One pin that gets another version, or a marker."""

    place: str
    """File and line, as the audit names them."""
    file: Path
    line: int
    name: str
    old: str
    new: str = ""
    """The release to move to; empty where the pin stays as it is."""
    marker: str = ""
    """What the requirement is to be for, instead of for every machine."""
    remark: str = ""
    """What a reader should know of it."""

    def __str__(self) -> str:
        remark = f" ({self.remark})" if self.remark else ""
        what = f"{self.old} to {self.new}" if self.new else f"only with {self.marker}"
        return f"{self.place}: {self.name} {what}{remark}"


_Proposal = tuple[Edit, ...]
"""Changes that belong together: those that one row asks for."""


def edited_wishes(wishes: RequirementSet, edits: Iterable[Edit]) -> RequirementSet:
    """What *wishes* are once their files have been changed by *edits*."""
    by_place = {(edit.place, edit.name): edit for edit in edits}
    return replace(
        wishes,
        requirements=tuple(
            _edited(requirement, wish, by_place[wish.origin, wish.name])
            if (wish.origin, wish.name) in by_place
            else (requirement, wish)
            for requirement, wish in wishes.requirements
        ),
    )


def _edited(
    requirement: Requirement, wish: SourcedRequirement, edit: Edit
) -> tuple[Requirement, SourcedRequirement]:
    changed = Requirement(str(requirement))
    if edit.new:
        changed.specifier = SpecifierSet(f"=={edit.new}")
    if edit.marker:
        changed.marker = Marker(_both(changed.marker, edit.marker))
    return changed, replace(wish, specifier=changed.specifier)


def _both(marker: Marker | str | None, other: str) -> str:
    return f"({marker}) and {other}" if marker else other


def edited_text(text: str, edits: Sequence[Edit]) -> str:
    """*text* of a requirement file with the pins of *edits* changed, and nothing else.

    A line with hashes stays: hashes of the new release are for the tool that locked it.
    """
    lines = text.splitlines(keepends=True)
    for edit in edits:
        if not 0 < edit.line <= len(lines):
            continue
        line = lines[edit.line - 1]
        head, mark, comment = line.partition(" #")
        if can_edit(head, edit):
            lines[edit.line - 1] = _edited_line(head, edit) + mark + comment
    return "".join(lines)


def can_edit(line: str, edit: Edit) -> bool:
    """Whether *line* holds the pin, and nothing that would have to change with it."""
    if "--hash" in line or line.rstrip().endswith("\\"):
        return False  # the next line belongs to it, or a hash that is another's then
    try:
        requirement = Requirement(re.split(r"\s--", line.strip())[0])
    except ValueError:
        return False
    pinned = SpecifierSet(f"=={edit.old}")
    return canonicalize_name(requirement.name) == edit.name and (
        requirement.specifier == pinned or str(requirement.specifier) == f"==={edit.old}"
    )


def _edited_line(head: str, edit: Edit) -> str:
    if edit.new:
        head = _PIN.sub(f"=={edit.new}", head, count=1)
    if not edit.marker:
        return head
    body = head.rstrip()
    rest = head[len(body) :]
    pin, _, marker = body.partition(";")
    return f"{pin.rstrip()}; {_both(marker.strip(), edit.marker)}{rest}"


@dataclass(frozen=True)
class Audited:
    """A service on a target, and what the audit said of it."""

    service: Service
    target: Target
    matrix: WheelMatrix


@dataclass
class Fixed:
    """What was done, and what was not."""

    differences: list[str] = field(default_factory=list)
    """Unified diffs, one for each file that was written."""
    lines: list[str] = field(default_factory=list)
    """Each change, each file that was written, and each change that was not made, with why."""


def fix(audited: Sequence[Audited], auditor: Auditor, root: Path, *, write: bool = True) -> Fixed:
    """Change what can be changed in requirement files below *root*; show it alone without *write*.

    No byte is written before the changed pins, all together, were resolved on every target and on
    x86_64 with no problem that was not there before.

    Raises:
        SettingsError: a file cannot be written.
    """
    fixed = Fixed()
    proposals = _proposed(audited, root, fixed.lines)
    edits = _that_go_together(proposals, _Trial(audited, auditor), fixed.lines)
    for file in dict.fromkeys(edit.file for edit in edits):
        chosen = [edit for edit in edits if edit.file == file]
        difference = _write(file, chosen, root, write=write)
        if difference:
            fixed.lines += [f"{'changed' if write else 'would change'} {edit}" for edit in chosen]
            fixed.lines.append(f"{'wrote' if write else 'did not write'} {_shown(file, root)}")
            fixed.differences.append(difference)
    fixed.lines += _left_alone(audited)
    return fixed


def _proposed(audited: Iterable[Audited], root: Path, lines: list[str]) -> list[_Proposal]:
    """What the rows ask for, as far as it is a pin that can be changed; the rest is said."""
    proposals = dict.fromkeys(p for entry in audited for p in _of_matrix(entry.matrix, root))
    edits = dict.fromkeys(edit for proposal in proposals for edit in proposal)
    by_pin: dict[tuple[str, str], set[str]] = {}
    for edit in edits:
        by_pin.setdefault((edit.place, edit.name), set()).add(edit.new or edit.marker)
    refused = set()
    for edit in edits:
        choices = by_pin[edit.place, edit.name]
        reason = (
            f"the rows ask for {', '.join(sorted(choices))}"
            if len(choices) > 1
            else _obstacle(edit)
        )
        if reason:
            refused.add(edit)
            lines.append(f"not changed: {edit}: {reason}")
    return [proposal for proposal in proposals if not refused.intersection(proposal)]


def _of_matrix(matrix: WheelMatrix, root: Path) -> Iterator[_Proposal]:
    rows = {row.name: row for row in matrix.deployed}
    for row in matrix.deployed:
        remedy = row.remedy
        if remedy is None or _takes_pure_back(row) or (row.green and _goes_back(row)):
            continue
        if remedy.marker:
            yield tuple(_edit(row, root, marker=remedy.marker))
        else:
            moves = [Requirement(move) for move in remedy.moves]
            yield tuple(
                edit
                for move in moves
                for edit in _edit(rows[move.name], root, new=next(iter(move.specifier)).version)
            )


def _takes_pure_back(row: Row) -> bool:
    """An older release of a pure package would be no gain: what it does is the same anywhere."""
    return row.remedy is not None and row.remedy.file.endswith("-any.whl") and _goes_back(row)


def _goes_back(row: Row) -> bool:
    """Whether the fix is an older release; out of a defect, that is for a person to decide."""
    version = row.remedy.version if row.remedy is not None else ""
    return bool(version) and Version(version) < Version(row.version)


def _edit(row: Row, root: Path, *, new: str = "", marker: str = "") -> Iterator[Edit]:
    """The change of *row*'s own pin; none where no requirement file has entry."""
    place = row.path[0] if len(row.path) == 2 else ""
    name, line = place_of(place)
    if not line or not row.version or new == row.version:
        return
    yield Edit(place, root / name, line, row.name, row.version, new, marker, _remark(row, new))


def _remark(row: Row, new: str) -> str:
    if not new:
        return ""
    before, after = Version(row.version), Version(new)
    remarks = []
    if after < before:
        remarks.append("an earlier release")
    elif (before.epoch, before.major) != (after.epoch, after.major):
        remarks.append("another major version")
    defects = [defect.id for defect in row.advisories if defect.effect in GRAVE]
    if row.green and defects:
        remarks.append(f"because of {', '.join(defects)}")
    return "; ".join(remarks)


def _obstacle(edit: Edit) -> str:
    """Why the line of *edit* cannot be changed; empty where it is a plain pin."""
    if edit.file.name == "pyproject.toml":
        return "--fix changes requirement files only"
    try:
        line = read_regular(edit.file).decode("utf-8").splitlines()[edit.line - 1]
    except (OSError, ValueError, IndexError) as error:
        return f"its file cannot be read: {error}"
    if "--hash" in line or line.rstrip().endswith("\\"):
        return "its line is continued or has hashes: update it with the tool that wrote it"
    return "" if can_edit(line.partition(" #")[0], edit) else "its line is not a plain pin"


class _Trial:
    """Resolves services as they would be, on their targets and on x86_64."""

    def __init__(self, audited: Sequence[Audited], auditor: Auditor) -> None:
        self._audited = [entry for entry in audited if entry.service.lock is None]
        self._auditor = auditor
        self._before: dict[tuple[int, str], dict[str, str]] = {}

    def objection(self, edits: Sequence[Edit]) -> str:
        """What speaks against *edits*, all together; empty where nothing does."""
        for number, entry in enumerate(self._audited):
            wishes = edited_wishes(entry.service.deploy, edits)
            if wishes == entry.service.deploy:
                continue
            for architecture in _ARCHITECTURES:
                platform = platform_of(entry.target, architecture)
                key = (number, architecture)
                if key not in self._before:
                    self._before[key] = self._faults(entry.service.deploy, platform, entry.target)
                faults = self._faults(wishes, platform, entry.target)
                fresh = [text for name, text in faults.items() if name not in self._before[key]]
                if fresh:
                    return f"with it, on {platform.machine}: {fresh[0]}"
        return ""

    def _faults(self, wishes: RequirementSet, platform: Platform, target: Target) -> dict[str, str]:
        """What cannot or should not be installed, and why: by package, problem or defect."""
        tree, candidates = self._auditor.resolved(self._auditor.index(wishes), wishes, platform)

        def doubts(name: str, version: Version) -> dict[str, str]:
            of_files = _doubts(name, version, candidates.files(name, version))
            if platform.machine != MACHINES["arm64"]:
                return of_files
            return of_files | self._defects(name, version, target)

        return faults(tree, candidates, doubts)

    def _defects(self, name: str, version: Version, target: Target) -> dict[str, str]:
        defects = self._auditor.advisories.all_avoided(name, version, target)
        return {f"{d} {name}": f"{name} {version} has a known defect ({d})" for d in defects}


def faults(
    tree: Tree,
    candidates: IndexCandidates,
    doubts: Callable[[str, Version], dict[str, str]] = lambda _name, _version: {},
) -> dict[str, str]:
    """What of *tree* cannot be installed, and why: by package or problem.

    *doubts* are what speaks against a release that could be.
    """
    listed = {problem: problem for problem in tree.problems}
    for name, node in tree.nodes.items():
        if name in candidates.locals:
            continue
        if node.version is None:
            listed[name] = f"{name}: {node.problem}"
        elif not candidates.fit(name, node.version).usable:
            listed[name] = f"{name} {node.version} has no file that can be used"
        else:
            listed |= doubts(name, node.version)
    return listed


def _doubts(name: str, version: Version, files: Sequence[IndexFile]) -> dict[str, str]:
    """What speaks against a release that could be installed."""
    if not files or not all(file.yanked for file in files):
        return {}
    return {f"{name} {version} yanked": f"{name} {version} was yanked by its maintainers"}


def _that_go_together(
    proposals: Sequence[_Proposal], trial: _Trial, lines: list[str]
) -> list[Edit]:
    """As many of *proposals* as can be made together: all of them, else one after the other."""
    everything = _edits_of(proposals)
    if not everything or not trial.objection(everything):
        return everything
    chosen: list[_Proposal] = []
    for proposal in proposals:
        objection = trial.objection(_edits_of([*chosen, proposal]))
        if objection:
            lines += [f"not changed: {edit}: {objection}" for edit in proposal]
        else:
            chosen.append(proposal)
    return _edits_of(chosen)


def _edits_of(proposals: Iterable[_Proposal]) -> list[Edit]:
    return list(dict.fromkeys(edit for proposal in proposals for edit in proposal))


def _write(file: Path, edits: Sequence[Edit], root: Path, *, write: bool) -> str:
    """Write *file* with *edits*; a unified diff, empty where nothing changed."""
    try:
        before = read_regular(file).decode("utf-8")
        after = edited_text(before, edits)
        if after == before:
            return ""
        if write:
            write_inside(repository_root(root), file, after.encode("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} cannot be changed: {error}") from None
    name = _shown(file, root)
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    return "".join(difflib.unified_diff(old, new, f"a/{name}", f"b/{name}"))


def _shown(file: Path, root: Path) -> str:
    return file.relative_to(root).as_posix() if file.is_relative_to(root) else str(file)


def _left_alone(audited: Iterable[Audited]) -> Iterator[str]:
    """Locks: the tool that wrote one changes it."""
    locks = {
        entry.service.lock.shown
        for entry in audited
        if entry.service.lock is not None and not entry.matrix.ready
    }
    for name in sorted(locks):
        yield f"not changed: {name}: each row names the command of the tool that wrote it"
