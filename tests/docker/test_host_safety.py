"""A hostile suite, its repository and packages in its checkout: what the host executes of them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from docker_cases import RunPytest
from unit.support import write

AUDITED = Path(__file__).parents[1] / "fidelity/audited.py"
SUITE = """
import errno
import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parent
PROTECTED = [".git/config", ".git/hooks/post-checkout", ".github/workflows/new.yml",
             ".venv/bin/python", ".venv/lib/site.pth", ".pre-commit-config.yaml"]

@pytest.mark.parametrize("name", PROTECTED)
def test_it_cannot_be_written(name):
    with pytest.raises(OSError) as raised:
        (ROOT / name).write_text("#!/bin/sh")
    assert raised.value.errno == errno.EROFS

@pytest.mark.parametrize("name", [".git", ".github", ".venv", ".pre-commit-config.yaml"])
def test_nor_moved_away(name):
    with pytest.raises(OSError):
        os.rename(ROOT / name, ROOT / "other")

def test_the_rest_can_be_written():
    (ROOT / "written").write_text("")
    (ROOT / "package").mkdir()
"""


def test_what_other_programs_run_is_read_only(
    project: Callable[..., Path], run_pytest: RunPytest
) -> None:
    folder = project(test_it=SUITE)
    for name in (".git/hooks", ".github/workflows", ".venv/bin", ".venv/lib"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name in (".git/config", ".venv/pyvenv.cfg", ".pre-commit-config.yaml"):
        (folder / name).touch()
    result = run_pytest(folder, "--arm64")
    assert result.code == 0, result.out
    assert (folder / "written").exists()


def test_nothing_of_the_project_is_executed_on_the_host(
    project: Callable[..., Path], tmp_path: Path
) -> None:
    code = """
        from pathlib import Path
        import pytest
        @pytest.mark.parametrize("name", ["traceback", "docker", "sitecustomize", "pip", "rich"])
        def test_it(name):
            for folder in ("src", "."):
                Path(folder, f"{name}.py").write_text("raise SystemExit('executed')")
    """
    folder = project(test_it=dedent(code))
    modules = (
        "docker",
        "requests",
        "urllib3",
        "certifi",
        "rich",
        "simplejson",
        "brotli",
        "keyring",
    )
    for module in modules:
        write(folder, {f"{where}{module}.py": "raise SystemExit(1)" for where in ("", "src/")})
    write(folder, {"pip/__main__.py": "raise SystemExit(1)", "pip/__init__.py": ""})
    write(folder, {"pytest.ini": "[pytest]\npythonpath = src .\n", "bin/git": "#!/bin/false\n"})
    (folder / "bin/git").chmod(0o755)
    notes = tmp_path / "audit"
    environ = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_") or "ARM64" in k}
    done = subprocess.run(
        [sys.executable, AUDITED, "--arm64"],
        cwd=folder,
        env={
            **environ,
            "PATH": os.pathsep.join([".", "bin", str(folder / "bin"), environ["PATH"]]),
            "PYTHONPATH": "src",
            "AUDITED": str(folder),
            "AUDIT": str(notes),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 passed" in done.stdout
    assert not notes.exists(), notes.read_text("utf-8")


def test_the_variable_opens_what_it_names(
    project: Callable[..., Path], run_pytest: RunPytest, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "from pathlib import Path\ndef test_it(): Path('.git/mark').touch()\n"
    folder = project(test_it=code)
    (folder / ".git").mkdir(exist_ok=True)
    assert run_pytest(folder, "--arm64").code == 1
    monkeypatch.setenv("PYTEST_ARM64_WRITABLE", ".git")
    assert run_pytest(folder, "--arm64").code == 0
    assert (folder / ".git/mark").exists()
