"""The plugin in an ordinary run: options and markers, and next to nothing imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from unit.support import write

if TYPE_CHECKING:
    from pathlib import Path

HEAVY = {"docker", "requests", "urllib3", "httpx", "resolvelib", "elftools", "rich", "numpy"}
OURS = {
    "pytest_arm64.config.settings",
    "pytest_arm64.run.host",
    "pytest_arm64.engine.endpoint",
    "pytest_arm64.environment.build",
}


def run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "COV"))}
    environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )


def test_ordinary_run_imports_nothing_heavy(tmp_path: Path) -> None:
    test = (
        "import json, sys\n"
        "def test_it(request, arm64_target):\n"
        "    assert request.config.pluginmanager.hasplugin('pytest_arm64.plugin')\n"
        "    assert arm64_target['target'] is None\n"
        "    open('modules.json', 'w').write(json.dumps(sorted(sys.modules)))\n"
    )
    write(tmp_path, {"test_it.py": test})
    finished = run_pytest(tmp_path, "-p", "pytest_arm64.plugin", "-q")
    assert finished.returncode == 0, finished.stdout + finished.stderr
    modules = set(json.loads((tmp_path / "modules.json").read_text()))
    assert "pytest_arm64.plugin" in modules
    assert not HEAVY & {name.partition(".")[0] for name in modules}
    assert not OURS & modules
    assert "platformdirs" not in modules


def test_help_and_markers_are_told(tmp_path: Path) -> None:
    write(tmp_path, {"test_it.py": ""})
    text = run_pytest(tmp_path, "-p", "pytest_arm64.plugin", "--help").stdout
    for option in ("--arm64 ", "--arm64-target=NAME", "--arm64-cpu=CORE", "--arm64-offline"):
        assert option in text
    text = run_pytest(tmp_path, "-p", "pytest_arm64.plugin", "--markers").stdout
    assert "@pytest.mark.arm64:" in text


def test_what_cannot_be_used_is_a_usage_error_in_words(tmp_path: Path) -> None:
    write(tmp_path, {"test_a.py": "", "pyproject.toml": "[tool]\npytest-arm64 = 3"})
    finished = run_pytest(tmp_path, "-p", "pytest_arm64.plugin", "--arm64", "test_a.py")
    text = finished.stdout + finished.stderr
    assert finished.returncode == 4
    assert "pytest-arm64 = 3 must be a table" in text
    assert "Traceback" not in text
    assert "INTERNALERROR" not in text


def test_comparing_without_arm64_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, {"test_it.py": "def test_a(): pass"})
    for option in ("--arm64-compare", "--arm64-record"):
        finished = run_pytest(tmp_path, "-p", "pytest_arm64.plugin", option)
        assert finished.returncode == 4
        assert "add --arm64" in finished.stderr
        assert "Traceback" not in finished.stderr
