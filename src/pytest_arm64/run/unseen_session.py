"""A session that nobody sees: the same events, the same book-keeping, kept instead of shown."""

from __future__ import annotations

import re
import tempfile
import uuid
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Protocol, cast
from warnings import WarningMessage

import pytest

from ..inside.counted import counted
from ..inside.ran import Ran
from ..mirror.mirror import HostMirror
from ..mirror.reconcile import COMPLETE_STATUSES
from ..mirror.session import MirroredSession
from ..mirror.task import NO_TERMINAL, Task
from ..progress import Progress
from .cells import PlannedCell
from .place import Place

if TYPE_CHECKING:
    from _pytest.junitxml import LogXML

# From the least to the most that is wrong; of a test's phases the most counts.
_OUTCOMES = ("passed", "skipped", "xfailed", "xpassed", "failed", "error")

_TAIL = 1000
"""Characters of what was printed last that explain a session which did not come to its end."""


@dataclass(frozen=True)
class Outcome:
    """What became of one test."""

    nodeid: str
    outcome: str
    """``passed``, ``skipped``, ``xfailed``, ``xpassed``, ``failed`` or ``error``."""
    text: str = ""
    """Why it failed, as pytest would show it."""
    seconds: float = 0.0
    """Of all its phases."""
    user_properties: tuple[tuple[str, object], ...] = ()
    warnings: tuple[str, ...] = ()
    """Category and message of each warning that it caused."""
    died: bool = False
    """Whether it killed its process."""

    @property
    def bad(self) -> bool:
        return self.outcome in ("failed", "error")


@dataclass(frozen=True)
class CellResult:
    """What one silent session has come to."""

    planned: PlannedCell
    ran: Ran
    status: int
    """Exit status, never 0, 1 or 5 where there are problems."""
    problems: tuple[str, ...]
    """Why it must not be believed; empty where everything was accounted for."""
    tests: Mapping[str, Outcome]
    """By node id."""
    collected: Mapping[str, int]
    out: Path
    """Folder of what was left below ``$PYTEST_ARM64_OUT``; it lives as long as the session."""


class Receiver(Protocol):
    """A cell whose session has not begun."""

    def give(self, files: Mapping[str, bytes]) -> None:
        """Put *files*, by relative name, below ``$PYTEST_ARM64_OUT`` of this cell."""


class SilentCell:
    """An open place in which sessions run that nobody sees."""

    def __init__(
        self,
        config: pytest.Config,
        planned: PlannedCell,
        place: Place,
        task: Task,
        folder: Path,
        progress: Progress,
        collected: Counter[str] | None = None,
    ) -> None:
        self._config = config
        self._place = place
        role = {"PYTEST_ARM64_ROLE": planned.role.value}
        self._task = replace(
            task,
            ran=place.ran,
            where=place.where,
            terminal=NO_TERMINAL,
            environment={**task.environment, **role},
        )
        self._folder = folder
        self._progress = progress
        self._collected = Counter(collected)
        self.planned = planned

    def give(self, files: Mapping[str, bytes]) -> None:
        """Put *files*, by relative name, below ``$PYTEST_ARM64_OUT`` of this cell."""
        self._place.transport.give(files)

    def run(
        self, only: Collection[str] = (), environment: Mapping[str, str] | None = None
    ) -> CellResult:
        """Run the tests, or *only* these of them again, with the variables of *environment*.

        Raises:
            ProtocolError: what came from inside cannot be understood.
        """
        title = f"run the tests on {self.planned.name}"
        if only:
            title = f"repeat {counted(len(only), 'test')} on {self.planned.name}"
        skipped = self._collected - Counter(only) if only else Counter()
        with self._progress.step(title) as step:
            recorder = OutcomeRecorder(step.update)
            mirror = _SilentMirror(self._config, recorder)
            session = MirroredSession(
                mirror.session,
                self._place.transport,
                self._task_after(skipped, environment or {}),
                self._place.ground(self._task.timeout),
                mirror,
            )
            try:
                session.follow_to_the_end()
            finally:
                session.close()
        name = self.planned.name.replace("/", "-")
        out = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self._folder))
        self._place.transport.fetch(out)
        if not only:
            self._collected = Counter(mirror.ledger.collected)
        problems = [*session.problems, *mirror.early_end()]
        status = mirror.ledger.final
        return CellResult(
            planned=self.planned,
            ran=self._place.ran,
            status=int(pytest.ExitCode.INTERNAL_ERROR) if problems or status is None else status,
            problems=tuple(problems),
            tests=recorder.outcomes(),
            collected=dict(mirror.ledger.collected),
            out=out,
        )

    def _task_after(
        self, skipped: Counter[str], environment: Mapping[str, str]
    ) -> Callable[[dict[str, int], list[str]], Task]:
        base = replace(self._task, environment={**self._task.environment, **environment})

        def task(finished: dict[str, int], failed: list[str]) -> Task:
            done = skipped + Counter(finished)
            return replace(base, finished=done, failed=failed, nonce=uuid.uuid4().hex)

        return task


class OutcomeRecorder:
    """Keeps what the reports say; *tell* is called with how far the tests are."""

    def __init__(self, tell: Callable[[str], None] = lambda _text: None) -> None:
        self._tell = tell
        self._tests: dict[str, Outcome] = {}

    def outcomes(self) -> dict[str, Outcome]:
        return dict(self._tests)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        outcome = outcome_of(report)
        if outcome is None:
            return
        before = self._tests.get(report.nodeid, Outcome(report.nodeid, "passed"))
        self._tests[report.nodeid] = replace(
            before,
            outcome=max(outcome, before.outcome, key=_OUTCOMES.index),
            text=before.text or (str(report.longrepr) if report.failed else ""),
            seconds=before.seconds + report.duration,
            user_properties=tuple(report.user_properties) or before.user_properties,
            died=before.died or getattr(report, "arm64_died", False) is True,
        )

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            text = str(report.longrepr)
            self._tests[report.nodeid] = Outcome(report.nodeid, "error", text)

    def pytest_warning_recorded(self, warning_message: WarningMessage, nodeid: str) -> None:
        outcome = self._tests.get(nodeid)
        if outcome is not None:
            texts = (*outcome.warnings, warning_text(warning_message))
            self._tests[nodeid] = replace(outcome, warnings=texts)

    def pytest_runtest_logfinish(self) -> None:
        self._tell(counted(len(self._tests), "test"))


def outcome_of(report: pytest.TestReport) -> str | None:
    """A phase's outcome; None for one that another attempt follows."""
    if report.outcome == "failed":
        return "failed" if report.when == "call" else "error"
    if hasattr(report, "wasxfail"):
        return "xfailed" if report.outcome == "skipped" else "xpassed"
    return report.outcome if report.outcome in _OUTCOMES else None


def warning_text(warning_message: WarningMessage) -> str:
    """A warning's category and message, without addresses."""
    message = re.sub(r"0x[0-9a-f]{6,}", "0x…", str(warning_message.message))
    return f"{warning_message.category.__name__}: {message}"


class _SilentMirror(HostMirror):
    """Calls the hooks of a plugin manager of its own, and writes nowhere."""

    def __init__(self, config: pytest.Config, recorder: OutcomeRecorder) -> None:
        stand_in = SimpleNamespace(
            config=config, items=[], testscollected=0, testsfailed=0, shouldfail=False
        )
        session = cast("pytest.Session", stand_in)
        super().__init__(session)
        self.session = session
        manager = pytest.PytestPluginManager()
        manager.register(recorder)
        self._hook = manager.hook
        self._last = ""

    @property
    def _reporter(self) -> None:
        return None

    def _junit(self) -> Sequence[LogXML]:
        return ()

    def output(self, data: bytes) -> None:
        self._write(data.decode("utf-8", "replace"))

    def _write(self, text: str) -> None:
        self._last = (self._last + text)[-_TAIL:]

    def early_end(self) -> list[str]:
        """What it was ended by, where it did not come to its end."""
        if self.internal_error is not None:
            return [self.internal_error]
        if self.ledger.final in (*COMPLETE_STATUSES, None):
            return []
        why = f"the session inside ended with status {self.ledger.final}"
        if self.stop is not None:
            why += f": {self.stop.kind}: {self.stop.message}"
        return [f"{why}\n{self._last.strip()}"]
