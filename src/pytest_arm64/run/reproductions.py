"""Runs the reproducers of advisories in cells: with an affected release, and with another."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import pytest

from ..advisories.entries import (
    ILLEGAL_INSTRUCTION,
    WRONG_RESULT,
    Advisory,
    Verification,
)
from ..temporary import temporary_folder

TARGET = "al2023-python3.11"
"""Most releases in question are too old for a later Python."""
REPRODUCED, DIFFERS, UNKNOWN, NOT_HERE = "reproduced", "differs", "unknown", "not reproduced here"
AFFECTED, PASSES = "affected", "passes"
_MOST_TEXT = 300


@dataclass(frozen=True)
class Reproduction:
    """What came of one advisory."""

    id: str
    state: str
    """``reproduced``, ``differs``, ``unknown`` or ``not reproduced here``."""
    text: str


def reproduce(entries: Sequence[Advisory], arguments: Sequence[str] = ()) -> list[Reproduction]:
    """The reproducers of *entries*, each in two cells; one session for all of a target.

    Args:
        entries: what to reproduce; those without a verification are answered from their data.
        arguments: further ones for pytest.
    """
    planned: defaultdict[str, list[Advisory]] = defaultdict(list)
    for entry in entries:
        if entry.verification is not None:
            planned[entry.verification.target or TARGET].append(entry)
    outcomes: dict[str, _Outcome] = {}
    for target, together in planned.items():
        outcomes |= _outcomes(target, together, arguments)
    return [_reproduction(entry, outcomes) for entry in entries]


def _outcomes(
    target: str, entries: Sequence[Advisory], arguments: Sequence[str]
) -> Mapping[str, _Outcome]:
    """By the folder of a service: what its only test came to."""
    seen = _Seen()
    here = Path.cwd()
    with temporary_folder() as folder:
        for path, text in repository(entries, target).items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, "utf-8")
        os.chdir(folder)
        try:
            # A defect is what is wanted: no gate is to fail because of it.
            pytest.main(["--arm64", "--arm64-gate", "report", *arguments], plugins=[seen])
        finally:
            os.chdir(here)
    return seen.outcomes


def repository(entries: Iterable[Advisory], target: str = TARGET) -> dict[str, str]:
    """Files of a repository with two services for each of *entries*."""
    manifest = ["[tool.pytest.ini_options]", "[tool.pytest-arm64]", f'target = "{target}"']
    files = {"requirements-test.txt": "pytest\n"}
    for entry in entries:
        plan = entry.verification
        if plan is None:
            continue
        for side, release in ((AFFECTED, plan.affected), (PASSES, plan.passes)):
            service = service_name(entry, side)
            manifest += [
                f"[tool.pytest-arm64.service.{service}]",
                f'requirements = "{service}/requirements.txt"',
                'test-requirements = "requirements-test.txt"',
                f'tests = "{service}"',
            ]
            requirements = (f"{plan.package}=={release}", *plan.requirements)
            files[f"{service}/requirements.txt"] = "".join(f"{line}\n" for line in requirements)
            files[f"{service}/test_{service.replace('-', '_')}.py"] = _test(entry, plan, side)
    return {"pyproject.toml": "\n".join(manifest) + "\n", **files}


def service_name(entry: Advisory, side: str) -> str:
    """The service that runs one side of *entry*."""
    return f"{entry.id.lower()}-{side}"


def _test(entry: Advisory, plan: Verification, side: str) -> str:
    release = plan.affected if side == AFFECTED else plan.passes
    values = {
        "PACKAGE": plan.package,
        "RELEASE": str(release),
        "CODE": entry.reproducer,
        "CORE": plan.core,
        "EXPECTED": _expected(entry) if side == AFFECTED else "passes",
    }
    constants = "\n".join(f"{name} = {value!r}" for name, value in values.items())
    template = resources.files("pytest_arm64.resources").joinpath("reproducer.py.txt")
    return f"{constants}\n\n{template.read_text('utf-8')}"


def _expected(entry: Advisory) -> str:
    """How the reproducer ends with the affected release."""
    if entry.effect == ILLEGAL_INSTRUCTION:
        return "sigill"
    return "assertion" if entry.effect == WRONG_RESULT else "fails"


@dataclass(frozen=True)
class _Outcome:
    word: str
    text: str = ""


class _Seen:
    """A plugin that notes how each service's test ended."""

    def __init__(self) -> None:
        self.outcomes: dict[str, _Outcome] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        service = report.nodeid.partition("/")[0]
        if "::test_reproducer" not in report.nodeid:
            return
        if report.when == "call" or report.outcome != "passed":
            self.outcomes[service] = _Outcome(report.outcome, _reason(report))


def _reason(report: pytest.TestReport) -> str:
    text = report.longreprtext
    if not text and isinstance(report.longrepr, tuple):
        text = str(report.longrepr[-1])
    lines = [line[1:].strip() for line in text.splitlines() if line.startswith("E ")]
    return (lines[0] if lines else text.strip().rpartition("\n")[2])[:_MOST_TEXT]


def _reproduction(entry: Advisory, outcomes: Mapping[str, _Outcome]) -> Reproduction:
    plan = entry.verification
    if plan is None:
        return Reproduction(entry.id, NOT_HERE, _why_not(entry))
    sides = [outcomes.get(service_name(entry, side)) for side in (AFFECTED, PASSES)]
    releases = f"fails with {plan.package} {plan.affected}, passes with {plan.passes}"
    skipped = next((o for o in sides if o is not None and o.word == "skipped"), None)
    if skipped is not None:
        return Reproduction(entry.id, NOT_HERE, skipped.text)
    if None in sides:
        return Reproduction(entry.id, UNKNOWN, "a release could not be installed or run")
    problems = [o.text for o in sides if o is not None and o.word != "passed"]
    if problems:
        return Reproduction(entry.id, DIFFERS, "; ".join(problems))
    return Reproduction(entry.id, REPRODUCED, releases)


def _why_not(entry: Advisory) -> str:
    _, colon, reason = entry.reproduced.partition(": ")
    return reason if colon else "there is no reproducer"


def counted(reproductions: Iterable[Reproduction]) -> Iterator[str]:
    """How many there are of each state, in words."""
    states = [reproduction.state for reproduction in reproductions]
    for state in (REPRODUCED, DIFFERS, UNKNOWN, NOT_HERE):
        if state in states:
            yield f"{states.count(state)} {state}"
