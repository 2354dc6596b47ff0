"""Each source distribution is built in a container of its own, which gets what a build needs."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pytest_arm64.engine.images import Base
from pytest_arm64.environment import builder_container, pip_installer
from pytest_arm64.environment.builder_container import Host, SourceBuilder
from pytest_arm64.environment.bytecode import Compiler
from pytest_arm64.environment.pip_installer import Request
from pytest_arm64.environment.plan import PlannedPackage, PlanRequest
from pytest_arm64.index.pip_config import PipConfig
from pytest_arm64.inputs.manifest import read_manifest
from unit.support import CELL, RAN, settings_of, write

pytestmark = pytest.mark.usefixtures("index_alone")


@dataclass
class PlayedContainer:
    """Takes archives, and builds a wheel of everything."""

    plan: Any
    members: dict[str, tarfile.TarInfo] = field(default_factory=dict)
    environments: list[dict[str, str]] = field(default_factory=list)

    def put(self, path: str, archive: Any) -> None:
        content = archive if isinstance(archive, bytes) else b"".join(archive)
        with tarfile.open(fileobj=io.BytesIO(content)) as opened:
            prefix = path.rstrip("/")
            self.members |= {f"{prefix}/{member.name}": member for member in opened}

    def run(self, command: Any, *, environment: Any = None, **_: Any) -> Any:
        self.environments.append(dict(environment or {}))
        return SimpleNamespace(code=0, text="", stdout=b"", stderr=b"")

    def fetch(self, path: str) -> io.BytesIO:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            info = tarfile.TarInfo(f"out/{path.rpartition('/')[2]}-1-py3-none-any.whl")
            archive.addfile(info, io.BytesIO())
        buffer.seek(0)
        return buffer


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[PlayedContainer]:
    containers: list[PlayedContainer] = []

    @contextmanager
    def start(_: object, plan: object) -> Iterator[PlayedContainer]:
        containers.append(PlayedContainer(plan))
        yield containers[-1]

    monkeypatch.setattr(pip_installer, "Container", start)
    return containers


@pytest.fixture
def source_builder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SourceBuilder:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("DEPLOY_TOKEN", "secret")
    repo = write(
        tmp_path / "repo",
        {
            "requirements.txt": "--extra-index-url https://${DEPLOY_TOKEN}@host/\n-e ./lib\n",
            "lib/pyproject.toml": '[project]\nname = "lib"\nversion = "1"\n',
        },
    )
    manifest = read_manifest(settings_of(repo), repo)
    request = Request(manifest, (), PipConfig({}, {}, ()))
    monkeypatch.setattr(builder_container, "fetch", lambda _, package: Path(package.url))
    engine = cast("Any", SimpleNamespace(rootless=False, machine="aarch64", labels={}))
    host = Host(engine, CELL, RAN, lambda: Base("builder", "sha256:1", "", "arm64", {}))
    monkeypatch.setattr(builder_container, "qemu_environment", lambda *_: {"QEMU_CPU": "n1"})
    plan_request = PlanRequest(manifest, (), request.config, CELL, RAN)
    builder = SourceBuilder(host, request, plan_request, Compiler())
    monkeypatch.setattr(
        builder, "build_environments", lambda *_: SimpleNamespace(for_file=no, prepare=nothing)
    )
    return builder


def no(*_: object) -> None:
    return None


def nothing(*_: object) -> tuple[dict[str, str], tuple[str, ...]]:
    return {}, ()


def build(source_builder: SourceBuilder, folder: Path, name: str) -> None:
    path = folder / f"{name}-1.tar.gz"
    path.write_bytes(name.encode())
    package = PlannedPackage(name, "1", "deploy", "source", path.name, str(path))
    source_builder.built(package, cast("Any", None), cast("Any", None))


def test_two_source_distributions_are_built_in_two_containers(
    source_builder: SourceBuilder, started: list[PlayedContainer], tmp_path: Path
) -> None:
    for name in ("first", "second"):
        build(source_builder, tmp_path, name)
    first, second = started
    assert any("first-1.tar.gz" in name for name in first.members)
    assert not any("first" in name for name in second.members)


def test_builds_do_not_run_as_root_and_have_no_mounts(
    source_builder: SourceBuilder, started: list[PlayedContainer], tmp_path: Path
) -> None:
    build(source_builder, tmp_path, "demo")
    (container,) = started
    assert container.plan.user == "65534:65534"
    assert not container.plan.mounts
    (out,) = (m for name, m in container.members.items() if name.endswith("/demo-1/out"))
    assert (out.uid, out.gid) == (65534, 65534)


def test_a_build_sees_no_project_and_no_variable_of_requirement_files(
    source_builder: SourceBuilder, started: list[PlayedContainer], tmp_path: Path
) -> None:
    build(source_builder, tmp_path, "demo")
    (container,) = started
    assert not any("/repo/lib" in name or "requirements.txt" in name for name in container.members)
    assert "secret" not in repr([container.environments, container.plan.environment])


def test_what_was_built_is_not_built_again(
    source_builder: SourceBuilder, started: list[PlayedContainer], tmp_path: Path
) -> None:
    for _ in range(2):
        build(source_builder, tmp_path, "demo")
    assert len(started) == 1
