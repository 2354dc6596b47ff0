"""The image that runs: no code of a package runs in the container that is committed."""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pytest_arm64.binary.record import AbiRecord, CompiledFile
from pytest_arm64.engine.container import Finished
from pytest_arm64.engine.images import Base
from pytest_arm64.environment import build, image_build
from pytest_arm64.environment.builder_container import Host
from pytest_arm64.environment.record import InstallRecord
from pytest_arm64.environment.tree import ABI, ENV, INSIDE, RECORD
from pytest_arm64.errors import InstallError
from pytest_arm64.progress import NoProgress
from unit.support import CELL, PYTHON, RAN

USER = build.User(1000, 1000, "somebody", "/home/somebody")
MODULE = f"env/{PYTHON.purelib}/demo.abi3.so"
FILES = (CompiledFile(MODULE, "aarch64", "library"),)
IMAGE = Base("environment", "sha256:1", "", "arm64", {})


@dataclass
class PlayedContainer:
    """Holds files, and answers each program that imports modules that all were loaded."""

    plan: Any
    files: dict[str, bytes]
    commands: list[list[str]] = field(default_factory=list)
    committed: bool = False

    def __enter__(self) -> PlayedContainer:  # noqa: PYI034  (Self needs Python 3.11)
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def read(self, path: str) -> bytes:
        return self.files[path]

    def put(self, path: str, archive: bytes) -> None:
        with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
            for member in opened:
                stream = opened.extractfile(member)
                if stream is not None:
                    self.files[f"{path.rstrip('/')}/{member.name}"] = stream.read()

    def run(self, command: list[str], **_: object) -> Finished:
        self.commands.append(list(command))
        return Finished(0, json.dumps(["loaded", "demo"]).encode() + b"\n", b"")

    def fetch(self, path: str) -> io.BytesIO:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            for name, content in self.files.items():
                if name.startswith(f"{path}/"):
                    info = tarfile.TarInfo(f"inside/{name.removeprefix(path + '/')}")
                    info.size = len(content)
                    archive.addfile(info, io.BytesIO(content))
        buffer.seek(0)
        return buffer

    def commit(self, *_: object) -> None:
        self.committed = True


@pytest.fixture
def image(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> dict[str, bytes]:
    """The files of an environment image with one compiled module."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    abi = AbiRecord("x", "y", "aarch64", looked_up=True, files=FILES, findings=())
    record = InstallRecord((), "the plan", "2026-11-30T00:00:00+00:00", 1.0)
    files = {RECORD: json.dumps(record.to_json()).encode(), ABI: json.dumps(abi.to_json()).encode()}
    return {**files, "/etc/passwd": b"", "/etc/group": b""}


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, image: dict[str, bytes]) -> list[PlayedContainer]:
    containers: list[PlayedContainer] = []

    def start(_: object, plan: object) -> PlayedContainer:
        containers.append(PlayedContainer(plan, dict(image)))
        return containers[-1]

    monkeypatch.setattr(build, "Container", start)
    monkeypatch.setattr(build, "find_made", lambda *_: None)
    monkeypatch.setattr(build, "qemu_environment", lambda *_: {})
    return containers


def run_image(*, built: bool = False) -> Any:
    engine, progress = cast("Any", SimpleNamespace()), cast("Any", NoProgress())
    return build._run_image(engine, CELL, IMAGE, "key", USER, RAN, progress, built=built)


def test_what_is_committed_has_run_the_images_own_interpreter_alone(
    started: list[PlayedContainer],
) -> None:
    run_image()
    (committed,) = (container for container in started if container.committed)
    assert [command[:3] for command in committed.commands] == [[PYTHON.executable, "-I", "-S"]]


def test_modules_are_imported_as_the_calling_user_in_a_container_that_goes_away(
    started: list[PlayedContainer],
) -> None:
    _, records = run_image()
    (importing,) = (container for container in started if not container.committed)
    assert importing.plan.user == "1000:1000"
    assert importing.commands[0][0] == f"{ENV}/bin/python"
    assert [(load.module, load.outcome) for load in records.abi.loads] == [("demo", "loaded")]


def test_the_image_has_what_was_observed(started: list[PlayedContainer]) -> None:
    run_image()
    (committed,) = (container for container in started if container.committed)
    assert json.loads(committed.files[ABI])["loads"]


def test_an_image_with_other_files_among_our_code_is_not_committed(
    started: list[PlayedContainer], image: dict[str, bytes]
) -> None:
    image[f"{INSIDE}/pytest.py"] = b"shadows"
    with pytest.raises(InstallError, match="is not its own"):
        run_image()
    assert not any(container.committed for container in started)


@pytest.mark.parametrize("built", [False, True])
def test_compiled_modules_are_looked_for_where_a_project_was_built(
    started: list[PlayedContainer], built: bool
) -> None:
    run_image(built=built)
    (committed,) = (container for container in started if container.committed)
    finding = [name for name in committed.files if name.endswith(".pth")]
    expected = f"{ENV}/{PYTHON.purelib}/pytest_arm64_built_modules.pth"
    assert finding == ([expected] if built else [])


def test_what_another_run_has_made_meanwhile_is_used(
    started: list[PlayedContainer], monkeypatch: pytest.MonkeyPatch
) -> None:
    tag, records = run_image()
    answers = [None, IMAGE]
    monkeypatch.setattr(build, "find_made", lambda *_: answers.pop(0))
    del started[:]
    assert run_image() == (tag, records)
    assert (started, answers) == ([], [])


def test_the_builders_that_were_asked_for_are_remembered() -> None:
    """What was installed in them is said; where nothing is built, none is made."""
    host, builders = image_build._remembering(Host(cast("Any", None), CELL, RAN, lambda: IMAGE))
    assert builders == []
    assert host.builder() is IMAGE
    assert builders == [IMAGE]
