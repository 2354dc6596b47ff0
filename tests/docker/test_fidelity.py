"""The projects of the fidelity suite through a real container: all of them in one session."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from fidelity.harness import CACHED, outcomes

ROOT = Path(__file__).parents[2]
FILES = ("collection", "data", "options", "outcomes", "output", "plugins", "published", "marked")
# What ends a session, or belongs to one session alone, cannot go with the others.
_ALONE = re.compile(
    r"_exit|os\.kill|abort\(|fork\(|pytest\.exit|KeyboardInterrupt|SystemExit|raise_signal"
    r"|os\.close|os\.dup2|def pytest_|pytest_plugins|PYTEST_ARM64|sys\.argv|sys\.executable"
    r"|10_000_000|random\.random|flaky|timeout\("
)
TIMEOUT = 900


def run(folder: Path, *arguments: str, variables: Mapping[str, str] | None = None) -> int:
    """Exit code of one pytest in *folder*."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_") or "ARM64" in k}
    finished = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments],
        cwd=folder,
        env={**kept, "PYTHONHASHSEED": "0", **(variables or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=TIMEOUT,
    )
    return finished.returncode


@pytest.fixture
def gathered(tmp_path: Path) -> Path:
    """A repository with the projects, a folder each."""
    everything = tmp_path / "everything"
    everything.mkdir()
    files = [f"tests/fidelity/test_{name}.py" for name in FILES]
    code = run(ROOT, "-q", *files, variables={"FIDELITY_GATHER": str(everything)})
    assert code in (0, 1), "the projects could not be gathered"
    folder = tmp_path / "projects"
    folder.mkdir()
    for project in sorted(everything.iterdir()):
        paths = [path for path in project.rglob("*") if path.is_file()]
        text = "\n".join(path.read_text("utf-8", "replace") for path in paths)
        if all(path.suffix == ".py" for path in paths) and not _ALONE.search(text):
            shutil.copytree(project, folder / project.name)
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n    slow\n    flaky\n    timeout\n")
    (folder / "requirements.txt").touch()
    (folder / "requirements-test.txt").write_text(f"pytest=={pytest.__version__}\nhypothesis\n")
    return folder


def test_more_than_thirty_projects_have_the_same_outcomes_here_and_there(gathered: Path) -> None:
    assert len(list(gathered.glob("case_*"))) > 30
    found = []
    for side in ((), ("--arm64",)):
        shutil.rmtree(gathered / ".pytest_cache", ignore_errors=True)
        line = [*side, "--import-mode=importlib", "--continue-on-collection-errors", "-q"]
        code = run(gathered, *line, "--junitxml=junit.xml")
        cache = {
            name: json.loads((gathered / ".pytest_cache/v/cache" / name).read_text("utf-8"))
            for name in CACHED
            if (gathered / ".pytest_cache/v/cache" / name).exists()
        }
        found.append((code, outcomes(gathered / "junit.xml"), cache))
    assert found[0] == found[1]
    assert found[0][0] == 1
