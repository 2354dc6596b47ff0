"""The virtual environment that is written as files is one for a real interpreter."""

from __future__ import annotations

import io
import json
import os
import platform
import subprocess
import sys
import sysconfig
import tarfile
from dataclasses import replace
from pathlib import Path, PurePosixPath

from pytest_arm64.environment import tree, venv
from pytest_arm64.environment.tree import ENV, TESTS, tar_of
from pytest_arm64.environment.venv import venv_entries
from unit.support import PYTHON, write


def test_every_parent_comes_first() -> None:
    entries = venv_entries(PYTHON)
    order = list(entries)
    for name in order:
        parent = str(PurePosixPath(name).parent)
        if parent != "/opt":
            assert order.index(parent) < order.index(name)


def test_where_things_lie() -> None:
    entries = venv_entries(PYTHON)
    config = (entries[f"{ENV}/pyvenv.cfg"].content or b"").decode()
    lines = dict(line.split(" = ") for line in config.splitlines())
    assert lines["home"] == "/usr/bin"
    assert lines["executable"] == "/usr/bin/python3.12"
    assert lines["version"] == "3.12.4"
    assert lines["include-system-site-packages"] == "false"
    for name in ("python", "python3", "python3.12"):
        assert entries[f"{ENV}/bin/{name}"].link == "/usr/bin/python3.12"
    assert entries[f"{TESTS}/lib/python3.12/site-packages"].content is None


def test_a_real_interpreter_takes_it(tmp_path: Path, monkeypatch: object) -> None:
    """Deployed packages are found first, test packages after them, the system's never."""
    base = os.path.realpath(sys.executable)
    minor = f"{sys.version_info[0]}.{sys.version_info[1]}"
    purelib = f"lib/python{minor}/site-packages"
    python = replace(
        PYTHON, executable=base, version=platform.python_version(), minor=minor, purelib=purelib
    )
    home = str(tmp_path / "home")
    entries = {name.replace(tree.HOME, home): entry for name, entry in venv_entries(python).items()}
    with tarfile.open(fileobj=io.BytesIO(tar_of(entries))) as archive:
        archive.extractall("/", filter="fully_trusted")
    pth = Path(home, "env", purelib, "zz_pytest_arm64_tests.pth")
    pth.write_text(pth.read_text().replace(tree.HOME, home))
    write(
        Path(home), {f"env/{purelib}/both.py": "here = 1", f"tests/{purelib}/both.py": "here = 2"}
    )
    write(Path(home), {f"tests/{purelib}/only.py": "here = 3"})
    script = (
        "import json, sys, sysconfig, both, only\n"
        "print(json.dumps([sys.prefix, sysconfig.get_path('purelib'), both.here, only.here]))"
    )
    finished = subprocess.run(
        [f"{home}/env/bin/python", "-I", "-c", script], capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr
    assert json.loads(finished.stdout) == [f"{home}/env", f"{home}/env/{purelib}", 1, 3]
    assert sysconfig.get_path("purelib") != f"{home}/env/{purelib}"


def test_module_names_only_our_folders() -> None:
    assert all(name.startswith(tree.HOME) for name in venv.venv_entries(PYTHON))
