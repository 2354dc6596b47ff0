"""Probing: what an image tells is checked, remembered, and never believed blindly."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64 import cache
from pytest_arm64.config.cell import ImageFacts
from pytest_arm64.engine import probe as module
from pytest_arm64.engine.container import Finished
from pytest_arm64.engine.endpoint import Engine
from pytest_arm64.engine.images import Base
from pytest_arm64.engine.probe import NoPython, probe
from pytest_arm64.errors import Arm64Error, EmulationError, EngineError, ImageError
from unit.support import CELL, JSON, PYTHON, attempt, is_plain_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from typing_extensions import Self

BASE = Base("amazonlinux:2023", "sha256:1", "sha256:2", "arm64", {})
FACTS: dict[str, Any] = {
    "machine": "aarch64",
    "os": "amzn 2023",
    "os_name": "Amazon Linux 2023",
    "glibc": "2.34",
    "libstdcxx": "3.4.29",
    "page_size": 4096,
    "cpu": {"implementer": "0x41", "part": "0xd40"},
    "python": {key: getattr(PYTHON, key) for key in PYTHON.__dataclass_fields__},
}


@dataclass
class Image:
    """What a container of the image answers; and how often it was asked."""

    answer: Finished | EngineError
    environment: Mapping[str, str] | None = None
    command: Sequence[str] = ()
    asked: int = 0

    def install(self, patch: pytest.MonkeyPatch) -> None:
        image = self

        class Container:
            def __init__(self, engine: Engine, plan: object) -> None:
                pass

            def __enter__(self) -> Self:
                return self

            def __exit__(self, *details: object) -> None:
                pass

            def run(self, command: Sequence[str], *, environment: Mapping[str, str]) -> Finished:
                image.asked += 1
                image.command, image.environment = command, environment
                if isinstance(image.answer, EngineError):
                    raise image.answer
                return image.answer

        patch.setattr(module, "Container", Container)


def engine(machine: str = "x86_64") -> Engine:
    return Engine(client=None, machine=machine, version="27", has_init=True)  # type: ignore[arg-type]


def finished(stdout: str = "", code: int = 0, stderr: str = "") -> Finished:
    return Finished(code, stdout.encode(), stderr.encode())


@pytest.fixture
def image(caches: Path, monkeypatch: pytest.MonkeyPatch) -> Image:
    found = Image(finished(json.dumps(FACTS)))
    found.install(monkeypatch)
    return found


def changed(**changes: Any) -> Finished:
    inner = {k[7:]: changes.pop(k) for k in list(changes) if k.startswith("python_")}
    return finished(json.dumps({**FACTS, **changes, "python": {**FACTS["python"], **inner}}))


def look(machine: str = "x86_64") -> ImageFacts | NoPython:
    return probe(engine(machine), CELL, BASE, ["/usr/bin/python3.12"])


def refused(kind: type[Arm64Error], machine: str = "x86_64") -> Arm64Error:
    with pytest.raises(kind) as caught:
        look(machine)
    assert is_plain_text(caught.value)
    return caught.value


def test_emulated(image: Image) -> None:
    found = look()
    assert isinstance(found, ImageFacts)
    assert found.python == PYTHON
    assert (found.image, found.image_id, found.digest) == (BASE.reference, BASE.id, BASE.digest)
    assert (found.emulated, found.core) == (True, "graviton2 (qemu neoverse-n1)")
    assert image.environment is not None
    assert image.environment["QEMU_CPU"] == "neoverse-n1"


@pytest.mark.parametrize(
    ("stderr", "version"), [("qemu-aarch64 version 10.0.2 (Debian)\nCopyright", "10.0.2"), ("", "")]
)
def test_the_emulators_version_is_part_of_the_facts(
    image: Image, stderr: str, version: str
) -> None:
    image.answer = finished(json.dumps(FACTS), stderr=stderr)
    found = look()
    assert isinstance(found, ImageFacts)
    assert found.emulator == version
    assert look() == found  # from the cache


def test_native(image: Image) -> None:
    found = look("aarch64")
    assert isinstance(found, ImageFacts)
    assert (found.native, found.core) == (True, "Neoverse V1 (as Graviton3)")
    assert "QEMU_CPU" not in (image.environment or {})


def test_asked_once(image: Image) -> None:
    assert look() == look()
    assert image.asked == 1
    look("aarch64")
    assert image.asked == 2


def test_no_python(image: Image) -> None:
    image.answer = finished("amzn 2023\n", 42)
    assert look() == look() == NoPython("amzn 2023")
    assert image.asked == 1


@pytest.mark.parametrize(
    ("answer", "kind", "parts"),
    [
        (changed(machine="x86_64"), ImageError, ["runs as x86_64, not aarch64", "docker pull"]),
        (changed(python_minor="3.9", python_version="3.9.1"), ImageError, ["3.9.1", "3.10 is"]),
        (
            finished("", 1, "qemu: unable to find CPU model 'neoverse-v1'"),
            EmulationError,
            ["does not know the core that stands for graviton2", "qemu 8.2"],
        ),
        (
            finished("", 1, "exec /bin/sh: exec format error"),
            EmulationError,
            ["cannot execute linux/arm64", "binfmt"],
        ),
        (
            finished("", 126, "sh: 1: python3: Exec format error"),
            EmulationError,
            ["cannot execute linux/arm64"],
        ),
        (
            EngineError("a container could not be started: exec format error"),
            EmulationError,
            ["cannot execute linux/arm64", "scripts/engine up"],
        ),
        (finished("", 3, "Killed"), ImageError, ["exit code 3", "Killed"]),
        (finished("{}"), ImageError, ["looking into amazonlinux:2023 failed"]),
        (finished("[" * 100_000), ImageError, ["looking into"]),
        (finished(json.dumps(FACTS), 1), ImageError, ["exit code 1"]),
        (changed(python_minor="3"), ImageError, ["looking into"]),
        (changed(python_minor="3.x"), ImageError, ["looking into"]),
        (changed(python_more=1), ImageError, ["looking into"]),
        (changed(cpu=None), ImageError, ["looking into"]),
        (changed(page_size="4096"), ImageError, ["looking into"]),
        (changed(glibc=None), ImageError, ["looking into"]),
        (changed(python_compiled="yes"), ImageError, ["looking into"]),
    ],
)
def test_refusals(
    image: Image, answer: Finished | EngineError, kind: type[Arm64Error], parts: list[str]
) -> None:
    image.answer = answer
    error = refused(kind)
    for part in parts:
        assert part in str(error)


def test_engine_that_fails_without_emulation(image: Image) -> None:
    """On ARM a failure has another cause than missing emulation, and keeps its own words."""
    image.answer = EngineError("no space left")
    assert refused(EngineError, "aarch64").what == "no space left"


def test_what_failed_is_not_remembered(image: Image) -> None:
    good, image.answer = image.answer, finished("", 1)
    refused(ImageError)
    image.answer = good
    assert isinstance(look(), ImageFacts)


@given(JSON | st.fixed_dictionaries({"python": JSON}) | st.fixed_dictionaries({"os": JSON}))
def test_damaged_cache_is_looked_at_again(value: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cache, "load", lambda *_: value if isinstance(value, dict) else None)
        patch.setattr(cache, "store", lambda *_: None)
        image = Image(finished(json.dumps(FACTS)))
        image.install(patch)
        found = look()
        if isinstance(found, NoPython):
            assert value == {"os": found.os}
        else:
            assert (found.python, image.asked) == (PYTHON, 1)


@given(st.sampled_from([*FACTS, *(f"python_{key}" for key in FACTS["python"])]), JSON)
def test_any_fact_that_is_odd_is_refused_in_words(key: str, value: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cache, "load", lambda *_: None)
        patch.setattr(cache, "store", lambda *_: None)
        answer = (
            finished(json.dumps({**FACTS, "python": value}))
            if key == "python"
            else changed(**{key: value})
        )
        Image(answer).install(patch)
        found = attempt(ImageError, look)
        assert isinstance(found, ImageFacts) or (
            isinstance(found, ImageError) and is_plain_text(found)
        )


class TestScript:
    """The shell script that looks for an interpreter, run by a shell."""

    def run(self, *interpreters: str, script: str = module._SCRIPT) -> tuple[int, str]:
        done = subprocess.run(
            ["sh", "-c", script, "probe", *interpreters],
            env={"PATH": "/usr/bin:/bin", "PYTEST_ARM64_PROBE": "x"},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout

    def test_first_that_exists(self, tmp_path: Path) -> None:
        for name in ("a", "b"):
            path = tmp_path / name
            path.write_text(f'#!/bin/sh\necho {name} "$@"\n')
            path.chmod(0o755)
        found = self.run(str(tmp_path / "absent"), str(tmp_path / "a"), str(tmp_path / "b"))
        assert found == (0, "a -I -c x\n")

    def test_none(self, tmp_path: Path) -> None:
        release = tmp_path / "os-release"
        release.write_text('ID="amzn"\nVERSION_ID="2023"\n')
        script = module._SCRIPT.replace("/etc/os-release", str(release))
        assert self.run("/absent/python", script=script) == (42, "amzn 2023\n")

    def test_system_without_a_name(self, tmp_path: Path) -> None:
        script = module._SCRIPT.replace("/etc/os-release", str(tmp_path / "absent"))
        assert self.run("/absent/python", script=script) == (42, " \n")
