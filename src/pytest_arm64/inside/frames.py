"""Every frame of the protocol: what a session inside a container sends to the host.

The only definition: the sender writes these, the host decodes and dispatches by these types, and
the table in ``docs/how-it-works.md`` is made from them (``scripts/frame-table``). A frame goes over
the wire as a JSON list: the name of its class, then its fields. JSON has no tuples; the host turns
lists into what the annotations say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Optional, TypedDict, Union

if TYPE_CHECKING:
    from typing import NamedTuple
else:
    from .light_tuple import LightTuple as NamedTuple

PROTOCOL_VERSION = 8

Location = tuple[str, Optional[int], str]  # noqa: UP045  (evaluated on Python 3.9)
"""Of a test, as pytest has it: file, line (from 0), name."""
ReportData = dict[str, object]
"""A report as ``pytest_report_to_serializable`` describes it."""


NEWER_CODE = "newer_code"
"""The record of a session that names packages, by their top-level modules: which does it reach?"""
ASSUMING_X86 = "assuming_x86"
"""The record of a session that names statements, by file: which of them are executed?"""
EVERYTHING = "*"
"""Stands for all of them."""
OWN_HEADER = "\0"
"""Stands among the lines of a header for those of pytest itself, which the host prints."""


class StopReason(NamedTuple):
    """Why a phase of the session ended early."""

    kind: str
    """``UsageError``, ``Failed``, ``Interrupted``, ``Exit``, ``KeyboardInterrupt`` or ``error``."""
    message: str
    code: int | None
    """Exit status that ``pytest.exit`` was given."""
    place: tuple[str, int, str] | None
    """Path, line and message of the error, where pytest knows them."""
    traceback: str
    arguments: list[str]
    """Of a ``UsageError``, whose arguments are printed one below the other."""


class BoundaryTest(NamedTuple):
    """A selected test that is marked ``x86_boundary``."""

    nodeid: str
    location: Location
    reason: str
    """Why it stays on x86, and what would change it."""


class ReportDetails(NamedTuple):
    """What belongs to a report and is not in its data."""

    worker: tuple[str, str] | None
    """Id and description of the worker of pytest-xdist that ran the test."""
    shown: str | None
    """The failure as text, where its type can only print itself."""
    missing_variables: list[str]
    """Environment variables that may explain a failure."""


class WorkerDeath(NamedTuple):
    """How a worker of pytest-xdist died."""

    code: int
    """Exit status; negative for a signal."""
    overdue: bool
    """Whether its test took longer than it may."""


class ReportStatus(NamedTuple):
    """How a plugin of the project wants a report shown: ``pytest_report_teststatus``."""

    category: str
    letter: str
    word: str | tuple[str, dict[str, bool]]
    """Text, and how it is coloured."""


class Hello(NamedTuple):
    """The process has started."""

    protocol: int
    pid: int
    relay: int
    """Process that passes on what this one says."""
    pytest_version: str


class SessionStarted(NamedTuple):
    """The session has started: its plugins and what they add to the header."""

    plugins: list[str]
    header: list[str]
    """Lines, ``OWN_HEADER`` among them."""
    showing: dict[str, list[str]]
    """Modules of plugins, by the hook with which they print something."""
    collect_only: bool
    showfspath: bool | None
    """Whether the reporter was set to print paths; null where nothing set it."""


class CollectionStarted(NamedTuple):
    """The collection begins."""


class Deselected(NamedTuple):
    """Tests that were collected and left out."""

    nodeids: list[str]


class Omitted(NamedTuple):
    """Tests or files that code of the project, or a plugin, left out."""

    by: str
    """The file of that code, relative to the root, or the plugin's module; empty if not known."""
    how: str
    """``deselected`` or ``dropped`` (without a word), ``ignored`` (files), or, by a plugin,
    ``selected``."""
    machine: bool
    """Whether that code names a machine, or asks for it."""
    number: int


class BoundaryTests(NamedTuple):
    """Tests that are marked ``x86_boundary`` and were left out."""

    selected: list[BoundaryTest]
    marked: list[str]
    """Node ids of all that are marked, whether they were selected or not."""


class CollectionReported(NamedTuple):
    """A module or class that could not be collected, or was skipped."""

    data: ReportData
    details: ReportDetails


class ItemsCollected(NamedTuple):
    """The collected tests, in order; with pytest-xdist once per worker."""

    nodeids: list[str]
    worker: str
    """Id of the worker; empty without pytest-xdist."""
    total: int
    """How many were collected before any was deselected."""
    lines: list[str]
    """What plugins print below the number of tests."""
    tree: str
    """What ``--collect-only`` prints."""


class CollectionEnded(NamedTuple):
    """The collection is over, and why it ended early."""

    reason: StopReason | None


class DeathExpected(NamedTuple):
    """The next test is marked ``xfail``, so that its process may die."""

    nodeid: str
    reason: str


class LogStart(NamedTuple):
    """A test starts."""

    nodeid: str
    location: Location


class PhasePassed(NamedTuple):
    """A phase of a test passed, and nothing else happened in it."""

    nodeid: str
    location: Location | None
    """Null where it is that of the test that started last."""
    when: str
    keywords: dict[str, object] | None
    """Null where they are those of the report before."""
    duration: float
    """Seconds."""
    start: float
    """Seconds since the epoch, as ``stop``; 0 where pytest is too old to say."""
    stop: float


class PhaseReported(NamedTuple):
    """Any other report of a test, as pytest serialises it."""

    data: ReportData
    details: ReportDetails
    status: ReportStatus | None
    attributes: dict[str, str] | None
    """Of the test's element in the JUnit file."""
    hidden: bool
    """Whether what the reporter prints of it became output of the test."""
    death: WorkerDeath | None


class LogFinish(NamedTuple):
    """A test is over."""

    nodeid: str
    location: Location | None
    """Null where it is that of the test that started last."""


class WarningRecorded(NamedTuple):
    """A warning."""

    categories: list[tuple[str, str]]
    """Module and name of its class and of the classes that this one derives from."""
    message: str
    filename: str
    lineno: int
    when: str
    nodeid: str
    location: tuple[str, int, str] | None
    line: str
    """The line of code."""
    has_source: bool
    """Whether it names the object that it is about."""


class TerminalText(NamedTuple):
    """What a conftest or a plugin wrote to the terminal."""

    text: str
    closed: bool
    """Whether the reporter's line was complete."""
    summary: bool
    """Whether it belongs to the closing summary."""


class LoopEnded(NamedTuple):
    """The loop over the tests is over, and why it ended early."""

    reason: StopReason | None


class InternalError(NamedTuple):
    """An internal error of the session, as pytest prints it."""

    text: str


class Stopped(NamedTuple):
    """An interrupt, or ``pytest.exit``."""

    reason: StopReason | None


class JUnitProperties(NamedTuple):
    """What tests recorded for the JUnit file as a whole."""

    properties: list[tuple[str, str]]


class LibrariesLoaded(NamedTuple):
    """Shared libraries that the processes of the session had loaded at their end."""

    paths: list[str]


class PackagesReached(NamedTuple):
    """Which of the packages that the host asked about the tests of each file can reach."""

    files: dict[str, list[str]]
    """Top-level modules, ``*`` for all of them; empty where it could not be found out."""


class LinesExecuted(NamedTuple):
    """Which of the statements that the host asked about were executed."""

    files: dict[str, list[int]]
    """First lines of statements, by the path that the host named."""
    problem: str
    """Why it could not be found out; empty where it was."""


class SessionFinished(NamedTuple):
    """The session is over."""

    status: int
    """Exit status that pytest came to."""
    reason: str | None
    """Why the session stopped early, as ``-x`` stops it."""
    changed: int
    """Exit status that hooks made of it."""


class Exited(NamedTuple):
    """``pytest.main`` has returned."""

    code: int
    missing_variables: list[str]
    """Environment variables that may explain why the session never started."""


Frame = Union[  # noqa: UP007  (evaluated on Python 3.9)
    Hello,
    SessionStarted,
    CollectionStarted,
    Deselected,
    Omitted,
    BoundaryTests,
    CollectionReported,
    ItemsCollected,
    CollectionEnded,
    DeathExpected,
    LogStart,
    PhasePassed,
    PhaseReported,
    LogFinish,
    WarningRecorded,
    TerminalText,
    LoopEnded,
    InternalError,
    Stopped,
    JUnitProperties,
    LibrariesLoaded,
    PackagesReached,
    LinesExecuted,
    SessionFinished,
    Exited,
]


class TerminalLook(TypedDict):
    """What the host's terminal is like."""

    width: int
    markup: bool
    tty: bool


class TaskFile(TypedDict):
    """The other way: what a process is to do. A JSON file, whose path the agent is started with."""

    args: Sequence[str]
    """For pytest."""
    cwd: str
    module: bool
    """Whether the user ran ``python -m pytest``, which puts ``cwd`` on ``sys.path``."""
    facts: Mapping[str, object]
    """Of the place, for the fixture ``arm64_target``."""
    records: Mapping[str, object]
    """Of the cell, for the other fixtures."""
    finished: Mapping[str, int]
    """Node ids that other processes of this run have finished, with counts."""
    failed: Sequence[str]
    """Those of them that failed."""
    terminal: TerminalLook
    timeout: float
    """Seconds that a test may take, 0 for any."""
    where: str
    """Machine and core."""
    nonce: str
    """Marks what is printed."""
