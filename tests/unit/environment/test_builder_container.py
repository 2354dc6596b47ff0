"""Each source distribution is built in a container of its own, which gets what a build needs."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from packaging.requirements import Requirement

from pytest_arm64.engine.images import Base
from pytest_arm64.environment import builder_container, pip_container
from pytest_arm64.environment.build_environment import BuildEnvironment, UnpreparedError
from pytest_arm64.environment.builder_container import Host, SourceBuilder
from pytest_arm64.environment.bytecode import Compiler
from pytest_arm64.environment.cross import CrossBuilder, NoCrossCompilerError
from pytest_arm64.environment.pip_container import Request
from pytest_arm64.environment.plan import PlanRequest
from pytest_arm64.environment.planned_scope import PlannedPackage
from pytest_arm64.environment.source_builds import Built
from pytest_arm64.errors import BuildError, OverdueBuildError, OverdueCommandError
from pytest_arm64.index.pip_config import PipConfig
from pytest_arm64.inputs.manifest import read_manifest
from unit.support import CELL, PYTHON, RAN, settings_of, write

pytestmark = pytest.mark.usefixtures("index_alone")

CONFIG = PipConfig(
    {"index-url": "https://user:secret@host/simple"}, {}, (), ca=b"CA", netrc=b"machine host"
)


@dataclass
class PlayedContainer:
    """Takes archives, and builds a wheel of everything."""

    plan: Any
    members: dict[str, tarfile.TarInfo] = field(default_factory=dict)
    environments: list[dict[str, str]] = field(default_factory=list)
    commands: list[list[str]] = field(default_factory=list)
    logs: list[str] = field(default_factory=list)
    """What builds that fail print, one after another; then builds succeed."""

    def put(self, path: str, archive: Any) -> None:
        content = archive if isinstance(archive, bytes) else b"".join(archive)
        with tarfile.open(fileobj=io.BytesIO(content)) as opened:
            prefix = path.rstrip("/")
            self.members |= {f"{prefix}/{member.name}": member for member in opened}

    def run(self, command: Any, *, environment: Any = None, **_: Any) -> Any:
        self.environments.append(dict(environment or {}))
        self.commands.append(list(command))
        if OVERDUE:
            raise OverdueCommandError("it did not end", log=OVERDUE.pop())
        log = self.logs.pop(0) if self.logs else ""
        return SimpleNamespace(code=int(bool(log)), text=log, stdout=b"", stderr=b"")

    def fetch(self, path: str, most: int) -> io.BytesIO:
        assert most <= 4 * 2**30
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            info = tarfile.TarInfo("out/demo-1-py3-none-any.whl")
            archive.addfile(info, io.BytesIO())
        buffer.seek(0)
        return buffer


LOGS: list[str] = []
OVERDUE: list[str] = []
"""What a command has printed that takes too long; then commands end."""


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[PlayedContainer]:
    containers: list[PlayedContainer] = []
    LOGS.clear()
    OVERDUE.clear()

    @contextmanager
    def start(_: object, plan: object) -> Iterator[PlayedContainer]:
        containers.append(PlayedContainer(plan, logs=LOGS))
        yield containers[-1]

    monkeypatch.setattr(pip_container, "Container", start)
    return containers


class Environments:
    """Gives each build setuptools; says what back ends ask for."""

    def __init__(self, *, asks: tuple[str, ...] = (), sha256: str = "aa") -> None:
        self._asks = asks
        self._sha256 = sha256
        self.unprepared = ""
        self.needs: Callable[[PlannedPackage], object] = str
        """Called before an environment is given."""

    def for_file(self, package: PlannedPackage) -> BuildEnvironment:
        if self.unprepared:
            raise UnpreparedError(self.unprepared)
        self.needs(package)
        return self._of([Requirement("setuptools")])

    def completed(
        self, environment: BuildEnvironment, asked: Iterable[Requirement]
    ) -> BuildEnvironment:
        return self._of([*environment.requirements, *asked])

    def _of(self, requirements: list[Requirement]) -> BuildEnvironment:
        asks = self._asks

        class Asked(BuildEnvironment):
            def put(self, container: Any, folder: str, _: Any) -> dict[str, str]:
                return {"PYTHONPATH": f"{folder}/site-packages"}

            def ask(self, *_: object) -> list[Requirement]:
                return [r for r in map(Requirement, asks) if r not in self.requirements]

        packages = [PlannedPackage(r.name, "1", "build", "pure") for r in requirements]
        hashes = tuple(self._sha256 for _ in requirements)
        return Asked(tuple(requirements), tuple(packages), (), PYTHON, hashes)


MakeBuilder = Callable[..., SourceBuilder]


@pytest.fixture
def make_builder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeBuilder:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("DEPLOY_TOKEN", "secret")
    repo = write(
        tmp_path / "repo",
        {
            "requirements.txt": "--extra-index-url https://${DEPLOY_TOKEN}@host/\n-e ./lib\n",
            "lib/pyproject.toml": '[project]\nname = "lib"\nversion = "1"\n',
        },
    )
    monkeypatch.setattr(builder_container, "fetch", lambda _, p: Path(p.url.partition("#")[0]))
    engine = cast("Any", SimpleNamespace(rootless=False, machine="aarch64", labels={}, memory=0))
    host = Host(engine, CELL, RAN, lambda: Base("builder", "sha256:1", "", "arm64", {}))
    monkeypatch.setattr(builder_container, "qemu_environment", lambda *_: {"QEMU_CPU": "n1"})

    def make(
        environments: Environments | None = None,
        *,
        network: bool = False,
        cross: Any = None,
        timeout: float = 0.0,
    ) -> SourceBuilder:
        manifest = read_manifest(settings_of(repo), repo)
        request = Request(manifest, (), CONFIG, build_network=network, build_timeout=timeout)
        plan_request = PlanRequest(manifest, (), request.config, CELL, RAN)
        own = replace(host, cross=cross)
        builder = SourceBuilder(own, request, plan_request, Compiler())
        given = environments or Environments()
        monkeypatch.setattr(builder, "build_environments", lambda *_: given)
        return builder

    return make


@pytest.fixture
def source_builder(make_builder: MakeBuilder) -> SourceBuilder:
    return make_builder()


def planned(folder: Path, name: str) -> PlannedPackage:
    path = folder / f"{name}-1.tar.gz"
    path.write_bytes(name.encode())
    return PlannedPackage(name, "1", "deploy", "source", path.name, str(path))


def build(source_builder: SourceBuilder, folder: Path, name: str) -> Built:
    package = planned(folder, name)
    return source_builder.built(package, cast("Any", None), cast("Any", None))[1]


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
    (out,) = (m for name, m in container.members.items() if name.endswith("/demo-1/1/out"))
    assert (out.uid, out.gid) == (65534, 65534)


def test_a_build_sees_no_project_and_no_variable_of_requirement_files(
    source_builder: SourceBuilder, started: list[PlayedContainer], tmp_path: Path
) -> None:
    build(source_builder, tmp_path, "demo")
    (container,) = started
    assert not any("/repo/lib" in name or "requirements.txt" in name for name in container.members)
    assert "secret" not in repr([container.environments, container.plan.environment])


def configuration(container: PlayedContainer) -> set[str]:
    """What of pip's configuration is in *container*, as files and as variables."""
    variables: Mapping[str, str] = container.plan.environment
    files = {name.rpartition("/")[2] for name in container.members}
    names = {"pip.conf", "netrc", "ca.pem", "PIP_CONFIG_FILE", "NETRC", "PIP_CERT", "SSL_CERT_FILE"}
    return names & (files | set(variables))


def test_a_build_has_neither_network_nor_credentials(
    source_builder: SourceBuilder, started: list[PlayedContainer], tmp_path: Path
) -> None:
    build(source_builder, tmp_path, "demo")
    (container,) = started
    assert container.plan.network == "none"
    assert configuration(container) == set()
    assert "--no-build-isolation" in container.commands[0]


def test_a_build_that_may_have_the_network_has_pips_settings_too(
    make_builder: MakeBuilder, started: list[PlayedContainer], tmp_path: Path
) -> None:
    build(make_builder(network=True), tmp_path, "demo")
    (container,) = started
    assert container.plan.network == "bridge"
    assert {"pip.conf", "netrc", "ca.pem"} <= configuration(container)


def test_requirements_that_cannot_be_had_are_an_error_that_names_the_option(
    make_builder: MakeBuilder, started: list[PlayedContainer], tmp_path: Path
) -> None:
    environments = Environments()
    environments.unprepared = "nobody has odd-backend"
    with pytest.raises(BuildError, match="nobody has odd-backend") as caught:
        build(make_builder(environments), tmp_path, "demo")
    assert "--arm64-build-network" in caught.value.next_step
    assert caught.value.kinds == ("resolution",)
    assert not started, "no build was begun"
    build(make_builder(environments, network=True), tmp_path, "demo")
    assert "--no-build-isolation" not in started[0].commands[0]


@pytest.mark.parametrize(
    "log",
    [
        "urllib3: Temporary failure in name resolution",
        "fatal: unable to access 'https://github.com/a/b/': Could not resolve host: github.com",
        "error: failed to download from `https://index.crates.io/se/rd/serde`",
        "curl: (6) Could not resolve host: example.com",
        "urllib.error.URLError: <urlopen error [Errno -3] Temporary failure in name resolution>",
        "curl: (7) Failed to connect to example.com port 443: Couldn't connect to server",
    ],
)
def test_a_build_that_downloads_is_an_error_that_names_the_option(
    source_builder: SourceBuilder, started: list[PlayedContainer], tmp_path: Path, log: str
) -> None:
    LOGS.append(log)
    with pytest.raises(BuildError) as caught:
        build(source_builder, tmp_path, "demo")
    assert "network" in caught.value.kinds
    assert "--arm64-build-network" in caught.value.next_step
    assert len(started[0].commands) == 1


@pytest.mark.parametrize(
    "log", ["ModuleNotFoundError: No module named 'calver'", "Temporary failure in name resolution"]
)
def test_what_a_back_end_asks_for_is_laid_beside_the_sources_and_it_builds_again(
    make_builder: MakeBuilder, started: list[PlayedContainer], tmp_path: Path, log: str
) -> None:
    LOGS.append(log)
    built = build(make_builder(Environments(asks=("calver",))), tmp_path, "demo")
    (container,) = started
    assert len(container.commands) == 2
    assert built.asked == ("calver",)
    assert [name for name, *_ in built.requirements or []] == ["setuptools", "calver"]


def test_what_was_built_is_not_built_again(
    make_builder: MakeBuilder, started: list[PlayedContainer], tmp_path: Path
) -> None:
    for _ in range(2):
        build(make_builder(), tmp_path, "demo")
    assert len(started) == 1


@pytest.mark.parametrize("asks", [(), ("calver",)])
def test_another_wheel_of_a_requirement_means_another_build(
    make_builder: MakeBuilder,
    started: list[PlayedContainer],
    tmp_path: Path,
    asks: tuple[str, ...],
) -> None:
    """An index of one project must not decide what another project gets."""
    for sha256 in ("evil", "genuine", "genuine"):
        LOGS[:] = ["No module named 'calver': ModuleNotFoundError"] if asks else []
        build(make_builder(Environments(asks=asks, sha256=sha256)), tmp_path, "demo")
    assert len(started) == 2


def test_only_what_was_asked_for_changes_and_it_is_built_again(
    make_builder: MakeBuilder, started: list[PlayedContainer], tmp_path: Path
) -> None:
    class Moving(Environments):
        def completed(
            self, environment: BuildEnvironment, asked: Iterable[Requirement]
        ) -> BuildEnvironment:
            complete = super().completed(environment, asked)
            return replace(complete, hashes=("aa", self.second))

        second = "bb"

    for second in ("bb", "bb", "cc"):
        LOGS[:] = ["ModuleNotFoundError: No module named 'calver'"]
        environments = Moving(asks=("calver",))
        environments.second = second
        build(make_builder(environments), tmp_path, "demo")
    assert len(started) == 2


def test_a_build_with_the_network_is_not_used_without_it(
    make_builder: MakeBuilder, started: list[PlayedContainer], tmp_path: Path
) -> None:
    build(make_builder(network=True), tmp_path, "demo")
    build(make_builder(), tmp_path, "demo")
    assert len(started) == 2


def test_a_requirement_without_a_wheel_is_built_first(
    make_builder: MakeBuilder, started: list[PlayedContainer], tmp_path: Path
) -> None:
    environments = Environments()
    builder = make_builder(environments)

    def needs(package: PlannedPackage) -> None:
        if package.name == "app":
            build(builder, tmp_path, "plugin")

    environments.needs = needs
    build(builder, tmp_path, "app")
    first, second = started
    assert any("plugin-1.tar.gz" in name for name in first.members)
    assert any("app-1.tar.gz" in name for name in second.members)


@pytest.mark.parametrize("ring", [1, 2, 9])
def test_builds_that_need_each_other_are_an_error(
    make_builder: MakeBuilder, started: list[PlayedContainer], tmp_path: Path, ring: int
) -> None:
    environments = Environments()
    builder = make_builder(environments)
    names = [f"p{number}" for number in range(ring)]

    def needs(package: PlannedPackage) -> None:
        build(builder, tmp_path, names[(names.index(package.name) + 1) % ring])

    environments.needs = needs
    with pytest.raises(BuildError, match="needed to build"):
        build(builder, tmp_path, "p0")
    assert not started


def test_two_projects_of_one_archive_are_two_builds(
    make_builder: MakeBuilder, started: list[PlayedContainer], tmp_path: Path
) -> None:
    builder = make_builder()
    package = planned(tmp_path, "demo")
    for folder in ("one", "two"):
        url = f"{package.url}#subdirectory={folder}"
        source = replace(package, url=url)
        builder.built(source, cast("Any", None), cast("Any", None))
    assert len(started) == 2


CROSS = CrossBuilder(Base("cross", "sha256:9", "", "arm64", {}), "gcc 12.2.0")


def images(started: list[PlayedContainer]) -> list[str]:
    return [container.plan.image for container in started]


def test_a_cross_compiler_builds_where_there_is_one_and_its_wheel_says_so(
    make_builder: MakeBuilder, started: list[PlayedContainer], tmp_path: Path
) -> None:
    for fresh in (True, False):
        built = build(make_builder(cross=lambda _: CROSS), tmp_path, "demo")
        assert (built.cross, built.fresh) == ("gcc 12.2.0", fresh)
    assert images(started) == ["sha256:9"]


def test_a_build_that_fails_with_the_cross_compiler_is_repeated_without_it(
    make_builder: MakeBuilder, started: list[PlayedContainer], tmp_path: Path
) -> None:
    LOGS.append("gcc: error: unknown value 'native' for '-march'")
    built = build(make_builder(cross=lambda _: CROSS), tmp_path, "demo")
    assert built.cross == ""
    assert images(started) == ["sha256:9", "sha256:1"]


def test_a_build_that_fails_with_both_has_the_error_of_the_builders_own_compiler(
    make_builder: MakeBuilder, started: list[PlayedContainer], tmp_path: Path
) -> None:
    LOGS.extend(["unknown value 'native'", "fatal error: zlib.h: No such file or directory"])
    with pytest.raises(BuildError, match=r"zlib\.h"):
        build(make_builder(cross=lambda _: CROSS), tmp_path, "demo")
    assert images(started) == ["sha256:9", "sha256:1"]


def test_a_wheel_that_was_built_without_a_cross_compiler_goes_before_one_with_it(
    make_builder: MakeBuilder, started: list[PlayedContainer], tmp_path: Path
) -> None:
    for cross in (lambda _: CROSS, None, lambda _: CROSS):
        built = build(make_builder(cross=cross), tmp_path, "demo")
    assert built.cross == ""
    assert images(started) == ["sha256:9", "sha256:1"]


def test_why_there_is_no_cross_compiler_is_asked_once_and_told(
    make_builder: MakeBuilder, started: list[PlayedContainer], tmp_path: Path
) -> None:
    asked = []

    def refuse(builder: Base) -> CrossBuilder:
        asked.append(builder.id)
        raise NoCrossCompilerError("the builder has no gcc")

    builder = make_builder(cross=refuse)
    for name in ("first", "second"):
        assert build(builder, tmp_path, name).cross == ""
    assert asked == ["sha256:1"]
    assert builder.not_crossed == "the builder has no gcc"
    assert images(started) == ["sha256:1", "sha256:1"]


def test_a_build_that_takes_too_long_ends_with_its_log_and_is_not_tried_again(
    make_builder: MakeBuilder, started: list[PlayedContainer], tmp_path: Path
) -> None:
    compiler = CrossBuilder(Base("cross", "sha256:2", "", "arm64", {}), "gcc 12.2.0")
    for cross in (None, lambda _: compiler):
        OVERDUE.append("compiling 1 of 900\nModuleNotFoundError: No module named 'calver'")
        builder = make_builder(Environments(asks=("calver",)), cross=cross, timeout=5)
        started.clear()
        with pytest.raises(OverdueBuildError, match=r"demo 1 was not built within 5 s") as caught:
            build(builder, tmp_path, "demo")
        assert caught.value.kinds == ("timeout",)
        assert "compiling 1 of 900" in caught.value.what
        assert "--arm64-build-timeout" in caught.value.why
        (container,) = started
        assert container.plan.longest == 5
        assert len(container.commands) == 1


def test_without_a_limit_a_command_that_does_not_end_is_the_engines_error(
    source_builder: SourceBuilder, started: list[PlayedContainer], tmp_path: Path
) -> None:
    OVERDUE.append("")
    with pytest.raises(OverdueCommandError):
        build(source_builder, tmp_path, "demo")
    assert started[0].plan.longest == 4 * 3600


def test_a_line_says_what_is_built_before_it_is(
    source_builder: SourceBuilder, started: list[PlayedContainer], tmp_path: Path
) -> None:
    said: list[str] = []
    source_builder.say = lambda text: said.append(f"{text} {len(started)}")
    build(source_builder, tmp_path, "demo")
    (line,) = said
    assert line == "building demo 1 (emulated; not built here before) 0"
