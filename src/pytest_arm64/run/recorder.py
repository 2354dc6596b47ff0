"""Collects what a mirrored run shows, and writes it as the report of ``--arm64-report``."""

from __future__ import annotations

import contextlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ..binary.mapped import Mapped, mapped_files
from ..decide.collect import (
    abi_findings,
    builds_of,
    evidence_on,
    install_of,
    mapped_findings,
    named_alike,
    services_at,
)
from ..decide.evidence import Finding, Install, ServiceEvidence, TestOutcome, TestRun, Where
from ..environment.tree import HOME
from ..errors import Arm64Error
from ..fixtures.golden import PROPERTY
from ..report.document import Report, write_report
from ..services import ServiceConfig, service_of
from ..settings import load_settings
from .arguments import GATE
from .silent import outcome_of

if TYPE_CHECKING:
    from .host import HostPlugin
    from .place import Place

_GRAVITY = ("passed", "xpassed", "xfailed", "skipped", "failed", "error")
_SELECTING = ("-k", "-m", "--lf", "--last-failed", "--sw", "--stepwise", "--deselect", "--group")
_TEXT_LIMIT = 20_000


class Recorder:
    """Registered beside the host's plugin where ``--arm64-report`` is given."""

    def __init__(self, config: pytest.Config, host: HostPlugin) -> None:
        self._config = config
        self._host = host
        self._folder = Path(config.invocation_params.dir) / config.option.arm64_report
        self._tests: dict[str, TestOutcome] = {}
        self._golden: dict[str, Counter[str]] = {}
        self._lines: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.nodeid.startswith(GATE):
            return
        outcome = outcome_of(report)
        if outcome is None:
            return
        known = self._tests.get(report.nodeid)
        text = report.longreprtext if report.failed else _reason(report)
        self._compared(report)
        seconds = report.duration + (known.seconds if known is not None else 0.0)
        if known is not None and _GRAVITY.index(known.outcome) >= _GRAVITY.index(outcome):
            outcome, text = known.outcome, known.text
        self._tests[report.nodeid] = TestOutcome(
            report.nodeid, outcome, round(seconds, 6), text[-_TEXT_LIMIT:]
        )

    def _compared(self, report: pytest.TestReport) -> None:
        """Keep how many values of a test were compared with goldens, by class."""
        if report.when != "teardown":
            return
        for name, value in report.user_properties:
            if name == PROPERTY:
                with contextlib.suppress(ValueError, TypeError, KeyError):
                    classes = Counter(str(one["class"]) for one in json.loads(str(value))["values"])
                    self._golden[report.nodeid] = classes

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        place = self._host.place
        if place is None or self._config.option.collectonly:
            return
        try:
            report = self._report(place)
            path = write_report(report, self._folder)
        except Arm64Error as error:
            self._lines = [f"the report was not written: {error}"]
            self._host.problems.append(self._lines[0])
            return
        head = report.headline
        self._lines = [head.text + (f"; {head.spend}" if head.spend else "")]
        self._lines += [f"{v.service}: {v.label}" for v in report.verdicts]
        self._lines.append(f"report: {path} (pytest-arm64 report {path.parent} shows it)")

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        from ..report.matrix import printable

        for line in self._lines:
            terminalreporter.line(f"arm64: {printable(line)}")

    def _report(self, place: Place) -> Report:
        config = self._config
        rootpath = config.rootpath
        settings = load_settings(
            config.option, os.environ, rootpath=rootpath, cwd=Path(config.invocation_params.dir)
        )
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        own_image = settings.image in ("", settings.target.reference)
        where = Where.of_facts(place.facts, now, asked_image=own_image)
        services = services_at(rootpath, settings.root)
        audit = place.assessment
        matrices = named_alike(audit.matrices if audit is not None else (), services)
        problem = audit.problem if audit is not None else "nothing was audited"
        known = evidence_on(services, matrices, problem)
        install = install_of(place.record, where) if place.record is not None else None
        by_service = dict(self._by_service(services))
        found = tuple(
            self._with_run(one, service, by_service.get(one.name, ()), where, install)
            for one, service in zip(known, services, strict=True)
        )
        notes = []
        others = by_service.get("", ())
        if others:
            notes.append(f"{len(others)} tests belong to no service that is configured")
        return Report(settings.target.name, now, found, tuple(notes))

    def _by_service(
        self, services: tuple[ServiceConfig, ...]
    ) -> Iterable[tuple[str, tuple[TestOutcome, ...]]]:
        found: dict[str, list[TestOutcome]] = {}
        for test in self._tests.values():
            path = Path(os.path.normpath(self._config.rootpath / test.nodeid.partition("::")[0]))
            service = service_of(services, path)
            found.setdefault(service.name if service is not None else "", []).append(test)
        return ((name, tuple(tests)) for name, tests in found.items())

    def _with_run(
        self,
        evidence: ServiceEvidence,
        service: ServiceConfig,
        tests: tuple[TestOutcome, ...],
        where: Where,
        install: Install | None,
    ) -> ServiceEvidence:
        """*evidence* with what this run installed and tested, as far as it is about it."""
        matrix = evidence.matrix
        misfit = ""
        if matrix is None or install is None:
            misfit = "what it deploys is not known, so that nothing can be compared"
        elif missing := install.missing(matrix):
            misfit = "the environment did not have what it deploys: " + ", ".join(missing[:5])
        if install is not None and not misfit:
            evidence = replace(evidence, installs=(install,), builds=tuple(builds_of(install)))
        if not tests:
            return evidence
        evidence = replace(evidence, findings=tuple(self._findings(tests, where, misfit)))
        run = TestRun(
            where=where,
            tests=tests,
            problems=tuple(self._host.problems),
            fits=not misfit,
            misfit=misfit,
            part=" ".join(self._selected(service)),
            mapped=self._mapped(),
        )
        return replace(evidence, runs=(run,))

    def _mapped(self) -> tuple[Mapped, ...]:
        place = self._host.place
        if place is None or place.abi is None:
            return ()
        return mapped_files(place.abi, HOME, self._host.mapped)

    def _findings(
        self, tests: tuple[TestOutcome, ...], where: Where, misfit: str
    ) -> Iterator[Finding]:
        abi = self._host.place.abi if self._host.place is not None else None
        if abi is not None and not misfit:
            yield from abi_findings(abi, where)
            yield from mapped_findings(self._mapped(), where)
        classes: Counter[str] = Counter()
        for test in tests:
            classes += self._golden.get(test.nodeid, Counter())
        if classes:
            told = ", ".join(f"{number} {name}" for name, number in classes.most_common())
            # What must not be is a failure of its test already.
            yield Finding("golden", f"values compared with x86: {told}", False, where)

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
        typed = self._config.option.file_or_dir
        paths = [Path(self._config.invocation_params.dir) / arg for arg in typed]
        existing = [Path(os.path.normpath(path)) for path in paths if path.exists()]
        yield from (path.name for path in existing if path.is_file())
        for tests in service.tests:
            if existing and not any(_below(tests, path) for path in existing):
                yield f"{tests.name} was not named"


def _below(path: Path, parent: Path) -> bool:
    return path == parent or parent in path.parents


def _reason(report: Any) -> str:
    longrepr = report.longrepr
    return str(longrepr[2]) if isinstance(longrepr, (tuple, list)) and len(longrepr) == 3 else ""
