"""The files of a project are read once in a run, and the project is called by its own name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fidelity.harness import Case

TEST = "def test_it(): pass\n"
SINGLE = {
    "pyproject.toml": """
        [project]
        name = "shop"
        version = "1"
        dependencies = ["six"]

        [dependency-groups]
        test = ["pytest"]

        [tool.pytest-arm64]
        env = ["A=b"]
        """,
    "test_it.py": TEST,
    ".git/HEAD": "",
}
SERVICES = {
    "pyproject.toml": """
        [tool.pytest-arm64]
        services = ["services/*"]

        [tool.pytest-arm64.service.worker]
        requirements = "worker/requirements.txt"
        """,
    **{
        f"services/{name}/pyproject.toml": f"""
            [project]
            name = "{name}"
            version = "1"
            dependencies = ["six"]
            [tool.pytest-arm64]
            install = "none"
            """
        for name in ("api", "mail")
    },
    **{f"services/{name}/test_{name}.py": TEST for name in ("api", "mail")},
    "worker/requirements.txt": "six\n",
    "worker/test_worker.py": TEST,
    "worker/pyproject.toml": "[tool.other]\n",
    "test_root.py": TEST,
    ".git/HEAD": "",
}


def run(case: Case, *arguments: str) -> tuple[str, dict[str, int]]:
    """What is printed, and how often which file was read."""
    case.write()
    words = ["-p", "counted_place", "--arm64-offline", "-v", *arguments]
    out, _ = case.start(words, "--arm64").communicate(timeout=120)
    return out, reads_of(case.project)


def reads_of(project: Path) -> dict[str, int]:
    lines = (project / "reads.txt").read_text("utf-8").splitlines()
    return {name: int(count) for count, _, name in (line.partition(" ") for line in lines)}


@pytest.mark.parametrize("arguments", [(), ("--arm64-report", "out")])
def test_the_project_file_is_read_once(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    out, reads = run(Case(tmp_path / "case", SINGLE), *arguments)
    assert "1 passed" in out
    assert reads == {"pyproject.toml": 1}


def test_the_file_of_each_service_is_read_once(tmp_path: Path) -> None:
    out, reads = run(Case(tmp_path / "case", SERVICES), "--arm64-report", "out")
    assert "4 passed" in out
    names = ("", "services/api/", "services/mail/", "worker/")
    assert reads == {f"{name}pyproject.toml": 1 for name in names}


@pytest.mark.parametrize(
    ("pyproject", "name"),
    [("[project]\nname = 'shop'\nversion = '1'\n", "shop"), ("", "project")],
)
def test_a_project_has_one_name_everywhere(tmp_path: Path, pyproject: str, name: str) -> None:
    files = {**SINGLE, "pyproject.toml": pyproject, "requirements.txt": "six\n"}
    case = Case(tmp_path / "case", files)
    out, _ = run(case, "--arm64-report", "out", "--arm64-cpu", "graviton2,graviton3")
    assert f"arm64: audit of {name} for" in out
    assert f"arm64::{name}::graviton3 PASSED" in out
    report = json.loads((case.project / "out" / "report.json").read_text("utf-8"))
    assert [service["name"] for service in report["services"]] == [name]
    assert "repository" not in out


@pytest.mark.parametrize("name", ["shop", "repository"])
def test_the_project_answers_to_its_former_name(tmp_path: Path, name: str) -> None:
    case = Case(tmp_path / "case", SINGLE)
    gate = f"arm64::{name}::slow"
    words = ("--arm64-gate", "all", "--arm64-service", name)
    out, _ = run(case, *words, gate)
    assert "arm64::shop::slow FAILED" in out
    assert "test_it.py" not in out
    out, _ = run(case, *words, "--deselect", gate)
    assert "test_it.py::test_it PASSED" in out
    assert "arm64::shop::slow" not in out
