"""Collects what a mirrored run shows: the verdict on each service as a gate, and the report."""

from __future__ import annotations

import contextlib
import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ..binary.mapped import Mapped, mapped_files
from ..config.services import ServiceConfig, service_of
from ..decide.collect import (
    abi_findings,
    based,
    builds_of,
    cross_findings,
    evidence_on,
    install_of,
    mapped_findings,
    named_alike,
    system_findings,
    uncompiled_findings,
)
from ..decide.evidence import (
    DESELECTED,
    X86_BOUNDARY,
    Finding,
    Incident,
    ServiceEvidence,
    TestOutcome,
    TestRun,
)
from ..environment.tree import HOME
from ..errors import Arm64Error
from ..inside.golden.report_property import told_by
from ..inside.ran import Ran
from ..mirror.reconcile import COMPLETE_STATUSES
from ..open_folder import OpenFolder
from ..report.document import Report, in_words, write_report
from ..report.matrix_output import printable
from .arguments import GATE
from .blamed_library import with_libraries
from .gates import core_findings, emit_after_the_tests, selected
from .incidents import Ended, collection_incident, incidents
from .launch import project_of
from .left_out import LeftOut
from .not_started import error_line, is_own_image, not_started, unknown_place
from .selected_tests import Asked, all_known
from .test_evidence import EvidenceCollector
from .trial import with_trial
from .unseen_session import outcome_of
from .usage import as_usage_error

if TYPE_CHECKING:
    from ..binary.record import AbiRecord
    from ..config.project import Project
    from .findings import Findings
    from .host import HostPlugin
    from .part_session import NestedRun

_GRAVITY = ("passed", "xpassed", "xfailed", "skipped", "failed", "error")
_TEXT_LIMIT = 20_000


class Recorder:
    """Registered before the host's plugin, whose end of the session it follows."""

    def __init__(self, config: pytest.Config, host: HostPlugin, folder: OpenFolder | None) -> None:
        self._config = config
        self._host = host
        self._folder = folder
        self._tests: defaultdict[str, dict[str, TestOutcome]] = defaultdict(dict)
        """By the service whose session ran them, and node id."""
        self._seconds: defaultdict[str, float] = defaultdict(float)
        """Of phases before a test's call, and after attempts that were not its last."""
        self._uncollected: defaultdict[str, list[Incident]] = defaultdict(list)
        """What could not be collected, by the service whose session tried."""
        self._left_out = LeftOut()
        self._golden: dict[str, Counter[str]] = {}
        """How many values of a test were compared with goldens, by class."""
        self._lines: list[str] = []
        self._asked = Asked(config)
        self._services: tuple[ServiceConfig, ...] = ()
        self._gathered = EvidenceCollector(host)
        if folder is not None:
            config.pluginmanager.register(self._gathered, "arm64-gathered")
            self._begin()

    def _begin(self) -> None:
        """Have no earlier report speak for this run while it lasts, or where it is killed."""
        option = self._config.option
        if self._folder is None or option.collectonly or getattr(option, "cacheshow", None):
            return
        with as_usage_error():
            unfinished = "the run began and has not come to its end"
            write_report(Report("", _now(), (), incomplete=unfinished), self._folder)

    @pytest.hookimpl(tryfirst=True)  # before the plugin that writes the JUnit file
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        run = self._host.current
        if report.nodeid.startswith(GATE) or run is None:
            return
        if report.when == "teardown" and project_of(self._config).has_several_targets:
            report.user_properties.append(("arm64.target", run.part.settings.target.name))
        self._left_out.tested(run.part.name, report)
        outcome = outcome_of(report)
        if outcome is None:
            return
        tests = self._tests[run.part.name]
        known = tests.get(report.nodeid)
        text = report.longreprtext if report.failed else _reason(report)
        if report.when == "teardown":
            for told in told_by(report.user_properties):
                self._golden[report.nodeid] = Counter(told.classes)
        if known is None and outcome == "passed" and report.when != "call":
            self._seconds[report.nodeid] += report.duration
            return  # what was set up and never called has not passed
        before = self._seconds.pop(report.nodeid, 0.0) if known is None else known.seconds
        seconds = before + report.duration
        if known is not None and _GRAVITY.index(known.outcome) >= _GRAVITY.index(outcome):
            outcome, text = known.outcome, known.text
        died = bool(getattr(report, "arm64_died", False)) or (known is not None and known.died)
        tests[report.nodeid] = TestOutcome(
            report.nodeid, outcome, round(seconds, 6), text[-_TEXT_LIMIT:], died
        )

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        run = self._host.current
        if run is None:
            return
        self._left_out.collected(run.part.name, report)
        if report.failed:
            self._uncollected[run.part.name].append(collection_incident(report))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        findings = self._host.findings
        judging = findings is not None and findings.judging and not session.shouldfail
        option = self._config.option
        if option.collectonly or not (self._folder or (judging and self._host.runs)):
            return
        try:
            report = self._report()
        except Arm64Error as error:
            self._fail(session, f"no verdict was made: {error}")
            return
        judging = judging and bool(self._host.runs)
        if findings is not None and judging and session.exitstatus in COMPLETE_STATUSES:
            self._judge(session, findings, report)
        if self._folder is None:
            return
        try:
            path = write_report(report, self._folder)
        except Arm64Error as error:
            self._fail(session, f"the report was not written: {error}")
            return
        self._lines = [report.headline.line]
        self._lines += report.lines
        self._lines.append(f"report: {path} (pytest-arm64 report {path.parent} shows it)")

    def pytest_arm64_refused(self) -> None:
        """Write the report of a run that could not begin, for what it failed of is evidence."""
        if self._folder is None:
            return
        reporter: pytest.TerminalReporter | None = self._config.pluginmanager.getplugin(
            "terminalreporter"
        )
        with contextlib.suppress(Arm64Error):  # the one that ends the run is told
            path = write_report(self._report(), self._folder)
            if reporter is not None:
                reporter.write_line(f"arm64: report: {printable(str(path))}")

    def _judge(self, session: pytest.Session, findings: Findings, report: Report) -> None:
        """The verdict on each service that was asked for, among the results."""
        wanted = self._config.option.arm64_service
        judged = [
            findings.decided(service, verdict, report.day)
            for service, verdict in zip(report.services, report.verdicts, strict=True)
            if not wanted or service.name in wanted
        ]
        gates = list(selected(judged, self._config))
        emit_after_the_tests(session, gates)
        if session.exitstatus in (0, 5) and any(gate.text for gate in gates):
            session.exitstatus = 1

    def _fail(self, session: pytest.Session, problem: str) -> None:
        self._lines = [problem]
        self._host.problems.append(problem)
        if session.exitstatus in COMPLETE_STATUSES:
            session.exitstatus = 1

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for line in self._lines:
            terminalreporter.line(f"arm64: {printable(line)}")

    def _report(self) -> Report:
        """All that is known of all services, after the last session.

        Raises:
            SettingsError: the configuration cannot be used.
        """
        config, runs = self._config, self._host.runs
        project = project_of(config)
        now = _now()
        services = self._services = project.services.declared
        findings = self._host.findings
        audit = findings.assessment if findings is not None else None
        matrices = named_alike(audit.matrices if audit is not None else (), services)
        problem = audit.problem if audit is not None else "nothing was audited"
        found = {
            evidence.name: replace(
                evidence,
                unasked=self._asked.none_of(service),
                target=project.settings_of(service).target.name,
            )
            for evidence, service in zip(
                evidence_on(services, matrices, problem), services, strict=True
            )
        }
        notes = []
        alone = sum(not run.part.bounded for run in runs) == 1
        for run in runs:
            where = run.place.ran.as_evidence(now, asked_image=is_own_image(run.part.settings))
            if run.part.settings.changes:  # it says nothing of what is deployed
                found |= with_trial(config, found, run, where, self._part(run.part.service, run))
                continue
            tests = self._tests[run.part.name]
            for service in self._about(run, project):
                # A session of everything is about each service by where its tests lie.
                own = (
                    tuple(t for t in tests.values() if self._service_at(t.nodeid) == service)
                    if run.part.service.itself
                    else tuple(tests.values())
                )
                evidence = found[service.name]
                if run.part.bounded:
                    found[service.name] = _with_bounded(evidence, own, where, run)
                elif own or alone or not run.part.service.itself:
                    found[service.name] = self._with_run(evidence, service, own, where, run)
            if run.part.service.itself:
                others = sum(self._service_at(nodeid) is None for nodeid in tests)
                if others:
                    notes.append(f"{others} tests belong to no service that is configured")
        for part, error in self._host.not_run:
            name = part.owner
            if name in found and not part.bounded:
                found[name] = not_started(found[name], error, unknown_place(part.settings, now))
        failure = self._host.failure
        if failure is not None:
            for service in services:
                evidence, settings = found[service.name], project.settings_of(service)
                if not (evidence.runs or evidence.unasked):
                    place = unknown_place(settings, now)
                    found[service.name] = not_started(evidence, failure, place)
        asked = [replace(e, unasked="" if e.runs else e.unasked) for e in found.values()]
        return Report(
            in_words(evidence.target for evidence in asked),
            now,
            based(asked, project.rootpath, project.root),
            tuple(notes),
            incomplete=error_line(failure) if failure is not None else "",
        )

    def _about(self, run: NestedRun, project: Project) -> Sequence[ServiceConfig]:
        """The services that *run* says something about: of several, those on its target."""
        if not run.part.service.itself:
            return (run.part.service,)
        name = run.part.settings.target.name
        return [s for s in self._services if project.settings_of(s).target.name == name]

    def _part(self, service: ServiceConfig, run: NestedRun) -> tuple[str, ...]:
        return tuple(self._asked.selection(service)) or tuple(self._left_out.part(run))

    def _service_at(self, nodeid: str) -> ServiceConfig | None:
        path = Path(os.path.normpath(self._config.rootpath / nodeid.partition("::")[0]))
        return service_of(self._services, path)

    def _with_run(
        self,
        evidence: ServiceEvidence,
        service: ServiceConfig,
        tests: tuple[TestOutcome, ...],
        where: Ran,
        run: NestedRun,
    ) -> ServiceEvidence:
        """*evidence* with what *run* installed and tested, as far as it is about it."""
        matrix, place = evidence.matrix, run.place
        tests = tuple(with_libraries(tests, place.abi))
        install = install_of(place.record, where) if place.record is not None else None
        misfit = ""
        if matrix is None or install is None:
            misfit = "what it deploys is unknown, so nothing can be compared"
        elif missing := install.missing(matrix):
            misfit = "the environment did not have what it deploys: " + ", ".join(missing[:5])
        if install is not None and not misfit:
            assert place.record is not None
            builds = tuple(builds_of(place.record, where))
            evidence = replace(evidence, installs=(install,), builds=builds)
        part = self._part(service, run)
        mapped = mapped_files(place.abi, HOME, run.mapped) if place.abi is not None else ()
        abi = place.abi if where.on_arm and not misfit else None
        findings = list(self._findings(tests, where, abi, mapped))
        if where.on_arm:
            findings += core_findings(run.results, tests, where)
        if abi is not None and matrix is not None and place.record is not None:
            findings += uncompiled_findings(matrix, place.record, abi, where)
            findings += cross_findings(place.record, where)
            findings += system_findings(place.record, where)
        evidence = replace(evidence, findings=tuple(findings))
        alone = len(tests) == len(self._tests[run.part.name])
        evidence = self._gathered.add_to(evidence, run, tests, alone=alone)
        kept_from = self._incidents(run, service, tests)
        if part and any(self._tests[other.part.name] for other in self._host.runs):
            # It was asked for less, and there was enough of it elsewhere.
            kept_from = tuple(i for i in kept_from if i.kind != DESELECTED)
        if not tests and not kept_from:
            return evidence
        tested = TestRun(
            where=where,
            tests=tests,
            problems=tuple(run.problems),
            fits=not misfit,
            misfit=misfit,
            part=" ".join(part),
            left_out=run.deselected if all_known(part) else None,
            incidents=kept_from,
            mapped=mapped,
            omitted=self._left_out.omissions(run, partial(self._is_of, service, run)),
        )
        return replace(evidence, runs=(tested,))

    def _incidents(
        self, run: NestedRun, service: ServiceConfig, tests: tuple[TestOutcome, ...]
    ) -> tuple[Incident, ...]:
        """What kept tests of *service* from being run in *run*."""
        ended = Ended.of(run)
        if ended is None:
            return ()
        collection = self._uncollected[run.part.name]
        mine = partial(self._is_of, service, run)
        collection = [i for i in collection if mine(i.path)]
        return (
            *incidents(ended, collection, tests),
            *self._left_out.incidents(run, tests, mine),
        )

    def _is_of(self, service: ServiceConfig, run: NestedRun, path: str) -> bool:
        """Whether what lies at *path* is of *service*, in the session of *run*."""
        several = run.part.service.itself and len(self._services) > 1
        return not several or self._service_at(path) in (service, None)

    def _findings(
        self,
        tests: tuple[TestOutcome, ...],
        where: Ran,
        abi: AbiRecord | None,
        mapped: tuple[Mapped, ...],
    ) -> Iterator[Finding]:
        if abi is not None:
            yield from abi_findings(abi, where)
            yield from mapped_findings(mapped, where)
        classes: Counter[str] = Counter()
        for test in tests:
            classes += self._golden.get(test.nodeid, Counter())
        if classes:
            told = ", ".join(f"{number} {name}" for name, number in classes.most_common())
            # What must not be is a failure of its test already.
            yield Finding("golden", f"values compared with x86: {told}", False, where)


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def _with_bounded(
    evidence: ServiceEvidence, tests: tuple[TestOutcome, ...], where: Ran, run: NestedRun
) -> ServiceEvidence:
    """*evidence* with the tests of *run*, which were meant to stay on x86."""
    if not tests:
        return evidence
    bounded = TestRun(where, tests, problems=tuple(run.problems), part=X86_BOUNDARY, bounded=True)
    return replace(evidence, runs=(*evidence.runs, bounded))


def _reason(report: pytest.TestReport) -> str:
    longrepr = report.longrepr
    return str(longrepr[2]) if isinstance(longrepr, (tuple, list)) and len(longrepr) == 3 else ""
