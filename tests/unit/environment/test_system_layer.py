"""Packages of the system become a layer: by which commands, how often, and what is said of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pytest_arm64.config.system_packages import PackageNames, SystemPackages
from pytest_arm64.engine.images import Base
from pytest_arm64.engine.seals import sealed
from pytest_arm64.environment import provision, system_layer
from pytest_arm64.environment.system_layer import (
    LAYER_LABEL,
    brought_libraries,
    installed_packages,
    with_system_packages,
)
from pytest_arm64.errors import InstallError
from pytest_arm64.progress import NoProgress
from unit.support import CELL, RAN

ENGINE = cast("Any", SimpleNamespace(machine="aarch64"))
IMAGE = Base("amazonlinux:2023", "sha256:1", "", "arm64", {})
PACKAGES = SystemPackages(
    PackageNames(("libpq-devel",), ("libpq", "mesa-libGL")),
    {"apt": PackageNames(("libpq-dev",), ("libpq5",))},
)
BUILD, RUN = ("build",), ("run",)


@dataclass
class Played:
    """An engine with one image, which has *programs*."""

    programs: tuple[str, ...] = ("/usr/bin/dnf",)
    code: int = 0
    added: tuple[str, ...] = ()
    plans: list[Any] = field(default_factory=list)
    commands: list[list[str]] = field(default_factory=list)
    images: dict[str, Base] = field(default_factory=dict)


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Played:
    played = Played()

    class PlayedContainer:
        def __init__(self, _: object, plan: Any) -> None:
            played.plans.append(plan)

        def __enter__(self) -> PlayedContainer:  # noqa: PYI034  (Self needs Python 3.11)
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def has(self, path: str) -> bool:
            return path in played.programs

        def run(self, command: Sequence[str], **_: object) -> Any:
            assert not isinstance(command, str)
            played.commands.append(list(command))
            return SimpleNamespace(code=played.code, text="No match for argument: libpq")

        def added(self) -> list[str]:
            return list(played.added)

        def commit(self, tag: str, labels: dict[str, str]) -> None:
            played.images[tag] = Base(tag, f"sha256:{tag}", "", "arm64", sealed(tag, labels))

    monkeypatch.setattr(system_layer, "Container", PlayedContainer)
    monkeypatch.setattr(system_layer, "qemu_environment", lambda *_: {})
    monkeypatch.setattr(system_layer, "find_made", lambda _, tag: played.images.get(tag))
    return played


def layer(
    packages: SystemPackages = PACKAGES,
    moments: tuple[str, ...] = RUN,
    image: Base = IMAGE,
    *,
    offline: bool = False,
) -> Base:
    return with_system_packages(
        ENGINE, CELL, image, packages, moments, cast("Any", NoProgress()), offline=offline
    )


COMMANDS = {
    "/usr/bin/apt-get": [
        "/usr/bin/apt-get update",
        "/usr/bin/apt-get install -y --no-install-recommends -o APT::Cmd::Pattern-Only=true libpq5",
        "/usr/bin/apt-get clean",
        "/bin/rm -rf /var/lib/apt/lists",
    ],
    "/usr/bin/dnf": [
        "/usr/bin/dnf install -y --setopt=install_weak_deps=0 libpq mesa-libGL",
        "/usr/bin/dnf clean all",
    ],
    "/usr/bin/microdnf": [
        "/usr/bin/microdnf install -y --setopt=install_weak_deps=0 libpq mesa-libGL",
        "/usr/bin/microdnf clean all",
    ],
    "/usr/bin/yum": [
        "/usr/bin/yum install -y --setopt=skip_missing_names_on_install=0 libpq mesa-libGL",
        "/usr/bin/yum clean all",
    ],
    "/sbin/apk": ["/sbin/apk add --no-cache libpq mesa-libGL"],
}


@pytest.mark.parametrize(("program", "commands"), COMMANDS.items(), ids=COMMANDS)
def test_the_images_package_manager_installs_its_own_names_without_a_shell(
    played: Played, program: str, commands: list[str]
) -> None:
    played.programs = (program,)
    layer()
    assert [" ".join(command) for command in played.commands] == commands
    (plan,) = played.plans
    assert plan.network == "bridge"
    assert not plan.mounts


def test_a_list_of_names_is_installed_once(played: Played) -> None:
    first = layer()
    assert layer() is first
    assert len(played.plans) == 1
    layer(replace(PACKAGES, names=PackageNames(run=("libGL",))))
    layer(image=replace(IMAGE, id="sha256:2"))
    assert len(played.plans) == 3


def test_nothing_is_started_where_nothing_is_asked_for(played: Played) -> None:
    for packages, moments in (
        (SystemPackages(), ("build", "run")),
        (SystemPackages(PackageNames(build=("gcc",))), RUN),
        (SystemPackages(PackageNames(run=("libpq",))), BUILD),
    ):
        assert layer(packages, moments) is IMAGE
    assert not played.plans


def test_names_of_another_package_manager_are_not_installed(played: Played) -> None:
    played.programs = ("/sbin/apk",)
    layer(SystemPackages(by_manager={"apt": PackageNames(run=("libpq5",))}))
    assert not played.commands


def test_an_image_without_a_package_manager_is_an_error(played: Played) -> None:
    played.programs = ()
    with pytest.raises(InstallError, match=r"amazonlinux:2023: .*apt-get, dnf, microdnf, yum, apk"):
        layer()


def test_a_name_that_does_not_exist_is_an_error_with_the_managers_words(played: Played) -> None:
    played.code = 1
    with pytest.raises(InstallError, match="No match for argument: libpq") as error:
        layer()
    assert error.value.why.endswith('system-packages = { run = ["libpq", "mesa-libGL"] }')
    assert "system-packages.dnf" in error.value.next_step
    assert not played.images


def test_offline_uses_what_is_there_and_installs_nothing(played: Played) -> None:
    with pytest.raises(InstallError, match="--arm64-offline"):
        layer(offline=True)
    made = layer()
    assert layer(offline=True) is made


def test_what_was_installed_is_said_with_its_moment(played: Played) -> None:
    played.added = ("/usr/lib64/libpq.so.5", "/usr/lib64/libpq.so.5.17", "/usr/share/doc/libpq")
    running, building = layer(), layer(moments=BUILD)
    assert installed_packages([building, running, running]) == (
        "libpq-devel (dnf, at build time)",
        "libpq (dnf, at run time)",
        "mesa-libGL (dnf, at run time)",
    )
    assert brought_libraries(running) == {"libpq.so.5", "libpq.so.5.17"}


def test_a_label_of_an_image_from_elsewhere_says_nothing() -> None:
    forged = replace(IMAGE, labels={LAYER_LABEL: '{"manager": "dnf", "build": [], "run": ["x"]}'})
    assert installed_packages([IMAGE, forged]) == ()
    assert brought_libraries(forged) == frozenset()


def test_a_builder_that_the_image_names_has_both(
    played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provision, "get_image", lambda *_, **__: replace(IMAGE, id="sha256:9"))
    monkeypatch.setattr(provision, "probe", lambda *_: RAN)
    base = replace(IMAGE, labels={"pytest-arm64.builder": "own:1"})
    progress = cast("Any", NoProgress())
    provision.builder(ENGINE, CELL, base, RAN, progress, packages=PACKAGES)
    assert played.commands[0][-3:] == ["libpq", "mesa-libGL", "libpq-devel"]


def test_a_builder_that_is_made_from_the_image_needs_what_is_for_builds_alone(
    played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provision, "derived", lambda _, __, base, *___: base)
    progress = cast("Any", NoProgress())
    provision.builder(ENGINE, CELL, IMAGE, RAN, progress, packages=PACKAGES)
    assert played.commands[0][-2:] == ["--setopt=install_weak_deps=0", "libpq-devel"]
