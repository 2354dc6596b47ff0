"""`pytest-arm64 advisories`: what is known, listed and shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_arm64.advisories.database import shipped_advisories
from pytest_arm64.cli import main
from pytest_arm64.run import reproductions
from pytest_arm64.run.reproductions import Reproduction
from unit.advisories.made_advisories import entry
from unit.support import write


@pytest.fixture(autouse=True)
def _in_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "project"
    (folder / ".git").mkdir(parents=True)
    monkeypatch.chdir(folder)


def test_every_advisory_has_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["advisories", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [e.id for e in shipped_advisories().entries]


def test_a_package_is_found_by_any_spelling(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["advisories", "list", "--package", "Z3_Solver"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert "z3-solver ==4.13.0.0" in line


@pytest.mark.parametrize("name", ["ARM-2026-0008", "arm-2026-0008", "x_ARM-2026-0008"])
def test_an_advisory_is_shown_with_its_sources(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["advisories", "show", name]) == 0
    out = capsys.readouterr().out
    assert out.startswith("ARM-2026-0008: ")
    for text in ("pyarrow >=25.0.0,<25.0.1", "neoverse-v1", "emulated Graviton3", "https://"):
        assert text in out


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["advisories", "list", "--package", "pyarrow", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["format"] == 1
    assert {"ARM-2026-0008"} < {e["id"] for e in found["advisories"]}
    assert main(["advisories", "show", "ARM-2026-0008", "--format", "json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["affected"] == [{"package": "pyarrow", "releases": ">=25.0.0,<25.0.1"}]


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["show", "ARM-2026-00081"], "did you mean 'ARM-2026-0008'?"),
        (["show", "nothing"], "there is no advisory 'nothing'"),
        (["list", "--package", "pyarow"], "did you mean 'pyarrow'?"),
    ],
)
def test_what_is_not_there_is_an_error_with_a_hint(
    words: list[str], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["advisories", *words]) == 2
    assert hint in capsys.readouterr().err


def test_the_project_s_own_are_listed_without_what_a_terminal_obeys(
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings = '[tool.pytest-arm64]\nadvisories = ["ours.json"]\n'
    ours = {**entry("OURS-1"), "summary": "bad \x1b[2J"}
    write(Path.cwd(), {"pyproject.toml": settings, "ours.json": json.dumps(ours)})
    assert main(["advisories", "list", "--package", "zed"]) == 0
    assert capsys.readouterr().out == "OURS-1  abort  zed >=2.0,<3.0: bad ?[2J\n"


def test_a_broken_file_of_the_project_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    write(
        Path.cwd(),
        {"pyproject.toml": '[tool.pytest-arm64]\nadvisories = ["a.json"]\n', "a.json": "[1]"},
    )
    assert main(["advisories", "list"]) == 2
    assert "a.json: entry 1: it is not an object" in capsys.readouterr().err


@pytest.mark.parametrize("words", [[], ["ARM-2026-0009", "--all"]])
def test_verify_needs_to_know_what(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["advisories", "verify", *words]) == 2
    assert "name advisories, or pass --all" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("states", "code"),
    [
        (["reproduced", "not reproduced here"], 0),
        (["reproduced", "differs"], 1),
        (["differs", "unknown"], 3),
    ],
)
def test_the_exit_code_of_verify(
    states: list[str],
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    results = [Reproduction(f"A-{n}", state, "why") for n, state in enumerate(states)]
    monkeypatch.setattr(reproductions, "reproduce", lambda _: results)
    assert main(["advisories", "verify", "--all"]) == code
    *lines, last = capsys.readouterr().out.splitlines()
    assert lines[0] == f"A-0  {states[0]}: why"
    assert last == ", ".join(f"1 {state}" for state in states)
    assert main(["advisories", "verify", "--all", "--format", "json"]) == code
    document = json.loads(capsys.readouterr().out)
    assert [r["state"] for r in document["reproductions"]] == states
