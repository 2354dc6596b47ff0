"""What a test can and cannot reach from inside a container, tried from inside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from docker_cases import RunPytest
from pytest_arm64.config.cell import Cell
from pytest_arm64.engine.endpoint import Engine
from pytest_arm64.environment.build import User, make_environment
from pytest_arm64.index.pip_config import host_pip_config
from pytest_arm64.progress import NoProgress
from pytest_arm64.run.cell_container import cell_container
from pytest_arm64.setup.doctor import settings_here

SUITE = """
import errno
import getpass
import os
import resource
from pathlib import Path

import pytest

STATUS = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())

@pytest.mark.parametrize("kind", ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"])
def test_no_capability(kind):
    assert int(STATUS[kind], 16) == 0

def test_no_new_privileges():
    assert STATUS["NoNewPrivs"].strip() == "1"

def test_no_engine_socket():
    for folder in ("/run", "/var/run"):
        assert not list(Path(folder).glob("**/*docker*.sock"))
    assert not any("DOCKER" in name for name in os.environ)

@pytest.mark.parametrize(
    "folder", ["/", "/etc", "/usr", "/opt/pytest-arm64", "/opt/pytest-arm64/env/bin",
               "/opt/pytest-arm64/inside"]
)
def test_nothing_is_writable_but(folder):
    with pytest.raises(OSError) as raised:
        Path(folder, "written-by-a-test").touch()
    assert raised.value.errno in (errno.EROFS, errno.EACCES)

@pytest.mark.parametrize("folder", [".", "/tmp", "/var/tmp", "~"])
def test_these_are_writable(folder):
    path = Path(folder).expanduser() / "written-by-a-test"
    path.touch()
    path.unlink()

def test_programs_can_be_run_from_the_temporary_folder(tmp_path):
    script = tmp_path / "it"
    script.write_text("#!/bin/sh\\nexit 7\\n")
    script.chmod(0o755)
    assert os.waitstatus_to_exitcode(os.system(str(script))) == 7

def test_no_other_variable_of_the_host():
    assert "CONFIGURED" in os.environ
    assert os.environ["FROM_HOST"] == "its value"
    assert "NOT_CONFIGURED" not in os.environ

def test_the_user_has_a_name_and_a_home():
    assert getpass.getuser()
    assert Path.home().is_dir()
    assert os.getuid() == Path(__file__).stat().st_uid

def test_not_the_first_process():
    assert os.getpid() != 1

def test_bytes_on_the_private_descriptor_are_not_inherited():
    import subprocess, sys
    code = "import os; print(sorted(int(n) for n in os.listdir('/proc/self/fd') if int(n) >= 200))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
"""


def test_from_inside(
    run_pytest: RunPytest, project: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project(test_inside=SUITE)
    (folder / "pyproject.toml").write_text(
        '[tool.pytest-arm64]\nenv = ["CONFIGURED=yes", "FROM_HOST"]\n'
    )
    monkeypatch.setenv("PYTEST_ARM64_TRUST", "1")
    monkeypatch.setenv("FROM_HOST", "its value")
    monkeypatch.setenv("NOT_CONFIGURED", "secret")
    result = run_pytest(folder, "--arm64", "-q", "-rA")
    assert result.code == 0, result.out
    assert "22 passed" in result.out


def test_who_is_not_root_can_write_to_each_folder_of_a_copy(
    engine: Engine, project: Callable[..., Path]
) -> None:
    """The folder of the copy itself is a volume, which the engine gives to root."""
    folder = project(test_it="def test_it(): pass\n")
    (folder / "below").mkdir()
    settings = settings_here(folder)
    image = settings.image.replace("{arch}", "arm64")
    cell = Cell(settings.target, "arm64", settings.core, image)
    made = make_environment(engine, cell, settings, folder, NoProgress(), host_pip_config())
    other = replace(made, user=User(uid=1000, gid=1000, name="other", home=made.user.home))
    with cell_container(engine, cell, other, settings, copied=True) as (container, mounted):
        assert not mounted
        names = [str(folder / name) for name in ("written", "below/written")]
        finished = container.run(["touch", *names])
    assert finished.code == 0, finished.text
