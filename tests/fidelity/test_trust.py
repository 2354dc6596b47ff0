"""A repository's files widen nothing by themselves, in a real run."""

from __future__ import annotations

import pytest

from fidelity.harness import MakeCase

TEST = "def test_it(): pass\n"
TABLE = '[tool.pytest.ini_options]\naddopts = "{}"\n[tool.pytest-arm64]\n{}\n'


@pytest.mark.parametrize(
    ("addopts", "table", "shown"),
    [
        ("", "network = 'host'", 'network = "host"'),
        ("", "env = ['PATH']", 'env = "PATH"'),
        ("", "image = 'evil:1'", 'image = "evil:1"'),
        ("--arm64-image=evil:1", "", "'evil:1'"),
        ("--arm64-image evil:1 -o addopts=", "", "'evil:1'"),
        ("--arm64-build-network", "", "network for builds"),
        ("", "build-network = true", "build-network = true"),
    ],
)
@pytest.mark.parametrize("mode", ["mirrored", "marked"])
def test_no_test_runs_before_the_user_allows_it(
    project: MakeCase, mode: str, addopts: str, table: str, shown: str
) -> None:
    files = {"test_it.py": TEST, "pyproject.toml": TABLE.format(addopts, table)}
    case = project(files, environment={"PYTEST_ARM64_IMAGE": ""})
    result = case.mirrored([]) if mode == "mirrored" else case.marked([])
    assert result.code == pytest.ExitCode.USAGE_ERROR, result.text
    assert shown in result.text
    assert "PYTEST_ARM64_TRUST=1" in result.text
    assert "passed" not in result.text


def test_the_header_says_what_was_widened_and_who_allowed_it(project: MakeCase) -> None:
    files = {
        "test_it.py": TEST,
        "pyproject.toml": TABLE.format("--arm64-image=evil:1", "env = ['PATH']\nnetwork = 'x'"),
    }
    case = project(files, environment={"PYTEST_ARM64_TRUST": "1"})
    case.write()
    process = case.start([], "--arm64")
    text, _ = process.communicate(timeout=60)
    assert process.returncode == 0, text
    lines = [line for line in text.splitlines() if line.startswith("arm64: widened: ")]
    assert len(lines) == 2, text
    assert all("allowed by PYTEST_ARM64_TRUST" in line for line in lines)


def test_an_image_of_the_command_line_or_of_a_variable_needs_no_trust(project: MakeCase) -> None:
    case = project(TEST)
    assert case.mirrored(["--arm64-image", "mine:1"]).code == 0
    case = project(TEST, environment={"PYTEST_ADDOPTS": "--arm64-image=mine:1"})
    assert case.mirrored([]).code == 0


NOTING = ["-p", "noting_plugin"]


@pytest.mark.parametrize(
    "words",
    [
        "--note-file=../notes",
        "--note-file /tmp/notes",
        "--note-file=~/notes",
        "--note-report html:../notes",
        "--note-report=json --note-report=xml=/tmp/notes",
    ],
)
def test_a_plugins_option_in_addopts_leads_to_no_place_outside(
    project: MakeCase, words: str
) -> None:
    case = project({"test_it.py": TEST, "pyproject.toml": TABLE.format(words, "")})
    result = case.mirrored(NOTING)
    assert result.code == pytest.ExitCode.USAGE_ERROR, result.text
    assert "outside the repository" in result.text


@pytest.mark.parametrize(
    ("words", "typed"),
    [
        ("--note-file=notes --note-report=html:out --note-report=https://example.com/x", []),
        ("", ["--note-file=/tmp/notes"]),
        ("--note-file=../notes", ["--note-file=elsewhere"]),
        ("--ignore=/elsewhere --basetemp=/tmp/x --deselect=../x", []),
    ],
)
def test_places_inside_and_those_that_were_typed_are_no_reason(
    project: MakeCase, words: str, typed: list[str]
) -> None:
    case = project({"test_it.py": TEST, "pyproject.toml": TABLE.format(words, "")})
    assert case.mirrored([*NOTING, *typed]).code == 0


def test_trust_allows_places_outside(project: MakeCase) -> None:
    files = {"test_it.py": TEST, "pyproject.toml": TABLE.format("--note-file=/tmp/notes", "")}
    case = project(files, environment={"PYTEST_ARM64_TRUST": "1"})
    assert case.mirrored(NOTING).code == 0
