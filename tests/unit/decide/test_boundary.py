"""Boundaries: overdue reviews, leaks, reasons that have gone, and the record of the decision."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.config.project_files import read_project_files
from pytest_arm64.config.services import services_at
from pytest_arm64.decide.boundary import (
    HOLDS,
    LEAKS,
    OVERDUE,
    REASON_GONE,
    BoundaryState,
    decision_record,
    fenced,
    leaks,
)
from pytest_arm64.decide.collect import evidence_on
from pytest_arm64.decide.gate import complaints
from pytest_arm64.decide.imports import imports_of, modules_of
from pytest_arm64.decide.plain_markdown import plain
from pytest_arm64.decide.verdict import STAY, decide
from unit.decide import made
from unit.decide.made import TODAY
from unit.support import write

TWO_SERVICES = """
[tool.pytest-arm64]
services = ["services/*"]
"""
BOUNDED = """
[tool.pytest-arm64]
boundary = { reason = "CUDA", migratable-when = "it runs without", review = 2027-03-01 }
"""


def state_of(**how: object) -> BoundaryState:
    values = {"boundary": made.BOUNDARY, **how}
    rows = (made.BLOCKER,) if "matrix" not in how else ()
    verdict = decide(made.service(*rows, **values), TODAY)
    assert verdict.verdict == STAY
    assert verdict.boundary is not None
    return verdict.boundary


def test_a_sound_boundary_holds_and_says_what_would_change_it() -> None:
    state = state_of()
    assert (state.states, state.sound) == ((HOLDS,), True)
    assert state.next_step == "migratable when a CUDA-free runtime passes"


def test_a_review_is_overdue_the_day_after_its_date() -> None:
    due = replace(made.BOUNDARY, review=TODAY)
    assert state_of(boundary=due).states == (HOLDS,)
    late = state_of(boundary=replace(due, review=date(2026, 11, 22)))
    assert (late.states, late.sound) == ((OVERDUE,), False)
    assert "its review was due on 2026-11-22" in late.reasons
    assert state_of(boundary=replace(due, review=None)).states == (HOLDS,)


def test_a_reason_that_may_have_gone_is_told_and_fails_nothing() -> None:
    state = state_of(matrix=made.matrix(made.WHEEL))
    assert (state.states, state.sound) == ((REASON_GONE,), True)
    assert "may be ready to migrate" in state.next_step


def test_a_leak_is_named_and_not_sound() -> None:
    state = state_of(leaks=("search imports torch (app.py:3)",))
    assert (state.states, state.sound) == ((LEAKS,), False)
    assert "search imports torch (app.py:3)" in state.reasons


def test_what_has_a_wheel_is_shared_and_what_has_none_is_fenced() -> None:
    matrix = made.matrix(made.WHEEL, made.PURE, made.SOURCE, made.BLOCKER, made.UNKNOWN)
    assert fenced(made.BOUNDARY, matrix) == {"hnswlib", "decord", "secret"}
    named = replace(made.BOUNDARY, packages=("numpy",))
    assert fenced(named, matrix) == {"hnswlib", "decord", "secret", "numpy"}
    matrices = {"vlm": matrix, "api": made.matrix(made.WHEEL), "bad": made.matrix(made.BLOCKER)}
    assert list(leaks("vlm", made.BOUNDARY, matrices, {})) == [
        "bad deploys decord 0.6.0 (requirements.txt:2 → decord 0.6.0)"
    ]
    assert len(list(leaks("vlm", named, matrices, {}))) == 2


def test_an_import_of_what_is_behind_a_boundary_is_a_leak(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            ".git/HEAD": "",
            "pyproject.toml": TWO_SERVICES,
            "services/vlm/pyproject.toml": BOUNDED,
            "services/vlm/vision/__init__.py": "import decord\n",
            "services/api/app.py": "import os\nfrom vision.model import run\n",
            "services/api/tests/test_app.py": "import decord\n",
            "services/api/lazy.py": "def f():\n    import decord.io as d\n",
        },
    )
    services = services_at(read_project_files(tmp_path)).declared
    matrices = [made.matrix(made.BLOCKER, service="services/vlm")]
    matrices.append(made.matrix(made.WHEEL, service="services/api"))
    api, vlm = evidence_on(services, matrices)
    assert vlm.leaks == (
        "services/api imports decord (lazy.py:2)",
        "services/api imports vision (app.py:2)",
    )
    assert api.leaks == ()
    assert list(complaints([decide(vlm, TODAY)])) == [
        "services/vlm: boundary: leaks: services/api imports decord (lazy.py:2); "
        "services/api imports vision (app.py:2)"
    ]


def test_imports_are_read_from_anything_without_running_it(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "good.py": "import a.b, c\nfrom . import d\nfrom .e import f\nfrom g.h import i\n",
            "broken.py": "import x\ndef (:\n",
            "bytes.py": b"\x00\xff\xfe",
            "deep.py": "x = " + "(" * 5000 + ")" * 5000,
            "old.py": "# -*- coding: latin-1 -*-\nimport caf\xe9\n".encode("latin-1"),
            "danger.py": "raise SystemExit('run')\nimport z\n",
            "warns.py": 'import w\nx = "\\d"\n',
            ".hidden/no.py": "import no",
            "venv/pyvenv.cfg": "",
            "venv/no.py": "import no",
            "env/pyvenv.cfg": "",
            "env/no.py": "import no",
        },
    )
    (tmp_path / "loop").symlink_to(tmp_path)
    assert dict(imports_of(tmp_path)) == {
        "a": "good.py:1",
        "c": "good.py:1",
        "g": "good.py:4",
        "café": "old.py:2",
        "w": "warns.py:1",
        "z": "danger.py:2",
    }
    assert imports_of(tmp_path / "absent") == ()


def test_a_parser_that_miscounts_is_asked_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "it.py").write_text("import numpy\n")
    parse = ast.parse
    failed: list[bytes] = []

    def miscounting(source: bytes) -> ast.AST:
        if not failed:
            failed.append(source)
            raise SystemError("AST constructor recursion depth mismatch (before=90, after=65)")
        return parse(source)

    monkeypatch.setattr(ast, "parse", miscounting)
    assert imports_of(tmp_path) == (("numpy", "it.py:1"),)
    assert failed


@given(st.binary(max_size=300))
def test_no_bytes_stop_the_reading_of_imports(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    folder = tmp_path_factory.mktemp("code")
    write(folder, {"module.py": content})
    assert all(name and place for name, place in imports_of(folder))


def test_modules_that_every_service_has_are_nobodys(tmp_path: Path) -> None:
    write(tmp_path, {"handler.py": "", "own.py": "", "src/deep/__init__.py": "", "tests/a.py": ""})
    assert modules_of(tmp_path) == ("deep", "own")


def test_the_record_of_the_decision_has_everything() -> None:
    late = replace(made.BOUNDARY, review=date(2026, 1, 1))
    evidence = made.service(made.BLOCKER, boundary=late, leaks=("api deploys decord 0.6.0",))
    verdict = decide(evidence, TODAY)
    assert verdict.boundary is not None
    text = decision_record([(evidence, verdict.boundary)], made=TODAY)
    for part in (
        "## api",
        "stays on x86\\_64. State today: review overdue, leaks".replace("\\_", "_"),
        "- **Reason:** CUDA inference",
        "- **Migratable when:** a CUDA-free runtime passes",
        "- **Review:** 2026-01-01",
        "- **Behind the boundary:** decord",
        "  - api deploys decord 0.6.0",
    ):
        assert part in text
    assert "No boundary is declared" in decision_record([], made=TODAY)


@given(st.text(max_size=60))
def test_plain_text_has_nothing_that_markdown_obeys(text: str) -> None:
    line = plain(text)
    assert line.replace("\u200b", "").isprintable()
    assert not re.search(r"[@#!]\w|\bGH-\d", line)
    assert not re.search(r"(?<!\\)(?:\\\\)*[`*_\[\]<>|#]", line)


@pytest.mark.parametrize("text", ["@team", "see @org/team!", "x #123", "org/repo#1", "GH-7", "!9"])
def test_nobody_is_notified_by_what_packages_and_tests_say(text: str) -> None:
    line = plain(text)
    assert not re.search(r"[@#!]\w|\bGH-\d", line)
    assert line.replace("\u200b", "").replace("\\", "") == text


def test_a_folder_knows_what_the_folder_above_says_of_it(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            ".git/HEAD": "",
            "pyproject.toml": "[tool.pytest-arm64.service.the-api]\n"
            'requirements = "api/requirements.txt"\nmonthly-cost = 5\n',
            "api/requirements.txt": "",
            "other/requirements.txt": "",
        },
    )
    api = services_at(read_project_files(tmp_path / "api")).itself
    assert (api.name, api.monthly_cost) == ("the-api", 5.0)
    other = services_at(read_project_files(tmp_path / "other")).itself
    assert other.name == "other"
    write(tmp_path / "api", {".git/HEAD": ""})
    alone = services_at(read_project_files(tmp_path / "api")).itself
    assert alone.name == "api"
