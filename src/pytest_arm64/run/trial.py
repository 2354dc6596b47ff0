"""``--arm64-try``: what a change does to each test and golden value, on x86 and on ARM64."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ..audit.matrix import WheelMatrix
from ..decide.collect import install_of
from ..decide.evidence import ServiceEvidence
from ..decide.gate import TRIAL
from ..decide.trials import EFFECTS, Trial, TrialSide
from ..environment.record import InstallRecord
from ..inside.options import TRY
from ..inside.ran import Ran
from ..mirror.pytest_internals import terminal_reporter
from ..mirror.transport import Transport
from ..report.matrix_output import printable
from .arguments import GATE
from .cells import Role
from .chosen_parts import UNTRIED
from .gates import Gate, emit_after_the_tests
from .reference import MOST_REPEATED
from .reference_values import files_for_others, reference_values
from .trial_effects import Compared, Tests, compared, suspects
from .unseen_session import CellResult, OutcomeRecorder, Receiver, SilentCell

if TYPE_CHECKING:
    from .host import HostPlugin
    from .part_session import NestedRun

NAME = "arm64-trial"
_SHOWN = 20
"""Effects of one side that are listed in the terminal; the report has all."""


class TrialPlugin:
    """Registered where ``--arm64-try`` is given, after the host's plugin."""

    def __init__(self, config: pytest.Config, host: HostPlugin) -> None:
        self._config = config
        self._host = host
        self._cells: dict[Role, tuple[SilentCell, CellResult]] = {}
        """The x86 side of the part that runs: as locked, and with the changes."""
        self._here = OutcomeRecorder()
        """The same part on ARM64."""
        self._trials: dict[str, Trial] = {}
        """By the part of the run."""
        self._seconds: dict[str, float] = {}
        self._lines: list[str] = []

    def trial_of(self, part: str) -> Trial | None:
        """What *part* of the run has tried; None where it did not get so far."""
        return self._trials.get(part)

    def pytest_arm64_cell(
        self,
        cell: SilentCell,
        result: CellResult,
        others: Sequence[Receiver],
        mirrored: Transport,
    ) -> None:
        role = cell.planned.role
        if role not in (Role.REFERENCE, Role.CHANGED):
            return
        self._cells[role] = (cell, result)
        if role is Role.REFERENCE:
            values, uncontrolled = reference_values(cell, result)
            self._lines += [uncontrolled] if uncontrolled else []
            files = files_for_others(values, result)
            for other in others:
                other.give(files)
            mirrored.give(files)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not report.nodeid.startswith(GATE):
            self._here.pytest_runtest_logreport(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._here.pytest_collectreport(report)

    def pytest_arm64_finished(
        self, complete: bool, again: Callable[[Collection[str]], CellResult]
    ) -> None:
        run, cells, here = self._host.current, self._cells, self._here.outcomes()
        # What comes next is of the next part of the run.
        self._cells, self._here = {}, OutcomeRecorder()
        if run is None or len(cells) != 2 or not run.part.settings.changes:
            return
        (locked_cell, locked), (changed_cell, changed) = (
            cells[Role.REFERENCE],
            cells[Role.CHANGED],
        )
        x86 = compared(locked.tests, changed.tests, alike=True)
        arm = compared(locked.tests, here, alike=False)
        repeated = list(dict.fromkeys(suspects(x86, arm)))[:MOST_REPEATED]
        reporter = terminal_reporter(self._config)
        if reporter is not None:
            reporter.ensure_newline()
        flaky_there, flaky_here = set[str](), set[str]()
        if repeated:
            before = _changing(locked.tests, locked_cell.run(only=repeated).tests)
            flaky_there = before | _changing(changed.tests, changed_cell.run(only=repeated).tests)
            flaky_here = before | _changing(here, again(repeated).tests)
            x86 = compared(locked.tests, changed.tests, alike=True, flaky=flaky_there)
            arm = compared(locked.tests, here, alike=False, flaky=flaky_here)
        incomplete = () if complete else tuple(run.problems) or ("not every test has a result",)
        self._trials[run.part.name] = Trial(
            changes=run.part.settings.changes,
            sides=(
                _side("amd64", changed.ran, x86, flaky_there, changed.problems),
                _side("arm64", run.place.ran, arm, flaky_here, incomplete),
            ),
            problems=locked.problems,
        )
        seconds = (test.seconds for result in (locked, changed) for test in result.tests.values())
        self._seconds[run.part.name] = sum(seconds)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Report each trial as a gate: what breaks on x86 is the failure of no test here."""
        for part, trial in self._trials.items():
            emit_after_the_tests(session, [_gate(part, trial, self._seconds[part])])
            if not trial.whole or trial.breaks:
                session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for part, trial in self._trials.items():
            terminalreporter.section(f"arm64: tried {printable(trial.shown)} ({printable(part)})")
            for line in lines_of(trial):
                terminalreporter.line(printable(line))
        for line in (*self._lines, *self._config.stash.get(UNTRIED, ())):
            terminalreporter.line(printable(f"arm64: {line}"))


def lines_of(trial: Trial) -> Iterator[str]:
    """What *trial* has shown, for the terminal: each side, and what is not as it was."""
    for problem in trial.problems:
        yield f"x86 as locked: incomplete: {problem}"
    for side in trial.sides:
        yield f"{side.machine} with the change: {side.words}"
        for problem in side.problems:
            yield f"  incomplete: {problem}"
        ordered = [effect for kind in EFFECTS for effect in side.of_kind(kind)]
        for effect in ordered[:_SHOWN]:
            yield f"  {effect}"
        if len(ordered) > _SHOWN:
            yield f"  and {len(ordered) - _SHOWN} more: --arm64-report lists them all"
        for nodeid in side.flaky:
            yield f"  flaky: {nodeid} differs from itself: no effect of the change"


def _side(
    architecture: str,
    ran: Ran,
    comparison: Compared,
    flaky: Collection[str],
    problems: Sequence[str],
) -> TrialSide:
    return TrialSide(
        architecture=architecture,
        where=ran,
        tests=comparison.tests,
        goldens=comparison.goldens,
        effects=comparison.effects,
        flaky=tuple(sorted(flaky)),
        problems=tuple(problems),
    )


def _changing(first: Tests, second: Tests) -> set[str]:
    """Node ids of tests that came out otherwise when they were repeated."""
    return {
        nodeid
        for nodeid, test in second.items()
        if nodeid in first and first[nodeid].outcome != test.outcome
    }


def _gate(part: str, trial: Trial, seconds: float) -> Gate:
    nodeid = printable(f"{GATE}{part}::{TRIAL}")
    text = "" if trial.sound else printable(f"{TRY} {trial.shown}: {trial.result}")
    return Gate(nodeid, ("pyproject.toml", None, nodeid), text, seconds)


def with_trial(
    config: pytest.Config,
    services: Mapping[str, ServiceEvidence],
    run: NestedRun,
    where: Ran,
    part: Sequence[str],
) -> dict[str, ServiceEvidence]:
    """The service of *run* with what was tried in it; empty where that is not known.

    Args:
        config: pytest's configuration, with the plugin.
        services: by name, without the trial.
        run: the part of the run that tried something.
        where: on what it ran, as evidence.
        part: what limited it to a part of the tests.
    """
    plugin: TrialPlugin | None = config.pluginmanager.getplugin(NAME)
    trial = plugin.trial_of(run.part.name) if plugin is not None else None
    evidence = services.get(run.part.owner)
    if trial is None or evidence is None:
        return {}
    asked = where.asked_image
    sides = (
        replace(side, where=side.where.as_evidence(where.when, asked_image=asked))
        for side in trial.sides
    )
    names = names_replaced(evidence.matrix, run.place.record, where)
    trial = replace(trial, sides=tuple(sides), names=names, part=" ".join(part))
    return {evidence.name: replace(evidence, trials=(trial,))}


def names_replaced(
    matrix: WheelMatrix | None, record: InstallRecord | None, where: Ran
) -> tuple[str, ...]:
    """Deployed packages of *matrix* whose releases are not what *record* has, nor left out of it.

    A blocker that was left out is not replaced: it is asked for as before.
    """
    if matrix is None or record is None:
        return ()
    missing = install_of(record, where).missing(matrix)
    return tuple(release.split()[0] for release in missing if release not in record.missing)
