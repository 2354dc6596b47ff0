"""``--arm64-compare`` and ``--arm64-record``: the x86 side of a run, and what differs from it."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence

import pytest

from ..config.project_files import repository_root
from ..errors import EmulationError
from ..inside.counted import counted
from ..mirror.transport import Transport
from .arguments import GATE
from .cells import Role
from .commit import commit_of
from .differences import Here, common_failure, difference
from .goldens import Recorded, Settled, recorded, settle
from .launch import project_of
from .reference_values import files_for_others, golden_of, reference_values
from .unseen_session import CellResult, Receiver, SilentCell, outcome_of, warning_text

MOST_REPEATED = 50
"""Tests that are repeated to tell what is flaky."""
TITLE = "arm64: compared with linux/amd64"
_OURS = "arm64-difference"


class ReferenceSide:
    """Takes what the reference cell has computed to the other cells, and tells what differs."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._compares = bool(config.option.arm64_compare)
        self._records = bool(config.option.arm64_record)
        self._cell: SilentCell | None = None
        self._result: CellResult | None = None
        self._ran = False
        self._values: tuple[Recorded, ...] = ()
        self._here: dict[str, Here] = {}
        self._differing: dict[str, str] = {}
        self._warnings: dict[str, list[str]] = {}
        self._deselected: set[str] = set()
        self._flaky: dict[str, str] = {}
        self._settled: Settled | None = None
        self._commit = ""
        self._lines: list[str] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        if self._records:  # before any test can write to the repository
            self._commit = commit_of(repository_root(self._config.rootpath))

    def pytest_arm64_cell(
        self,
        cell: SilentCell,
        result: CellResult,
        others: Sequence[Receiver],
        mirrored: Transport,
    ) -> None:
        if cell.planned.role is not Role.REFERENCE:
            return
        if self._records and result.ran.emulated and not self._may_be_emulated():
            raise EmulationError(
                "--arm64-record: linux/amd64 is emulated here",
                why="goldens would hold what an emulator computes, not what x86 does",
                next_step="record on an x86 machine, or set record-emulated = true in "
                "[tool.pytest-arm64]",
            )
        self._cell, self._result, self._ran = cell, result, True
        self._values, uncontrolled = reference_values(cell, result)
        self._lines += [uncontrolled] if uncontrolled else []
        files = files_for_others(self._values, result)
        for other in others:
            other.give(files)
        mirrored.give(files)

    def _may_be_emulated(self) -> bool:
        return project_of(self._config).settings.record_emulated

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        self._deselected.update(item.nodeid for item in items)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if self._result is None or _OURS in report.keywords or report.nodeid.startswith(GATE):
            return
        outcome = outcome_of(report)
        if outcome is None:
            return
        before = self._here.get(report.nodeid)
        if report.when == "teardown" and not report.failed:
            return
        if report.when == "setup" and outcome == "passed":
            return
        if before is None or before.outcome not in ("failed", "error"):
            self._here[report.nodeid] = Here(outcome, str(report.longrepr) if report.failed else "")
            self._judge(report)

    def _judge(self, report: pytest.TestReport) -> None:
        """Add to *report* what differs; one that passed becomes a failure where it compares."""
        assert self._result is not None
        here, x86 = self._here[report.nodeid], self._result.tests.get(report.nodeid)
        if common_failure(here, x86):
            _add_to(report, "it fails there in the same way: no ARM64 finding")
            return
        # Of the two architectures an engine runs one natively.
        emulated = self._result.ran.native
        finding = difference(here, x86, emulated=emulated)
        if not finding or not self._compares:
            return
        self._differing[report.nodeid] = finding
        if report.failed:
            _add_to(report, finding)
            return
        if hasattr(report, "wasxfail"):
            del report.wasxfail
        report.outcome, report.longrepr = "failed", f"{TITLE}: {finding}"

    def pytest_warning_recorded(
        self, warning_message: warnings.WarningMessage, nodeid: str
    ) -> None:
        if nodeid:
            self._warnings.setdefault(nodeid, []).append(warning_text(warning_message))

    def pytest_arm64_finished(
        self,
        complete: bool,
        collected: Mapping[str, int],
        again: Callable[[Collection[str]], CellResult],
    ) -> None:
        result = self._result
        if result is None:
            return
        reporter: pytest.TerminalReporter | None = self._config.pluginmanager.getplugin(
            "terminalreporter"
        )
        if reporter is not None:
            reporter.ensure_newline()
        believed = complete and not result.problems
        if self._compares and believed:
            self._compare_collections(result, collected)
            self._compare_warnings(result)
            self._find_flaky(result, again)
        if self._records and believed:
            self._settle(result)
        elif self._records:
            self._lines.append("record: no golden was changed: the run is not complete")
        # The next part of the run has a reference of its own, or none.
        self._cell = self._result = None

    def _compare_collections(self, result: CellResult, collected: Mapping[str, int]) -> None:
        only = Counter(result.collected) - Counter(collected)
        for nodeid in only:
            if nodeid not in self._deselected and self._here:
                self._fail(nodeid, "this test was collected on linux/amd64 only")

    def _compare_warnings(self, result: CellResult) -> None:
        for nodeid, here in self._here.items():
            x86 = result.tests.get(nodeid)
            if x86 is None or nodeid in self._differing or here.outcome != x86.outcome:
                continue
            ours, theirs = set(self._warnings.get(nodeid, ())), set(x86.warnings)
            lines = [f"only on ARM64: {text}" for text in sorted(ours - theirs)]
            lines += [f"only on linux/amd64: {text}" for text in sorted(theirs - ours)]
            if lines:
                self._fail(nodeid, "other warnings\n" + "\n".join(lines))

    def _fail(self, nodeid: str, finding: str) -> None:
        """Report a finding that shows only after its test was over, as pytest does for teardown."""
        self._differing[nodeid] = finding
        file = nodeid.partition("::")[0]
        report = pytest.TestReport(
            nodeid=nodeid,
            location=(file, None, nodeid.partition("::")[2].replace("::", ".")),
            keywords={_OURS: 1},
            outcome="failed",
            longrepr=f"{TITLE}: {finding}",
            when="teardown",
        )
        self._config.hook.pytest_runtest_logreport(report=report)

    def _find_flaky(
        self, result: CellResult, again: Callable[[Collection[str]], CellResult]
    ) -> None:
        """Repeat what differs once on each side: what differs from itself is no finding."""
        failed = [n for n, h in self._here.items() if h.outcome in ("failed", "error")]
        suspects = dict.fromkeys([*self._differing, *failed])
        repeated = [n for n in suspects if n in self._here and n in result.tests][:MOST_REPEATED]
        if not repeated or self._cell is None:
            return
        x86, here = self._cell.run(only=repeated), again(repeated)
        moved = {value.key for value in self._moved(recorded(x86.out))}
        for nodeid in repeated:
            first, second = result.tests[nodeid], x86.tests.get(nodeid)
            there = here.tests.get(nodeid)
            if second is None or there is None:
                continue
            if second.outcome != first.outcome or golden_of(first) in moved:
                self._flaky[nodeid] = "linux/amd64"
            elif there.outcome != self._here[nodeid].outcome:
                self._flaky[nodeid] = "ARM64"

    def _moved(self, second: Sequence[Recorded]) -> list[Recorded]:
        first = {value.key: value.golden for value in self._values}
        return [
            value
            for value in second
            if value.key in first and not value.golden.same_values(first[value.key])
        ]

    def _settle(self, result: CellResult) -> None:
        failing = [test for test in result.tests.values() if test.bad]
        refused = {golden_of(test) for test in failing}
        wanted = [value for value in self._values if value.key not in refused]
        root = project_of(self._config).root
        done, before = settle(wanted, root, self._commit), self._settled or Settled(0, 0)
        self._settled = Settled(before.written + done.written, before.unchanged + done.unchanged)
        if failing:
            self._lines.append(
                f"record: {len(failing)} tests fail on linux/amd64: no golden of theirs was changed"
            )

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        lines = []
        if self._compares and self._ran:
            differ = f"{len(self._differing)} differ"
            lines.append(
                f"compare: {counted(len(self._here), 'test')} run, on linux/amd64 too: {differ}"
            )
        for nodeid, side in self._flaky.items():
            lines.append(f"flaky: {nodeid} differs from itself on {side}: no ARM64 finding")
        if self._settled is not None:
            done = self._settled
            lines.append(
                f"record: {counted(done.written, 'golden')} written, {done.unchanged} unchanged"
            )
        for line in [*lines, *self._lines]:
            terminalreporter.line(f"arm64 {line}")


def _add_to(report: pytest.TestReport, text: str) -> None:
    """Put *text* below the failure of *report*: JUnit files have it, and not the sections."""
    add = getattr(report.longrepr, "addsection", None)
    if add is not None:
        add(TITLE, text)
    else:
        report.longrepr = f"{report.longrepr}\n\n{TITLE}: {text}"
