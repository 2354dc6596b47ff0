"""What the session of a part is asked about its code, and what becomes of the answer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pytest_arm64.config.services import ServiceConfig
from pytest_arm64.decide.evidence import ServiceEvidence, TestOutcome
from pytest_arm64.decide.executed_code import BRANCH, X86Place
from pytest_arm64.inside.frames import ASSUMING_X86, LinesExecuted
from pytest_arm64.mirror.executed import ExecutedStatements
from pytest_arm64.mirror.mirror import HostMirror
from pytest_arm64.run.executed_code import WatchedCode, WatchedPlace, _owners
from unit.decide import made

PYTHON = WatchedPlace(X86Place("api/a.py", 3, BRANCH, arm=True), ("api",), "/r/api/a.py", 3, 6)
OTHER = WatchedPlace(X86Place("web/b.py", 8, "x86-library"), ("web",), "/r/web/b.py", 7, 9)
NATIVE = WatchedPlace(X86Place("api/c.c", 1, BRANCH), ("api",), "/r/api/c.c", 0, 2)
CODE = WatchedCode((PYTHON, OTHER, NATIVE))


def answered(*frames: LinesExecuted) -> HostMirror:
    executed = ExecutedStatements()
    executed.watched = CODE.statements
    for frame in frames:
        executed.take(frame)
    return cast("HostMirror", SimpleNamespace(executed=executed))


def judged(mirror: HostMirror, **more: Any) -> ServiceEvidence:
    outcome = TestOutcome("test_it.py::test_it", "passed", died=more.pop("died", False))
    return CODE.add_to(made.service(), mirror, more.pop("where", made.NATIVE), [outcome])


def test_only_lines_of_python_are_asked_about() -> None:
    statements = {"/r/api/a.py": [(3, 6)], "/r/web/b.py": [(7, 9)]}
    assert CODE.records == {ASSUMING_X86: statements}
    assert WatchedCode((NATIVE,)).records == {}
    assert WatchedCode().records == {}


@pytest.mark.parametrize("executed", [True, False])
def test_a_service_gets_its_own_places(executed: bool) -> None:
    frame = LinesExecuted({"/r/api/a.py": [3] if executed else []}, "")
    evidence = judged(answered(frame))
    assert [(p.place, p.executed) for p in evidence.code] == [
        ("api/a.py:3", executed),
        ("api/c.c:1", None),
    ]
    assert evidence.code_problem == ""


@pytest.mark.parametrize(
    ("mirror", "more", "problem"),
    [
        (answered(), {}, "the session did not say"),
        (answered(LinesExecuted({}, "too old")), {}, "too old"),
        (answered(LinesExecuted({}, "")), {"died": True}, "a process died and did not say"),
        (
            answered(LinesExecuted({}, "")),
            {"where": replace(made.NATIVE, machine="x86_64")},
            "the tests did not run on ARM64",
        ),
    ],
)
def test_what_is_not_known_is_not_called_never_executed(
    mirror: HostMirror, more: dict[str, object], problem: str
) -> None:
    evidence = judged(mirror, **more)
    assert [place.executed for place in evidence.code] == [None, None]
    assert evidence.code_problem == problem


def test_a_file_is_of_the_nearest_service() -> None:
    services = [
        ServiceConfig(name=name, folder=Path(folder), requirements=(), tests=())
        for name, folder in (("all", "/r"), ("api", "/r/api"), ("worker", "/r/api"))
    ]
    assert _owners(Path("/r/api/a.py"), services) == ("api", "worker")
    assert _owners(Path("/r/shared/a.py"), services) == ("all",)
    assert _owners(Path("/elsewhere/a.py"), services) == ()
