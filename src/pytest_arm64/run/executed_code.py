"""Which places that assume x86 the tests of a part of the run execute on ARM64."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ..config.services import ServiceConfig
from ..decide.evidence import ServiceEvidence, TestOutcome
from ..decide.executed_code import BRANCH, X86Place
from ..inside.frames import ASSUMING_X86
from ..inside.ran import Ran
from .launch import project_of
from .parts import RunPart

if TYPE_CHECKING:
    from ..mirror.mirror import HostMirror
    from ..sources.scan import CodeScan

MOST_PLACES = 5000
"""Of one part, the first ones in the order of their files."""


@dataclass(frozen=True)
class WatchedPlace:
    """A place, and the lines of the statement around it."""

    place: X86Place
    services: tuple[str, ...]
    """Whose code it is in."""
    file: str
    """Its absolute path, which is the same in a container."""
    first: int
    """0 where no tool says which lines are executed, as of C."""
    last: int


@dataclass(frozen=True)
class WatchedCode:
    """What the mirrored session of one part is asked about."""

    places: tuple[WatchedPlace, ...] = ()

    @property
    def statements(self) -> Mapping[str, Sequence[tuple[int, int]]]:
        """First and last lines, by file."""
        lines: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        for each in self.places:
            if each.first:
                lines[each.file].append((each.first, each.last))
        return dict(lines)

    @property
    def records(self) -> Mapping[str, object]:
        """What the session reads of it; empty where it has nothing to watch."""
        return {ASSUMING_X86: statements} if (statements := self.statements) else {}

    def add_to(
        self,
        evidence: ServiceEvidence,
        mirror: HostMirror,
        where: Ran,
        tests: Iterable[TestOutcome],
    ) -> ServiceEvidence:
        """*evidence* with the places in its code, and what *mirror* says of them.

        Args:
            evidence: of one service.
            mirror: of the session that ran its tests.
            where: what it ran on.
            tests: those tests.
        """
        mine = [each for each in self.places if evidence.name in each.services]
        problem = _problem(mirror, where, tests) if any(each.first for each in mine) else ""
        places = (
            each.place
            if problem or not each.first
            else replace(each.place, executed=mirror.executed.has(each.file, each.first))
            for each in mine
        )
        return replace(evidence, code=tuple(places), code_problem=problem)


def _problem(mirror: HostMirror, where: Ran, tests: Iterable[TestOutcome]) -> str:
    """Why it is not known what was executed on ARM64."""
    if not where.on_arm:
        return "the tests did not run on ARM64"
    if any(test.died for test in tests):
        return "a process died and did not say"
    problem = mirror.executed.problem
    return "the session did not say" if problem is None else problem


def watched_code(config: pytest.Config, part: RunPart) -> WatchedCode:
    """Places in the code of *part*; none where no report is to show them.

    Raises:
        SettingsError: the configuration cannot be used.
    """
    if not config.option.arm64_report or config.option.collectonly:
        return WatchedCode()
    if part.bounded or part.settings.changes:
        return WatchedCode()
    from ..sources.scan import scan

    project = project_of(config)
    code = scan(part.owner, part.service.folder, project.root)
    places = _places(code, project.root, project.services.declared)
    return WatchedCode(tuple(dict.fromkeys(places))[:MOST_PLACES])


def _places(
    code: CodeScan, root: Path, services: Sequence[ServiceConfig]
) -> Iterator[WatchedPlace]:
    for branch in code.branches:
        place = X86Place(branch.path, branch.line, BRANCH, branch.arm)
        first = branch.line if place.in_python else 0
        file = root / branch.path
        yield WatchedPlace(place, _owners(file, services), str(file), first, branch.last)
    for found in code.findings:
        place, file = X86Place(found.path, found.line, found.rule), root / found.path
        owners = _owners(file, services)
        yield WatchedPlace(place, owners, str(file), found.begins, found.ends)


def _owners(file: Path, services: Sequence[ServiceConfig]) -> tuple[str, ...]:
    """The services in whose folder *file* is, where none has a nearer one."""
    around = [service for service in services if service.folder in file.parents]
    depth = max((len(service.folder.parts) for service in around), default=0)
    return tuple(s.name for s in around if len(s.folder.parts) == depth)
