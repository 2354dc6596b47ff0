"""Packages that attack what comes after them: other builds, our own code, and the image."""

from __future__ import annotations

import base64
import hashlib
import signal
import subprocess
import tarfile
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from docker_cases import RunPytest, left_by
from pytest_arm64.engine.endpoint import Engine
from pytest_arm64.engine.leftovers import HOST_LABEL
from pytest_arm64.environment.tree import INSIDE, TarEntry, tar_of
from unit.support import write

pytestmark = [pytest.mark.docker, pytest.mark.alone]

# Runs wherever an interpreter of the builder starts that imports setuptools or site.
POISON = """
import os, sys, sysconfig
for folder in {*sys.path, sysconfig.get_path("purelib"), "/opt/pytest-arm64/build/site-packages"}:
    try:
        with open(os.path.join(folder, "sitecustomize.py"), "w") as stream:
            stream.write("import os; os.environ['POISONED'] = '1'\\n")
    except OSError:
        pass
from setuptools import setup
setup(name="first", version="1", py_modules=["first"])
"""
VICTIM = """
import os
from setuptools import setup
told = (os.environ.get("POISONED"), os.getuid())
open("second.py", "w").write("POISONED, UID = %r, %r\\n" % told)
setup(name="second", version="1", py_modules=["second"])
"""
REQUIRES = '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'


def sdist(folder: Path, name: str, setup: str) -> str:
    source = write(
        folder.parent / f"{name}-1",
        {
            "setup.py": setup,
            f"{name}.py": "",
            "pyproject.toml": REQUIRES,
            "PKG-INFO": f"Metadata-Version: 2.2\nName: {name}\nVersion: 1\n",
        },
    )
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(folder / f"{name}-1.tar.gz", "w:gz") as archive:
        archive.add(source, source.name)
    return f"./{folder.name}/{name}-1.tar.gz"


def wheel(folder: Path, name: str, files: Mapping[str, str]) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-1.dist-info"
    files = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = [f"{info}/RECORD,,"]
    with zipfile.ZipFile(folder / f"{name}-1-py3-none-any.whl", "w") as archive:
        for path, text in files.items():
            digest = hashlib.sha256(text.encode()).digest()
            value = base64.urlsafe_b64encode(digest).decode().rstrip("=")
            rows.append(f"{path},sha256={value},{len(text)}")
            archive.writestr(path, text)
        archive.writestr(f"{info}/RECORD", "\n".join(rows) + "\n")
    return f"./{folder.name}/{name}-1-py3-none-any.whl"


def test_a_build_does_not_reach_the_next_one_and_is_not_root(
    run_pytest: RunPytest, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    first = sdist(project / "dist", "first", POISON)
    second = sdist(project / "dist", "second", VICTIM)
    test = "import second\n\ndef test_it():\n    assert second.POISONED is None\n"
    test += "    assert second.UID != 0\n"
    files = {"requirements.txt": f"{first}\n{second}\n", "test_it.py": test}
    result = run_pytest(write(project, files), "--arm64", "-q")
    assert result.code == 0, result.out
    assert "1 passed" in result.out


PTH = (
    "import os; [open(os.path.join('/opt/pytest-arm64', name), 'w').close()"
    " for name in ('ran-as-root', 'inside/ran-as-root') if os.getuid() == 0"
    " and os.path.isdir(os.path.dirname(os.path.join('/opt/pytest-arm64', name)))]\n"
)
PTH_TEST = """
import glob, os

def test_nothing_ran_as_root_before_the_tests():
    assert glob.glob("/opt/pytest-arm64/**/ran-as-root", recursive=True) == []
"""


def test_no_code_of_a_wheel_runs_before_the_image_is_made(
    run_pytest: RunPytest, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    evil = wheel(project / "dist", "evil", {"evil.py": "", "evil.pth": PTH})
    # A wheel without byte-code has the image's own interpreter compile.
    files = {
        "requirements.txt": f"{evil}\n",
        "pyproject.toml": '[project]\nname = "app"\nversion = "1"\n'
        '[tool.setuptools]\npy-modules = ["app"]\n' + REQUIRES,
        "app.py": "",
        "test_it.py": PTH_TEST,
    }
    result = run_pytest(write(project, files), "--arm64", "-q")
    assert result.code == 0, result.out
    assert "1 passed" in result.out


# A build tells what it reaches and finds; a literal address needs no name to be resolved.
CURIOUS = """
import glob, os, socket
from setuptools import setup
reached = []
for address in (("1.1.1.1", 53), ("8.8.8.8", 53), ("172.17.0.1", 80)):
    try:
        socket.create_connection(address, timeout=3).close()
        reached.append(address)
    except OSError as error:
        if "refused" in str(error):
            reached.append(address)
names = [n for n in os.environ if n.startswith(("PIP_CONFIG", "NETRC", "PIP_INDEX", "PIP_EXTRA"))]
laid = glob.glob("/opt/pytest-arm64/build/*")
files = [path for path in laid if path.endswith((".conf", "netrc", ".pem"))]
found = [reached, sorted(os.listdir("/sys/class/net")), names, files]
open("curious.py", "w").write("FOUND = %r\\n" % found)
setup(name="curious", version="1", py_modules=["curious"])
"""
FOUND = "import curious\n\ndef test_it():\n    assert curious.FOUND == [[], ['lo'], [], []]\n"


def test_a_build_reaches_nothing_and_finds_no_credentials(
    run_pytest: RunPytest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine example.com login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    project = tmp_path / "project"
    files = {
        "requirements.txt": sdist(project / "dist", "curious", CURIOUS) + "\n",
        "requirements-test.txt": "pytest\n",
        "test_it.py": FOUND,
    }
    result = run_pytest(write(project, files), "--arm64", "-q")
    assert result.code == 0, result.out
    assert "1 passed" in result.out


TOUCH = """
from setuptools import setup
raise SystemExit("IT IS BUILT")
"""


@pytest.mark.parametrize("kind", ["archive", "project"])
def test_pip_builds_nothing_for_a_repository_that_leaves_the_plan(
    run_pytest: RunPytest, tmp_path: Path, kind: str
) -> None:
    project = tmp_path / "project"
    archive = sdist(project / "dist", "first", TOUCH)
    if kind == "project":
        write(project / "lib", {"setup.py": TOUCH, "pyproject.toml": REQUIRES})
    files = {
        "requirements.txt": f"{archive}\n" if kind == "archive" else "./lib\n",
        "requirements-test.txt": "pytest\n",
        "pyproject.toml": '[tool.pytest-arm64]\ninstaller = "pip"\n',
        "test_it.py": "def test_it(): pass\n",
    }
    result = run_pytest(write(project, files), "--arm64", "-q")
    assert result.code == pytest.ExitCode.USAGE_ERROR, result.out
    assert "IT IS BUILT" not in result.out
    assert "--arm64-build-network" in result.out
    allowed = run_pytest(project, "--arm64", "-q", "--arm64-build-network")
    assert "IT IS BUILT" in allowed.out, allowed.out


@contextmanager
def changed_image(engine: Engine, image: str, path: str, content: bytes) -> Iterator[None]:
    """*image* with another file at *path*, under the same name and with the same labels."""
    container = engine.client.containers.create(image, command=["cat"], labels=engine.labels)
    try:
        container.put_archive("/", tar_of({path: TarEntry(content)}))
        repository, _, tag = image.rpartition(":")
        container.commit(repository, tag)
    finally:
        container.remove(force=True)
    yield
    engine.client.images.remove(image, force=True)


def run_images(engine: Engine) -> set[str]:
    """Names of the images in which tests run."""
    listed = engine.client.images.list(name="pytest-arm64/run")
    return {tag for image in listed for tag in image.tags}


def test_an_image_whose_agent_was_changed_runs_no_test(
    engine: Engine, run_pytest: RunPytest, project: Callable[..., Path]
) -> None:
    # A comment of its own gives an environment of its own.
    folder = project(f"# {uuid.uuid4()}\n", test_it="def test_it(): assert False\n")
    before = run_images(engine)
    assert run_pytest(folder, "--arm64").code == 1
    (image,) = run_images(engine) - before
    evil = f"{INSIDE}/pytest_arm64_inside/start.py"
    with changed_image(engine, image, evil, b"raise SystemExit(0)"):
        result = run_pytest(folder, "--arm64")
    assert result.code == pytest.ExitCode.USAGE_ERROR, result.out
    assert "is not its own" in result.out


SLOW_BUILD = """
import time
from setuptools import setup
time.sleep(300)
setup(name="slow", version="1")
"""


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 2)])
def test_a_signal_ends_a_build(
    engine: Engine,
    start_pytest: Callable[[Path, Sequence[str]], subprocess.Popen[str]],
    tmp_path: Path,
    number: signal.Signals,
    status: int,
) -> None:
    project = tmp_path / "project"
    files = {
        "requirements.txt": sdist(project / "dist", "slow", SLOW_BUILD) + "\n",
        "requirements-test.txt": "pytest\n",
        "test_it.py": "def test_it(): pass\n",
    }
    process = start_pytest(write(project, files), ["--arm64"])
    deadline = time.monotonic() + 300
    while not any("setup.py" in row or "wheel" in row for row in commands_of(engine, process.pid)):
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.5)
    began = time.monotonic()
    process.send_signal(number)
    out, _ = process.communicate(timeout=60)
    assert time.monotonic() - began < 10, out
    assert process.returncode == status, out
    assert "Traceback" not in out
    assert not left_by(engine, process.pid)


def commands_of(engine: Engine, pid: int) -> list[str]:
    """Commands that run in containers of the process *pid*."""
    rows = []
    for container in engine.client.containers.list(filters={"label": HOST_LABEL}):
        if container.labels[HOST_LABEL].split("/")[1:2] == [str(pid)]:
            rows += [" ".join(row) for row in container.top()["Processes"] or ()]
    return rows
