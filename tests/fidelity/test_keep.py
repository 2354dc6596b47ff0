"""``--pdb`` and ``--arm64-keep``: the command that is told opens the test as it ran."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fidelity.harness import Case, MakeCase

FILES = {
    "tests/test_it.py": """
        import os, sys, pytest
        @pytest.mark.arm64
        @pytest.mark.parametrize("word", ["a b", "it's $HOME", "x" * 200])
        def test_fails(word, arm64_target, mine, monkeypatch):
            marker = arm64_target["target"] + mine + os.environ["LOCAL"] + word[:4]
            assert marker == ""
        @pytest.mark.arm64
        def test_passes(): pass
    """,
    "conftest.py": """
        import pytest
        def pytest_addoption(parser): parser.addoption("--mine", default="no")
        @pytest.fixture
        def mine(pytestconfig): return pytestconfig.option.mine
    """,
    "pytest.ini": "[pytest]\naddopts = --strict-markers --arm64-gate report\n",
}


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder in which places are kept."""
    folder = tmp_path / "kept"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    yield folder
    assert list(folder.glob("pytest-arm64-*")) == []


def told(case: Case, *line: str, ours: str = "--arm64") -> tuple[str, list[str], str]:
    """What a run shows, the commands that it tells, and the one that removes."""
    case.write()
    process = case.start(line, ours)
    out, _ = process.communicate(timeout=40)
    _, _, rest = out.partition("\narm64: kept: ")
    commands = [text.strip() for text in rest.splitlines() if text.startswith("  cd ")]
    return out, commands, rest.partition("; remove it: ")[2].partition("\n")[0]


def shell(command: str, typed: str = "") -> str:
    finished = subprocess.run(
        ["sh", "-c", command], input=typed, capture_output=True, text=True, check=False, timeout=40
    )
    return finished.stdout + finished.stderr


@pytest.mark.parametrize("module", [False, True])
def test_the_command_opens_the_failing_test(
    project: MakeCase, kept: Path, monkeypatch: pytest.MonkeyPatch, module: bool
) -> None:
    monkeypatch.setenv("LOCAL", "<env>")
    case = project(FILES, module=module, cwd="tests", name="ein Pfad")
    out, commands, remove = told(case, "--pdb", "--mine", "given", "test_it.py", "-q")
    assert "3 failed, 1 passed" in out
    assert "(Pdb)" not in out
    assert len(commands) == 3
    for command, word in zip(commands, ("a b", "it's", "xxxx"), strict=True):
        opened = shell(command, "p marker\nq\n")
        assert f"heregiven<env>{word}" in opened.partition("(Pdb)")[2], opened
        assert "1 failed in" in opened
    assert "junit" not in commands[0]
    shell(remove)


def test_nothing_is_kept_where_nothing_fails(project: MakeCase, kept: Path) -> None:
    out, commands, remove = told(project(FILES), "--pdb", "-k", "passes")
    assert "1 passed" in out
    assert (commands, remove) == ([], "")


def test_where_it_is_asked_for_a_place_is_kept_in_any_case(project: MakeCase, kept: Path) -> None:
    out, commands, remove = told(project(FILES), "--arm64-keep", "-k", "passes")
    assert "1 passed" in out
    (command,) = commands
    assert "--trace FILE::TEST" in command
    mended = command.replace("FILE::TEST", "tests/test_it.py::test_passes")
    assert "def test_passes(): pass" in shell(mended, "c\n")
    shell(remove)


def test_only_tests_of_the_inside_are_told_in_a_marked_run(
    project: MakeCase, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCAL", "<env>")
    files = {**FILES, "test_here.py": "def test_here(): assert 0"}
    out, commands, remove = told(project(files), "--arm64-keep", ours="--arm64-marked")
    assert "4 failed, 1 passed" in out
    assert [shlex.split(command)[-1].partition("[")[0] for command in commands] == [
        "tests/test_it.py::test_fails"
    ] * 3
    assert "hereno<env>a b" in shell(commands[0], "p marker\nq\n")
    shell(remove)


def test_what_cannot_be_collected_and_what_dies_is_opened_too(
    project: MakeCase, kept: Path
) -> None:
    files = {
        "test_a.py": "value = 41\nassert value == 42",
        "test_b.py": "import os\ndef test_dies(): os._exit(3)",
    }
    out, commands, remove = told(project(files), "--pdb", "--continue-on-collection-errors")
    assert "1 failed, 1 error" in out
    assert "p value\n" not in out
    assert "(Pdb) 41" in shell(commands[0], "p value\nq\n")
    assert shlex.split(commands[1])[-1] == "test_b.py::test_dies"
    shell(remove)


def test_a_test_that_a_worker_ran_is_opened_without_workers(project: MakeCase, kept: Path) -> None:
    files = {"test_it.py": "def test_fails():\n    value = 41\n    assert value == 42"}
    _, commands, remove = told(project(files), "--arm64-keep", "-n", "2", "--dist", "load")
    assert "(Pdb) 41" in shell(commands[0], "p value\nq\n")
    shell(remove)


def test_of_several_services_each_has_a_place(project: MakeCase, kept: Path) -> None:
    table = '[tool.pytest-arm64.service.{0}]\nrequirements = "{0}/r.txt"\ntests = "{0}/tests"\n'
    files = {
        "pyproject.toml": table.format("a") + table.format("b"),
        "a/r.txt": "",
        "b/r.txt": "",
        "a/tests/test_a.py": "def test_a():\n    value = 41\n    assert value == 42",
        "b/tests/test_b.py": "def test_b(): assert 1 == 2",
    }
    out, commands, _ = told(project(files), "--pdb", "--arm64-gate", "report")
    assert "2 failed" in out
    names = [shlex.split(command)[-1] for command in commands]
    assert names == ["a/tests/test_a.py::test_a", "b/tests/test_b.py::test_b"]
    assert "(Pdb) 41" in shell(commands[0], "p value\nq\n")
    for line in out.splitlines():
        if line.startswith("arm64: kept: "):
            shell(line.partition("; remove it: ")[2])
