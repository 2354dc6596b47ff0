"""Tests that kill their process in a container, and hosts that are killed outside of one."""

from __future__ import annotations

import io
import json
import os
import random
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from docker_cases import RunPytest, left_by, nameless_images, ours
from pytest_arm64.engine.container import Container
from pytest_arm64.engine.container_plan import Plan
from pytest_arm64.engine.endpoint import LABEL, Engine
from pytest_arm64.engine.leftovers import sweep
from pytest_arm64.environment.tree import RECORD

pytestmark = pytest.mark.alone

KILLS = 20
GONE_WITHIN_SECONDS = 10.0

DEADLY = """
import os, signal, sys
import pytest

def test_before(): pass

@pytest.mark.parametrize("name", ["SIGSEGV", "SIGILL", "SIGABRT", "SIGKILL"])
def test_dies(name):
    print("last words of", name, file=sys.__stderr__, flush=True)
    os.kill(os.getpid(), getattr(signal, name))

def test_leaves():
    os._exit(0)

def test_after(): pass
"""


def test_a_death_names_signal_and_core_and_the_rest_goes_on(
    run_pytest: RunPytest, project: Callable[..., Path]
) -> None:
    result = run_pytest(project(test_it=DEADLY), "--arm64", "-v", "-s")
    assert result.code == 1, result.out
    assert "5 failed, 2 passed" in result.out
    for name in ("SIGSEGV", "SIGILL", "SIGABRT", "SIGKILL"):
        assert f"killed by {name}" in result.out
        assert f"last words of {name}" in result.out
    assert "aarch64" in result.out
    assert "test_after PASSED" in result.out


STUBBORN = """
import time
def test_a(): pass
def test_b():
    open('here', 'w').close()
    while True:
        try:
            time.sleep(600)
        except KeyboardInterrupt:
            print('NO', flush=True)
def test_c(): pass
"""


def test_ctrl_c_stops_the_tests_and_takes_the_container_away(
    start_pytest: Callable[..., subprocess.Popen[str]],
    project: Callable[..., Path],
    engine: Engine,
) -> None:
    folder = project(
        test_it="import time\ndef test_a(): pass\ndef test_b():\n    print('HERE', flush=True)\n"
        "    time.sleep(600)\ndef test_c(): pass\n"
    )
    before = set(ours(engine))
    process = start_pytest(folder, ["--arm64", "-v", "-s"])
    assert process.stdout is not None
    seen = ""
    for line in process.stdout:
        seen += line
        if "HERE" in line:
            break
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=30)
    assert process.returncode == 2, seen + rest
    assert "KeyboardInterrupt" in rest
    assert "1 passed" in rest
    assert set(ours(engine)) <= before


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])
def test_ctrl_c_twice_ends_tests_that_do_not_listen(
    workers: tuple[str, ...],
    start_pytest: Callable[..., subprocess.Popen[str]],
    project: Callable[..., Path],
    engine: Engine,
) -> None:
    folder = project(test_it=STUBBORN)
    (folder / "requirements-test.txt").write_text("pytest\npytest-xdist\n")
    process = start_pytest(folder, ["--arm64", "-v", "-s", *workers])
    deadline = time.monotonic() + 120
    while not (folder / "here").exists():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    time.sleep(1)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert time.monotonic() - began < GONE_WITHIN_SECONDS, out
    assert process.returncode == 2, out
    assert "INTERNALERROR" not in out
    assert not left_by(engine, process.pid)


def kill_at_random(
    folder: Path,
    moments: random.Random,
    kills: int,
    start_pytest: Callable[..., subprocess.Popen[str]],
    engine: Engine,
) -> set[int]:
    """Half of the kills meet an installation, half a run that finds its environment.

    Their process ids.
    """
    killed = set()
    for number in range(kills):
        installs = number % 2 == 1
        arguments = ["--arm64", "--arm64-refresh"] if installs else ["--arm64"]
        process = start_pytest(folder, arguments)
        time.sleep(moments.uniform(0.2, 9.0 if installs else 3.5))
        process.kill()
        process.communicate()
        killed.add(process.pid)
        left = left_by(engine, process.pid, GONE_WITHIN_SECONDS)
        assert not left, f"kill number {number} left a container"
    return killed


def loose_volumes(engine: Engine) -> set[str]:
    """Volumes that no container uses."""
    found = engine.client.api.volumes(filters={"dangling": True})["Volumes"] or []
    return {str(volume["Name"]) for volume in found}


def environments(engine: Engine) -> set[str]:
    """Ids of the images that have the name of an environment."""
    return {str(image.id) for image in engine.client.images.list(name=f"{LABEL}/environment")}


@dataclass(frozen=True)
class Before:
    """What the engine had before the kills."""

    volumes: set[str]
    environments: set[str]


def before(engine: Engine) -> Before:
    return Before(loose_volumes(engine), environments(engine))


def check_what_is_left(
    folder: Path, killed: set[int], earlier: Before, run_pytest: RunPytest, engine: Engine
) -> None:
    for arguments in (["--arm64"], ["--arm64", "--arm64-refresh"]):
        again = run_pytest(folder, *arguments)
        assert again.code == 0, again.out
    assert not killed & nameless_images(engine)
    deadline = time.monotonic() + GONE_WITHIN_SECONDS
    while loose_volumes(engine) - earlier.volumes and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not loose_volumes(engine) - earlier.volumes
    made = environments(engine) - earlier.environments
    assert made
    # Whatever has the name of an environment holds the record that is written last.
    for image in made:
        with Container(engine, Plan(image=image, platform="linux/arm64")) as container:
            assert json.loads(container.read(RECORD))["packages"], image


def test_a_killed_host_leaves_no_container_and_no_half_made_image(
    start_pytest: Callable[..., subprocess.Popen[str]],
    run_pytest: RunPytest,
    project: Callable[..., Path],
    engine: Engine,
) -> None:
    folder = project("colorama==0.4.6\n", test_it="import colorama\ndef test_it(): pass\n")
    earlier = before(engine)
    assert run_pytest(folder, "--arm64").code == 0
    killed = kill_at_random(folder, random.Random(64), KILLS, start_pytest, engine)
    check_what_is_left(folder, killed, earlier, run_pytest, engine)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(5))
def test_two_hundred_kills(
    seed: int,
    start_pytest: Callable[..., subprocess.Popen[str]],
    run_pytest: RunPytest,
    project: Callable[..., Path],
    engine: Engine,
) -> None:
    folder = project("colorama==0.4.6\n", test_it="import colorama\ndef test_it(): pass\n")
    earlier = before(engine)
    assert run_pytest(folder, "--arm64").code == 0
    killed = kill_at_random(folder, random.Random(seed), 40, start_pytest, engine)
    check_what_is_left(folder, killed, earlier, run_pytest, engine)


OOM = """
def test_before(): pass
def test_eats():
    kept = []
    while True:
        kept.append(bytearray(b"x") * (16 << 20))
def test_after(): pass
"""


def test_out_of_memory_is_named(run_pytest: RunPytest, project: Callable[..., Path]) -> None:
    folder = project(test_it=OOM)
    (folder / "pyproject.toml").write_text('[tool.pytest-arm64]\nmemory = "256MB"\n')
    result = run_pytest(folder, "--arm64")
    assert result.code == 1, result.out
    assert "1 failed, 2 passed" in result.out
    assert "killed by SIGKILL" in result.out
    assert "out of memory: " in result.out
    assert "256 MB of the setting memory (--arm64-memory)" in result.out
    native = "aarch64 native" in result.out
    assert ("says nothing about an ARM machine" in result.out) != native


# Written beyond its end, a page of a memory file system is a bus error.
SHARED = """
import mmap, os
def test_before(): pass
def test_fills():
    fd = os.open("/dev/shm/large", os.O_RDWR | os.O_CREAT)
    os.ftruncate(fd, 96 << 20)
    memory = mmap.mmap(fd, 96 << 20)
    os.unlink("/dev/shm/large")
    for page in range(0, 96 << 20, 4096):
        memory[page] = 1
def test_after(): pass
"""


def test_a_full_dev_shm_is_named_and_can_be_made_larger(
    run_pytest: RunPytest, project: Callable[..., Path]
) -> None:
    folder = project(test_it=SHARED)
    result = run_pytest(folder, "--arm64")
    assert result.code == 1, result.out
    assert "killed by SIGBUS" in result.out
    assert "/dev/shm is full: it has 64 MB" in result.out
    assert "--arm64-shm-size 1GB" in result.out
    (folder / "pyproject.toml").write_text('[tool.pytest-arm64]\nshm-size = "128MB"\n')
    result = run_pytest(folder, "--arm64")
    assert result.code == 0, result.out


# RDVL x0, #1 asks for the length of SVE's registers.
SVE = """
import ctypes, mmap
import pytest
def test_sve():
    code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write((0x04BF5020).to_bytes(4, "little") + (0xD65F03C0).to_bytes(4, "little"))
    address = ctypes.addressof(ctypes.c_char.from_buffer(code))
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(code))
    assert ctypes.CFUNCTYPE(ctypes.c_long)(address)() in (16, 32)
def test_after(): pass
"""


def test_an_illegal_instruction_names_what_the_core_lacks(
    run_pytest: RunPytest, project: Callable[..., Path], engine: Engine
) -> None:
    folder = project(test_it=SVE)
    if engine.machine != "aarch64":
        result = run_pytest(folder, "--arm64", "--arm64-cpu", "graviton2")
        assert "1 failed, 1 passed" in result.out, result.out
        assert "killed by SIGILL" in result.out
        assert "graviton2 has no SVE, BF16" in result.out
        assert "(graviton3 has)" in result.out
    result = run_pytest(folder, "--arm64", "--arm64-cpu", "graviton3")
    assert "2 passed" in result.out or "aarch64 native" in result.out, result.out


def test_deaths_of_workers(run_pytest: RunPytest, project: Callable[..., Path]) -> None:
    folder = project(test_it=DEADLY)
    (folder / "requirements-test.txt").write_text("pytest\npytest-xdist\n")
    result = run_pytest(
        folder, "--arm64", "-n", "2", "--max-worker-restart", "9", "--arm64-timeout", "60"
    )
    assert result.code == 1, result.out
    assert "5 failed, 2 passed" in result.out
    for name in ("SIGSEGV", "SIGILL", "SIGABRT", "SIGKILL"):
        assert f"the process that ran this test died: killed by {name}" in result.out
    assert "graviton2 has no SVE" in result.out or "aarch64 native" in result.out


MAKES_AN_IMAGE = """
import sys
from pytest_arm64.engine.container import Container
from pytest_arm64.engine.container_plan import Plan
from pytest_arm64.engine.endpoint import open_engine

with open_engine() as engine:
    with Container(engine, Plan(image=sys.argv[1], platform="linux/arm64")) as container:
        print(container.commit(sys.argv[2], {}).id)
"""


@pytest.mark.parametrize("made", [True, False], ids=["from our image", "from one built on it"])
def test_what_others_start_from_an_image_of_ours_stays(engine: Engine, made: bool) -> None:
    base = os.environ["PYTEST_ARM64_IMAGE"].replace("{arch}", "arm64")
    tag = f"{LABEL}/test:{uuid.uuid4().hex[:12]}"
    # Its maker has ended when the container begins, as after every run.
    subprocess.run([sys.executable, "-c", MAKES_AN_IMAGE, base, tag], check=True)
    client, name = engine.client, tag
    try:
        if not made:
            name = f"{tag}-on"
            client.images.build(fileobj=io.BytesIO(f"FROM {tag}\nLABEL own=1\n".encode()), tag=name)
        theirs = client.containers.run(
            name, ["cat"], entrypoint=[], stdin_open=True, detach=True, platform="linux/arm64"
        )
        try:
            sweep(client)
            theirs.reload()
            assert theirs.status == "running"
        finally:
            theirs.remove(force=True, v=True)
    finally:
        for each in {name, tag}:
            client.images.remove(each, force=True)
