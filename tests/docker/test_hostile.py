"""Hostile suites in containers: what they try from inside, and a host that is as it was."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import indent

import pytest
from docker.models.containers import Container

from docker_cases import outcomes
from hostile import INSIDE, identifier
from hostile_host import SECRET, Host, snapshot
from pytest_arm64.engine.endpoint import Engine

CORE_PATTERN = Path("/proc/sys/kernel/core_pattern")
START = """
import ctypes, os, shutil, socket, subprocess
from pathlib import Path
HOME, OTHER, ROOT, ENGINE = Path({home!r}), Path({other!r}), Path({root!r}), {engine!r}
OUT = Path(os.environ.get("PYTEST_ARM64_OUT", "/nowhere"))
EVIL = f"from pathlib import Path; Path({home!r}, 'owned').touch()\\n"

def attempt(action, *args, **kwargs):
    try:
        print(action(*args, **kwargs))
    except (OSError, ValueError, RuntimeError, subprocess.SubprocessError) as error:
        print(type(error).__name__)

def put(path, text="#!/bin/sh\\ntouch {home}/owned\\n"):
    path = Path(path)
    attempt(path.parent.mkdir, parents=True, exist_ok=True)
    attempt(path.write_text, text)
    attempt(path.chmod, 0o755)

def link(path, to):
    path = Path(path)
    attempt(path.parent.mkdir, parents=True, exist_ok=True)
    attempt(path.unlink)
    attempt(path.symlink_to, to)

def test_it():
"""
PROTECTED = {
    ".git/config": "[core]\n\tbare = false\n",
    ".git/objects/info/x": "",
    ".git/refs/heads/x": "",
    ".github/workflows/ci.yml": "on: push\n",
    ".venv/pyvenv.cfg": "",
}
# The session inside obeys these two as well, where nothing of the host is.
INI = (
    "[pytest]\nlog_file = {host}/home/.bashrc\ncache_dir = {host}/other\naddopts = --cache-clear\n"
)


@pytest.fixture(scope="module")
def running(engine: Engine) -> Iterator[Container]:
    """A container of somebody else's, which runs already."""
    tag = "pytest-arm64/stand-in:bookworm-amd64"
    image = next((i for i in engine.client.images.list() if tag in i.tags), "python:3.12-slim")
    container = engine.client.containers.create(image, ["sleep", "600"], network_mode="none")
    container.start()
    container.reload()
    yield container
    container.remove(force=True)


@pytest.fixture(scope="module")
def attacked(
    tmp_path_factory: pytest.TempPathFactory, running: Container
) -> Mapping[tuple[str, str], str]:
    """Outcomes of all of them, run in one session, each in a folder of its own."""
    host = Host(tmp_path_factory.mktemp("attacked"))
    host.fill()
    host.put(repository(host))
    folders = [host.home, host.folder / "other"]
    folders += [host.repository / name for name in (".git", ".github", ".venv")]
    before = [snapshot(folder) for folder in folders]
    pattern = CORE_PATTERN.read_text("utf-8")
    options = ("--arm64-report", "out", "--junitxml", "junit.xml", "-rA", "-p", "no:randomly")
    done = host.run("pytest", "--arm64", *options, environ=environ(host), timeout=400)
    assert [snapshot(folder) for folder in folders] == before
    assert CORE_PATTERN.read_text("utf-8") == pattern
    since = running.attrs["State"]["StartedAt"]
    running.reload()
    assert (running.status, running.attrs["State"]["StartedAt"]) == ("running", since)
    assert not list(host.folder.rglob("owned"))
    shown = done.stdout + "".join(
        path.read_text("utf-8", "replace")
        for path in [host.repository / "junit.xml", *(host.repository / "out").iterdir()]
        if path.is_file() and not path.is_symlink()
    )
    assert not (host.repository / "junit.xml").is_symlink()
    for secret in (SECRET, "ServerVersion", "HTTP/1"):
        assert secret not in shown
    return outcomes(host.repository / "junit.xml")


def repository(host: Host) -> Mapping[str, str]:
    """The files of all of them."""
    engine = os.environ.get("DOCKER_HOST", "").removeprefix("unix://")
    places = {"home": host.home, "other": host.folder / "other", "root": host.repository}
    start = START.format(**{name: str(path) for name, path in places.items()}, engine=engine)
    files = {"requirements.txt": "", "requirements-test.txt": "pytest\n", "pytest.ini": INI}
    for tries, body in INSIDE.items():
        name = module_of(tries)
        files[f"{name}/{name}.py"] = start + indent(body, "    ") + "\n"
    return files | PROTECTED


def module_of(tries: str) -> str:
    return "test_" + re.sub(r"\W", "_", tries)


def environ(host: Host) -> Mapping[str, str]:
    """Variables with which the engine and the index are reached; the cache is a folder of it."""
    pip = Path.home() / ".config/pip/pip.conf"
    names = [name for name in os.environ if name.startswith("PYTEST_ARM64_")]
    return {
        **{name: os.environ[name] for name in (*names, "DOCKER_HOST") if name in os.environ},
        "PIP_CONFIG_FILE": str(pip) if pip.is_file() else os.devnull,
        "XDG_CACHE_HOME": str(Path.home() / ".cache"),
        # The seal of images is there: without it they would be built again.
        "XDG_DATA_HOME": str(Path.home() / ".local/share"),
    }


@pytest.mark.parametrize("tries", INSIDE, ids=map(identifier, INSIDE))
def test_the_host_is_as_it_was(attacked: Mapping[tuple[str, str], str], tries: str) -> None:
    name = module_of(tries)
    assert attacked[f"{name}.{name}", "test_it"] == "passed"
