"""Nothing of the project is executed on the host, and the session inside runs as ever."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from fidelity.audited import LIBRARIES
from fidelity.harness import HERE, Case, MakeCase, Result

if TYPE_CHECKING:
    from pathlib import Path

SHADOWS = {f"src/{name}.py": "raise SystemExit('executed')\n" for name in LIBRARIES}
OPTIONAL = {f"src/{name}.py": "" for name in ("simplejson", "brotli", "zstandard", "chardet")}
TEST = "def test_it(): pass\n"
# Loaded inside, where it belongs.
IMPORTS = (
    "def test_it(): import simplejson; assert simplejson.__file__.endswith('src/simplejson.py')\n"
)


def run(case: Case, *line: str) -> tuple[Result, str]:
    """The run of *line*, and what was executed of the project meanwhile."""
    notes: Path = case.folder.parent / "audit"
    notes.unlink(missing_ok=True)
    case.environment = {
        **case.environment,
        "AUDITED": str(case.project),
        "AUDIT": str(notes),
    }
    result = case.mirrored(line)
    return result, notes.read_text("utf-8") if notes.exists() else ""


@pytest.fixture
def audited(project: MakeCase) -> MakeCase:
    """As ``project``; *python* are the arguments of the interpreter."""

    def make(files: dict[str, str], **more: object) -> Case:
        launcher = (sys.executable, str(HERE / "audited.py"))
        return project({"test_it.py": TEST, **files}, launcher=launcher, **more)

    return make


def test_the_hook_sees_what_is_executed(audited: MakeCase) -> None:
    """Typed by the user, a plugin of the project is loaded: the audit must show it."""
    case = audited({"side/named.py": ""}, environment={"PYTHONPATH": f"{HERE}:side"})
    result, notes = run(case, "-p", "named")
    assert result.code == 0, result.text
    assert f"exec {case.project}/side/named.py" in notes


@pytest.mark.parametrize("file", ["pytest.ini", "pyproject.toml"])
def test_libraries_do_not_come_from_the_python_path_of_the_ini(
    audited: MakeCase, file: str
) -> None:
    heading = (
        "[pytest]\npythonpath = src\n"
        if file == "pytest.ini"
        else ('[tool.pytest.ini_options]\npythonpath = ["src"]\n')
    )
    case = audited({file: heading, **SHADOWS, **OPTIONAL, "test_it.py": IMPORTS})
    result, notes = run(case)
    assert (result.code, notes) == (0, ""), result.text


@pytest.mark.parametrize("path", ["src", ".", "tests/.."])
def test_nor_from_the_environment(audited: MakeCase, path: str) -> None:
    files = {**SHADOWS, **{name.removeprefix("src/"): text for name, text in SHADOWS.items()}}
    case = audited(files, environment={"PYTHONPATH": f"{HERE}:{path}"})
    result, notes = run(case)
    assert (result.code, notes) == (0, ""), result.text


def test_nor_from_the_working_directory(audited: MakeCase) -> None:
    files = {name.removeprefix("src/"): text for name, text in SHADOWS.items()}
    case = audited(files)
    case.launcher = (sys.executable, "-c", START)
    result, notes = run(case)
    assert (result.code, notes) == (0, ""), result.text


START = f"""
import sys
sys.path.append({str(HERE)!r})
from audited import Libraries, pytest, watch
sys.addaudithook(watch)
sys.exit(pytest.main(plugins=[Libraries()]))
"""


def test_hooks_of_plugins_in_addopts_do_not_run(audited: MakeCase) -> None:
    """The module itself is loaded by pytest before any installed plugin is."""
    hooks = "def pytest_terminal_summary(): print('HOOK RAN')\ndef pytest_sessionstart(): 1 / 0\n"
    code = "import os\nif 'PYTEST_ARM64_OUT' not in os.environ:\n" + "\n".join(
        f"    {line}" for line in hooks.splitlines()
    )
    case = audited(
        {"pytest.ini": "[pytest]\naddopts = -p named\n", "side/named.py": code},
        environment={"PYTHONPATH": f"{HERE}:side"},
    )
    result, _ = run(case)
    assert result.code == 0, result.text
    assert "HOOK RAN" not in result.text


ENDS = {
    "passes": "def test_last(): pass\n",
    "fails": "def test_last(): assert {'a': [1, 2]} == {'a': [1, 3]}\n",
    "dies": "import os\ndef test_last(): os.kill(os.getpid(), 4)\n",
    "stops": "import pytest\ndef test_last(): pytest.exit('enough', 3)\n",
    "warns": "import warnings\ndef test_last(): warnings.warn('old', DeprecationWarning)\n",
}
USES_ALL = """
def test_first(arm64_measure, arm64_golden):
    arm64_measure(len, "")
    arm64_golden.check([1.0, 2.0])
"""


@pytest.mark.parametrize("end", ENDS)
def test_nothing_of_ours_is_imported_after_the_first_test(project: MakeCase, end: str) -> None:
    """A test may have changed its files by then, where they lie in the project."""
    case = project({"test_a.py": USES_ALL, "test_b.py": ENDS[end]})
    options = ["-p", "late_imports", "-p", "reported_place", "--arm64-report", "out"]
    case.write()
    process = case.start(options, "--arm64")
    text, _ = process.communicate(timeout=60)
    assert "test_b.py" in text
    assert "LATE pytest" not in text, text
