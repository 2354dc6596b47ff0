"""What the suite of a service left out on ARM64, and tests whose outcome a hook has made up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from ..decide.evidence import REWRITTEN, SKIPPED_ON_ARM, Incident, Omission, TestOutcome
from ..inside import rewritten
from ..inside.frames import Omitted
from ..inside.omissions import DROPPED, SELECTED
from ..inside.skips import FOR_MACHINE
from .cells import Role
from .incidents import one_line
from .part_session import NestedRun
from .unseen_session import CellResult

_REWRITTEN = {
    rewritten.RAISED: "a hook hides the error of",
    rewritten.NOT_CALLED: "a hook reports as passed, and never called the function of",
    rewritten.HANDMADE: "a hook reports as passed, and did not run",
}
_COMPARE = "compare with x86 (--arm64-compare), or mark what stays there x86_boundary"
_SHOWN = 3
Mine = Callable[[str], bool]
"""Whether a path, or a node id, is of the service in question."""


@dataclass
class _Part:
    """Of one part of a run."""

    rewritten: dict[str, str] = field(default_factory=dict)
    """What a hook has done, by node id."""
    for_machine: set[str] = field(default_factory=set)
    """Node ids of tests that were skipped, or expected to fail, because of the machine."""
    files: dict[str, bool] = field(default_factory=dict)
    """Files that were skipped whole, and whether because of the machine."""


class LeftOut:
    """Takes note of reports, by the name of the part of the run that they come from."""

    def __init__(self) -> None:
        self._parts: defaultdict[str, _Part] = defaultdict(_Part)

    def tested(self, part: str, report: pytest.TestReport) -> None:
        """A phase of a test was reported."""
        done = getattr(report, rewritten.REWRITTEN, "")
        if done in _REWRITTEN:
            self._parts[part].rewritten[report.nodeid] = done
        if getattr(report, FOR_MACHINE, False):
            self._parts[part].for_machine.add(report.nodeid)

    def collected(self, part: str, report: pytest.CollectReport) -> None:
        """A file was reported that was not collected."""
        if report.skipped:
            file = report.nodeid.partition("::")[0]
            self._parts[part].files[file] = getattr(report, FOR_MACHINE, False)

    def part(self, run: NestedRun) -> Iterator[str]:
        """What makes the session of *run* one of a part of the tests, though nobody typed it."""
        for each in _omitted(run):
            tests = f"{each.number} test{'s' * (each.number > 1)}"
            if each.how == DROPPED:
                yield f"a hook left {tests} out"
            elif each.how == SELECTED:
                yield f"{each.by} left {tests} out"

    def omissions(self, run: NestedRun, mine: Mine) -> tuple[Omission, ...]:
        """What of the suite was left out in *run*."""
        files = [path for path in self._parts[run.part.name].files if mine(path)]
        skipped = (Omission("", "skipped", len(files)),) if files else ()
        omitted = (
            Omission(o.by, o.how, o.number)
            for o in _omitted(run)
            if o.how != SELECTED and mine(o.by)
        )
        return (*omitted, *skipped)

    def incidents(
        self, run: NestedRun, tests: Sequence[TestOutcome], mine: Mine
    ) -> Iterator[Incident]:
        """Why the green of *tests*, those of one service in *run*, is not all of its suite's."""
        part, x86 = self._parts[run.part.name], _reference(run)
        for kind, what in _REWRITTEN.items():
            changed = (t.nodeid for t in tests if part.rewritten.get(t.nodeid) == kind)
            for path, names in _by_file(changed):
                yield _incident(REWRITTEN, f"{what} {_shown(names)}", path)
        here = [test for test in tests if test.outcome in ("skipped", "xfailed", "xpassed")]
        for path, names in _by_file(t.nodeid for t in here if _for_machine(t, part, x86)):
            plural = "tests were" if names[1:] else "test was"
            text = f"{len(names)} {plural} skipped or expected to fail on ARM64"
            yield _incident(SKIPPED_ON_ARM, f"{text}: {_shown(names)}: {_COMPARE}", path)
        for path in (path for path, for_machine in part.files.items() if for_machine):
            if mine(path) and (x86 is None or any(t.startswith(path) for t in x86.tests)):
                yield _incident(SKIPPED_ON_ARM, f"skipped on ARM64 as a whole: {_COMPARE}", path)
        for each in _omitted(run):
            if each.machine and mine(each.by) and (x86 is None or _more(run, x86)):
                omission = Omission(each.by, each.how, each.number)
                text = f"{omission}, which depends on the machine: {_COMPARE}"
                yield _incident(SKIPPED_ON_ARM, text, each.by)


def _for_machine(test: TestOutcome, part: _Part, x86: CellResult | None) -> bool:
    """Whether *test* would count otherwise on x86; a run there knows it, else its source does."""
    there = x86.tests.get(test.nodeid) if x86 is not None else None
    if there is None:
        return test.nodeid in part.for_machine
    return there.outcome != test.outcome


def _more(run: NestedRun, x86: CellResult) -> bool:
    """Whether tests were collected on x86 that were not in *run*."""
    assert run.session is not None
    return bool(set(x86.collected) - set(run.session.mirror.ledger.collected))


def _reference(run: NestedRun) -> CellResult | None:
    """The x86 side of *run*, where there is one that came to its end."""
    complete = (r for r in run.results if r.planned.role is Role.REFERENCE and not r.problems)
    return next(complete, None)


def _omitted(run: NestedRun) -> Sequence[Omitted]:
    return run.session.mirror.omitted if run.session is not None else ()


def _by_file(nodeids: Iterator[str]) -> Iterator[tuple[str, list[str]]]:
    files: defaultdict[str, list[str]] = defaultdict(list)
    for nodeid in nodeids:
        files[nodeid.partition("::")[0]].append(nodeid)
    yield from files.items()


def _shown(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(name.partition("::")[2] for name in names[:_SHOWN]) + more


def _incident(kind: str, text: str, path: str) -> Incident:
    return Incident(kind, one_line(text), path)
