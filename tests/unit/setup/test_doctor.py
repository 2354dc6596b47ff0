"""Each pre-flight check, with an engine that is played: error class, and what to type."""

from __future__ import annotations

import json
import platform
import shutil
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_arm64.cli import main
from pytest_arm64.engine import binfmt, endpoint
from pytest_arm64.engine.endpoint import Engine
from pytest_arm64.progress import NoProgress
from pytest_arm64.setup import doctor
from pytest_arm64.setup.doctor import (
    FAILED,
    OK,
    WARNING,
    Check,
    check_clock,
    check_emulation,
    examine,
)
from pytest_arm64.setup.mend import DONE, LEFT, NOTHING, mend, register_emulation, start_podman
from unit.engine.test_binfmt import table
from unit.engine.test_endpoint import INFO, VERSION, answers
from unit.support import Answer, PlayedEngine, played_engine, settings_of

REFERENCE = "registry.example/base:1"
DISTRIBUTION = f"GET /distribution/{REFERENCE}/json"
Play = Callable[..., PlayedEngine]


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caches: Path) -> Iterator[Play]:
    """Starts a played engine that ``DOCKER_HOST`` names."""
    played = []

    def start(told: dict[str, Answer] | None = None, **info: Any) -> PlayedEngine:
        context = played_engine(
            tmp_path / "s.sock", {**answers(info={**INFO, **info}), **(told or {})}
        )
        played.append(context)
        engine = context.__enter__()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{engine.path}")
        return engine

    yield start
    for context in played:
        context.__exit__(None, None, None)


def checks(tmp_path: Path, **options: Any) -> dict[str, Check]:
    settings = settings_of(tmp_path / "project", arm64_image=REFERENCE, **options)
    return {check.name: check for check in examine(settings)}


def engine_with(**more: Any) -> Engine:
    return Engine(None, more.pop("machine", "x86_64"), "1", has_init=True, **more)  # type: ignore[arg-type]


class TestExamine:
    def test_no_engine(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/absent.sock")
        found = checks(tmp_path)["engine"]
        assert (found.state, found.error) == (FAILED, "EngineError")
        assert found.why
        assert "scripts/engine up" in found.next_step

    def test_too_old(self, tmp_path: Path, play: Play) -> None:
        play({"GET /version": (200, {**VERSION, "ApiVersion": "1.40"})})
        assert "Docker Engine 20.10" in checks(tmp_path)["engine"].next_step

    def test_windows_containers(self, tmp_path: Path, play: Play) -> None:
        play(OSType="windows")
        found = checks(tmp_path)["engine"]
        assert "runs windows containers" in found.detail
        assert "Linux containers" in found.next_step

    def test_rootless_and_podman(self, tmp_path: Path, play: Play) -> None:
        version = {**VERSION, "Components": [{"Name": "Podman Engine"}]}
        play(
            {"GET /version": (200, version)},
            SecurityOptions=["name=seccomp,profile=default", "name=rootless"],
        )
        assert "Podman 27.3.1" in checks(tmp_path)["engine"].detail
        assert "rootless" in checks(tmp_path)["engine"].detail

    def test_registry_that_cannot_be_reached(self, tmp_path: Path, play: Play) -> None:
        play({DISTRIBUTION: (500, {"message": "dial tcp: lookup registry.example: no such host"})})
        found = checks(tmp_path)["image"]
        assert (found.state, found.error) == (FAILED, "ImageError")
        assert "no such host" in found.detail
        assert "--arm64-image" in found.next_step

    def test_registry_that_has_another_architecture(self, tmp_path: Path, play: Play) -> None:
        play({DISTRIBUTION: (200, {"Platforms": [{"architecture": "amd64", "os": "linux"}]})})
        found = checks(tmp_path)["image"]
        assert "is offered for amd64, not for arm64" in found.detail
        assert found.state == FAILED

    def test_registry_that_has_it(self, tmp_path: Path, play: Play) -> None:
        play({DISTRIBUTION: (200, {"Platforms": [{"architecture": "arm64", "os": "linux"}]})})
        found = checks(tmp_path)["image"]
        assert (found.state, found.error) == (WARNING, "")
        assert "pytest-arm64 setup" in found.next_step

    def test_image_of_another_architecture(self, tmp_path: Path, play: Play) -> None:
        image = {"Id": "sha256:1", "Architecture": "amd64", "Config": {}}
        play({f"GET /images/{REFERENCE}/json": (200, image)})
        found = checks(tmp_path)["image"]
        assert "is here for amd64, not for arm64" in found.detail
        assert f"docker pull --platform linux/arm64 {REFERENCE}" in found.next_step

    @pytest.mark.parametrize(("free", "state"), [(2**40, OK), (2**30, WARNING), (2**20, FAILED)])
    def test_space(
        self, tmp_path: Path, play: Play, monkeypatch: pytest.MonkeyPatch, free: int, state: str
    ) -> None:
        play()
        monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
        found = checks(tmp_path)["this machine's disk"]
        assert found.state == state
        assert found.error == ("" if state == OK else "SpaceError")

    def test_as_json_and_as_a_table(
        self,
        tmp_path: Path,
        play: Play,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        play({DISTRIBUTION: (500, {"message": "\x1b[31mred"})})
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("PYTEST_ARM64_IMAGE", REFERENCE)
        assert main(["doctor", "--format", "json"]) == 1
        document = json.loads(capsys.readouterr().out)
        assert document["format"] == 1
        assert not document["usable"]
        keys = {"name", "state", "detail", "why", "next_step", "error"}
        assert all(check.keys() == keys for check in document["checks"])
        assert main(["doctor"]) == 1
        shown = capsys.readouterr().out
        assert "\x1b" not in shown
        assert "→ check the network" in shown


class TestClock:
    def test_wrong(self, tmp_path: Path, play: Play) -> None:
        moment = datetime.now(timezone.utc) + timedelta(hours=1)
        play(SystemTime=moment.isoformat())
        found = checks(tmp_path)["clock"]
        assert (found.state, found.error) == (WARNING, "ClockError")
        assert "ahead of this machine's" in found.detail

    def test_right(self) -> None:
        assert check_clock(engine_with()).state == OK


class TestEmulation:
    def test_not_needed(self, tmp_path: Path) -> None:
        settings = settings_of(tmp_path)
        assert check_emulation(engine_with(machine="aarch64"), settings).state == OK

    def test_native_is_required(self, tmp_path: Path) -> None:
        found = check_emulation(engine_with(), settings_of(tmp_path, arm64_require_native=True))
        assert (found.state, found.error) == (FAILED, "EmulationError")

    def test_another_kernel(self, tmp_path: Path) -> None:
        assert "see execution" in check_emulation(engine_with(), settings_of(tmp_path)).detail

    @pytest.mark.parametrize(("flags", "state"), [("POCF", OK), ("POC", FAILED)])
    def test_flag(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: str, state: str
    ) -> None:
        handlers = binfmt.aarch64_handlers(table(tmp_path / "table", flags=flags))
        monkeypatch.setattr(doctor, "aarch64_handlers", lambda: handlers)
        found = check_emulation(engine_with(local=True), settings_of(tmp_path))
        assert found.state == state
        assert ("flag F" in found.detail) == (state == FAILED)

    def test_an_engine_on_this_kernel(self, play: Play) -> None:
        play(KernelVersion=platform.release())
        with endpoint.open_engine() as engine:
            assert engine.local


class TestMend:
    def test_handler_without_the_flag(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        entries = table(tmp_path, flags="OC")
        monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
        action = register_emulation(entries)
        assert action.state == DONE
        assert (entries / "qemu-aarch64").read_text() == "-1"
        _, name, kind, _, magic, mask, program, flags = (
            (entries / "register").read_text().split(":")
        )
        assert kind == "M"
        assert (name, program, flags) == ("qemu-aarch64", "/usr/bin/qemu-aarch64-static", "POCF")
        assert len(bytes(magic, "ascii").decode("unicode_escape")) == 20
        assert len(bytes(mask, "ascii").decode("unicode_escape")) == 20

    def test_nothing_to_do(self, tmp_path: Path) -> None:
        assert register_emulation(table(tmp_path)).state == NOTHING

    def test_no_qemu(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(shutil, "which", lambda name: None)
        action = register_emulation(tmp_path)
        assert action.state == LEFT
        assert "qemu-user-static" in action.next_step

    def test_not_root(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
        action = register_emulation(tmp_path)  # no file "register" that could be written
        assert (action.state, action.next_step) == (LEFT, "sudo pytest-arm64 setup")

    def test_podman(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DOCKER_HOST", "unix:///there")
        assert start_podman() is None

    def test_image_that_cannot_be_had(self, tmp_path: Path, play: Play) -> None:
        play({"POST /images/create": (500, {"message": "no such host"})})
        settings = settings_of(tmp_path / "project", arm64_image=REFERENCE)
        actions = {action.name: action for action in mend(settings, NoProgress())}
        assert actions["engine"].state == NOTHING
        assert actions["image"].state == LEFT
        assert "no such host" in actions["image"].detail

    def test_command(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/absent.sock")
        monkeypatch.chdir(tmp_path)
        assert main(["setup"]) == 1
        assert "no container engine answers" in capsys.readouterr().out
