"""Collects what a mirrored run shows: the verdict on each service as a gate, and the report."""

from __future__ import annotations

import contextlib
import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ..binary.mapped import Mapped, mapped_files
from ..config.services import ServiceConfig, prefixes, service_of
from ..config.settings import Settings
from ..decide.collect import (
    abi_findings,
    based,
    builds_of,
    evidence_on,
    install_of,
    mapped_findings,
    named_alike,
    with_refusal,
)
from ..decide.evidence import (
    MACHINE,
    X86_BOUNDARY,
    Finding,
    ServiceEvidence,
    TestOutcome,
    TestRun,
    Where,
)
from ..environment.tree import HOME
from ..errors import Arm64Error, InstallError
from ..inside.golden.told import told_by
from ..mirror.reconcile import COMPLETE_STATUSES
from ..report.document import Report, write_report
from ..report.matrix_output import printable
from .arguments import GATE, positional
from .gates import emit, selected
from .launch import project_of
from .silent import outcome_of
from .test_evidence import EvidenceCollector

if TYPE_CHECKING:
    from ..binary.record import AbiRecord
    from .findings import Findings
    from .host import HostPlugin
    from .nested import NestedRun

_GRAVITY = ("passed", "xpassed", "xfailed", "skipped", "failed", "error")
_SELECTING = (
    "-k",
    "-m",
    "--lf",
    "--last-failed",
    "--sw",
    "--stepwise",
    "--deselect",
    "--group",
    "--ignore",
    "--ignore-glob",
)
_DESELECTING = ("-k", "-m", "--deselect", "--group")
_TEXT_LIMIT = 20_000


class Recorder:
    """Registered before the host's plugin, whose end of the session it follows."""

    def __init__(self, config: pytest.Config, host: HostPlugin) -> None:
        self._config = config
        self._host = host
        asked = config.option.arm64_report
        self._folder = Path(config.invocation_params.dir) / asked if asked else None
        self._tests: defaultdict[str, dict[str, TestOutcome]] = defaultdict(dict)
        """By the service whose session ran them, and node id."""
        self._golden: dict[str, Counter[str]] = {}
        """How many values of a test were compared with goldens, by class."""
        self._lines: list[str] = []
        self._gathered = EvidenceCollector(host)
        if asked:
            config.pluginmanager.register(self._gathered, "arm64-gathered")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        run = self._host.current
        if report.nodeid.startswith(GATE) or run is None:
            return
        outcome = outcome_of(report)
        if outcome is None:
            return
        tests = self._tests[run.part.name]
        known = tests.get(report.nodeid)
        text = report.longreprtext if report.failed else _reason(report)
        if report.when == "teardown":
            for told in told_by(report.user_properties):
                self._golden[report.nodeid] = Counter(told.classes)
        seconds = report.duration + (known.seconds if known is not None else 0.0)
        if known is not None and _GRAVITY.index(known.outcome) >= _GRAVITY.index(outcome):
            outcome, text = known.outcome, known.text
        tests[report.nodeid] = TestOutcome(
            report.nodeid, outcome, round(seconds, 6), text[-_TEXT_LIMIT:]
        )

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        findings = self._host.findings
        judging = findings is not None and findings.judging and not session.shouldfail
        option = self._config.option
        if option.collectonly or not self._host.runs or not (self._folder or judging):
            return
        try:
            report = self._report()
        except Arm64Error as error:
            self._fail(session, f"no verdict was made: {error}")
            return
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
        self._lines += [f"{v.service}: {v.label}" for v in report.verdicts]
        self._lines.append(f"report: {path} (pytest-arm64 report {path.parent} shows it)")

    def pytest_arm64_refused(self) -> None:
        """Write the report of a run that could not begin, for what it failed of is evidence."""
        refused = [error for _, error in self._host.refused if isinstance(error, InstallError)]
        if self._folder is None or not refused:
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
        session.testscollected += len(gates)
        reporter: pytest.TerminalReporter | None = self._config.pluginmanager.getplugin(
            "terminalreporter"
        )
        if reporter is not None:
            reporter.ensure_newline()  # else pytest tells the last line's progress again
        for gate in gates:
            emit(self._config, gate)
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
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        services = project.services.declared
        findings = self._host.findings
        audit = findings.assessment if findings is not None else None
        matrices = named_alike(audit.matrices if audit is not None else (), services)
        problem = audit.problem if audit is not None else "nothing was audited"
        found = {
            evidence.name: replace(evidence, unasked=self._unasked(service))
            for evidence, service in zip(
                evidence_on(services, matrices, problem), services, strict=True
            )
        }
        notes = []
        alone = sum(not run.part.bounded for run in runs) == 1
        for run in runs:
            where = Where.of_facts(run.place.facts, now, asked_image=_own_image(run.part.settings))
            tests = self._tests[run.part.name]
            for service in services if run.part.service.itself else (run.part.service,):
                # A session of everything is about each service by where its tests lie.
                own = (
                    tuple(t for t in tests.values() if self._service_of(t, services) == service)
                    if run.part.service.itself
                    else tuple(tests.values())
                )
                evidence = found[service.name]
                if run.part.bounded:
                    found[service.name] = _with_bounded(evidence, own, where, run)
                elif own or alone:
                    found[service.name] = self._with_run(evidence, service, own, where, run)
            if run.part.service.itself:
                others = sum(self._service_of(t, services) is None for t in tests.values())
                if others:
                    notes.append(f"{others} tests belong to no service that is configured")
        for part, error in self._host.refused:
            name = part.owner
            if name in found and isinstance(error, InstallError):
                place = Where(
                    project.settings.target.name,
                    machine=MACHINE,
                    asked_image=_own_image(part.settings),
                    when=now,
                )
                found[name] = with_refusal(found[name], error, place)
        told = (replace(one, unasked="" if one.runs else one.unasked) for one in found.values())
        services_told = based(told, project.rootpath, project.root)
        return Report(project.settings.target.name, now, services_told, tuple(notes))

    def _service_of(
        self, test: TestOutcome, services: tuple[ServiceConfig, ...]
    ) -> ServiceConfig | None:
        path = Path(os.path.normpath(self._config.rootpath / test.nodeid.partition("::")[0]))
        return service_of(services, path)

    def _with_run(
        self,
        evidence: ServiceEvidence,
        service: ServiceConfig,
        tests: tuple[TestOutcome, ...],
        where: Where,
        run: NestedRun,
    ) -> ServiceEvidence:
        """*evidence* with what *run* installed and tested, as far as it is about it."""
        matrix, place = evidence.matrix, run.place
        install = install_of(place.record, where) if place.record is not None else None
        misfit = ""
        if matrix is None or install is None:
            misfit = "what it deploys is not known, so that nothing can be compared"
        elif missing := install.missing(matrix):
            misfit = "the environment did not have what it deploys: " + ", ".join(missing[:5])
        if install is not None and not misfit:
            assert place.record is not None
            builds = tuple(builds_of(place.record, where))
            evidence = replace(evidence, installs=(install,), builds=builds)
        if not tests:
            return evidence
        part = tuple(self._selected(service))
        mapped = mapped_files(place.abi, HOME, run.mapped) if place.abi is not None else ()
        abi = place.abi if where.on_arm and not misfit else None
        found = tuple(self._findings(tests, where, abi, mapped))
        evidence = replace(evidence, findings=found)
        alone = len(tests) == len(self._tests[run.part.name])
        evidence = self._gathered.add_to(evidence, run, tests, alone=alone)
        return replace(
            evidence,
            runs=(
                TestRun(
                    where=where,
                    tests=tests,
                    problems=tuple(run.problems),
                    fits=not misfit,
                    misfit=misfit,
                    part=" ".join(part),
                    left_out=run.deselected if _counted(part) else None,
                    mapped=mapped,
                ),
            ),
        )

    def _findings(
        self,
        tests: tuple[TestOutcome, ...],
        where: Where,
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

    def _unasked(self, service: ServiceConfig) -> str:
        """What was typed that asked for none of the tests of *service*; empty where some were."""
        here, option = Path(self._config.invocation_params.dir), self._config.option
        wanted = option.arm64_service
        if wanted and service.name not in wanted:
            return " ".join(f"--arm64-service {name}" for name in wanted)
        asked = self._existing() or [here]
        if not any(_below(p, a) or _below(a, p) for p in prefixes(service) for a in asked):
            return " ".join(positional(option)) or f"the run was started in {here.name}"
        return " ".join(self._selected(service))

    def _existing(self) -> list[Path]:
        """What was typed and names files or folders."""
        here = Path(self._config.invocation_params.dir)
        paths = [here / arg for arg in positional(self._config.option)]
        return [Path(os.path.normpath(path)) for path in paths if path.exists()]

    def _selected(self, service: ServiceConfig) -> Iterator[str]:
        """The arguments that left tests out, as far as they were typed and not configured."""
        args = [str(arg) for arg in self._config.invocation_params.args]
        for before, arg in zip(["", *args], args, strict=False):
            name = arg.partition("=")[0]
            short = arg[:2] in ("-k", "-m") and not arg.startswith("--")
            if before in ("-k", "-m", "--deselect", "--group"):
                continue
            if name in _SELECTING or short or ("::" in arg and not arg.startswith(("-", GATE))):
                yield arg
        if self._config.option.pyargs:
            yield "--pyargs"
        existing = self._existing()
        own = prefixes(service)
        yield from (p.name for p in existing if p.is_file() and any(_below(p, o) for o in own))
        for tests in service.tests:
            if existing and not any(_below(tests, path) for path in existing):
                yield f"{tests.name} was not named"


def _own_image(settings: Settings) -> bool:
    return settings.base == settings.target.reference


def _with_bounded(
    evidence: ServiceEvidence, tests: tuple[TestOutcome, ...], where: Where, run: NestedRun
) -> ServiceEvidence:
    """*evidence* with the tests of *run*, which were meant to stay on x86."""
    if not tests:
        return evidence
    told = TestRun(where, tests, problems=tuple(run.problems), part=X86_BOUNDARY)
    return replace(evidence, runs=(*evidence.runs, told))


def _counted(part: Sequence[str]) -> bool:
    """Whether all that *part* left out was collected, and is known by name."""
    return bool(part) and all(word.startswith(_DESELECTING) for word in part)


def _below(path: Path, parent: Path) -> bool:
    return path == parent or parent in path.parents


def _reason(report: pytest.TestReport) -> str:
    longrepr = report.longrepr
    return str(longrepr[2]) if isinstance(longrepr, (tuple, list)) and len(longrepr) == 3 else ""
