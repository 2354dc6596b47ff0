"""An image with packages of its system: a layer of its own, made once for each list of names."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from .. import cache
from ..config.cell import Cell
from ..config.system_packages import BUILD, RUN, SystemPackages, settings_line
from ..engine.container import Container
from ..engine.container_plan import Plan
from ..engine.emulation import qemu_environment
from ..engine.endpoint import LABEL, Engine
from ..engine.images import Base, find_made
from ..engine.seals import is_ours
from ..errors import InstallError
from ..progress import Progress, Step
from ..records import Layout, decode, encode, parse

# What a distribution's package manager needs to unpack files of other owners.
PACKAGE_MANAGER_CAPABILITIES = (
    *("CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID"),
    *("KILL", "SETFCAP", "SETGID", "SETUID", "SYS_CHROOT"),
)
FORMAT = 1
"""Counts up when the same names would give another layer."""
LAYER_LABEL = f"{LABEL}.system-packages"
_MOMENTS = {BUILD: "at build time", RUN: "at run time"}
_SHOWN = 12
_LIBRARY = re.compile(r"lib[\w.+-]{1,100}\.so(\.[\w.]{1,40})?", re.ASCII)
_MOST_LIBRARIES = 1000


@dataclass(frozen=True)
class PackageManager:
    """A program that installs packages of the system. Each command is a list of arguments."""

    name: str
    """What the settings call it."""
    program: str
    install: tuple[str, ...]
    """The program's arguments; names follow them."""
    before: tuple[tuple[str, ...], ...] = ()
    after: tuple[tuple[str, ...], ...] = ()
    """What takes its own files out of the layer."""

    def commands(self, names: Sequence[str]) -> list[list[str]]:
        """What installs *names*, in order."""
        install = [self.program, *self.install, *names]
        return [*map(list, self.before), install, *map(list, self.after)]


def _dnf(program: str, *options: str) -> PackageManager:
    return PackageManager(
        "dnf", program, ("install", "-y", *options), after=((program, "clean", "all"),)
    )


_APT = "/usr/bin/apt-get"
# The first that an image has counts. apt-get takes a name with a dot for a regular expression, and
# yum installs the rest where a name is missing, unless the options here say otherwise.
# Sources: apt 2.6, apt-private/private-cacheset.cc; yum.conf(5) of Amazon Linux 2.
_MANAGERS = (
    PackageManager(
        "apt",
        _APT,
        ("install", "-y", "--no-install-recommends", "-o", "APT::Cmd::Pattern-Only=true"),
        before=((_APT, "update"),),
        after=((_APT, "clean"), ("/bin/rm", "-rf", "/var/lib/apt/lists")),
    ),
    _dnf("/usr/bin/dnf", "--setopt=install_weak_deps=0"),
    _dnf("/usr/bin/microdnf", "--setopt=install_weak_deps=0"),
    _dnf("/usr/bin/yum", "--setopt=skip_missing_names_on_install=0"),
    PackageManager("apk", "/sbin/apk", ("add", "--no-cache")),
)


@dataclass(frozen=True)
class SystemLayer:
    """What a layer has, as its image's label says it."""

    JSON: ClassVar[Layout] = Layout(name="system packages of an image")

    manager: str
    build: tuple[str, ...]
    run: tuple[str, ...]
    libraries: tuple[str, ...] = ()
    """Names of the shared libraries that came with those for the tests."""

    def __iter__(self) -> Iterator[str]:
        """Each package in words: ``libpq5 (apt, at run time)``."""
        for moment, names in ((BUILD, self.build), (RUN, self.run)):
            yield from (f"{name} ({self.manager}, {_MOMENTS[moment]})" for name in names)


def with_system_packages(
    engine: Engine,
    cell: Cell,
    base: Base,
    packages: SystemPackages,
    moments: Sequence[str],
    progress: Progress,
    *,
    offline: bool = False,
) -> Base:
    """*base* with those of *packages* that are for *moments*.

    Raises:
        InstallError: *base* has no package manager, or it does not install them.
    """
    if not any({BUILD: packages.build, RUN: packages.run}[moment] for moment in moments):
        return base
    key = cache.digest([FORMAT, base.id, list(moments), encode(packages)])
    tag = f"{LABEL}/system:{key[:20]}"
    existing = find_made(engine, tag)
    if existing is not None:
        return existing
    if offline:
        raise InstallError(
            f"the system packages of {base.reference} are not installed yet, and --arm64-offline "
            "forbids installing",
            next_step="run once without --arm64-offline",
        )
    plan = Plan(
        image=base.id,
        platform=cell.platform,
        network="bridge",
        capabilities=PACKAGE_MANAGER_CAPABILITIES,
    )
    title = f"install system packages ({', '.join(_MOMENTS[moment] for moment in moments)})"
    with progress.step(title) as step, Container(engine, plan) as container:
        manager = _manager_of(container, base)
        names = packages.of(manager.name)
        layer = SystemLayer(
            manager.name,
            build=names.build if BUILD in moments else (),
            run=names.run if RUN in moments else (),
        )
        _install(engine, cell, container, manager, layer, step)
        if layer.run:
            layer = replace(layer, libraries=tuple(_libraries(container.added())))
        labels = {f"{LABEL}.base": base.id, LAYER_LABEL: json.dumps(encode(layer))}
        container.commit(tag, labels)
    made = find_made(engine, tag)
    assert made is not None
    return made


def _manager_of(container: Container, base: Base) -> PackageManager:
    manager = next((m for m in _MANAGERS if container.has(m.program)), None)
    if manager is None:
        programs = ", ".join(posixpath.basename(m.program) for m in _MANAGERS)
        raise InstallError(
            f"system-packages cannot be installed in {base.reference}: it has none of {programs}",
            next_step="use an image that has the packages, or one with a package manager: "
            "--arm64-image IMAGE",
        )
    return manager


def _install(
    engine: Engine,
    cell: Cell,
    container: Container,
    manager: PackageManager,
    layer: SystemLayer,
    step: Step,
) -> None:
    """Install what *layer* is to have, as root.

    Raises:
        InstallError: a command failed.
    """
    names = list(dict.fromkeys((*layer.run, *layer.build)))
    environment = {"DEBIAN_FRONTEND": "noninteractive", **qemu_environment(cell, engine)}
    for command in manager.commands(names) if names else ():
        finished = container.run(command, environment=environment, on_line=step.update)
        if finished.code != 0:
            shown = "".join(f"\n    {line}" for line in finished.text.splitlines()[-_SHOWN:])
            raise InstallError(
                f"{manager.name} could not install {', '.join(names)} "
                f"(exit code {finished.code}):{shown}",
                why=f"the settings ask for it: {settings_line(layer.build, layer.run)}",
                next_step=f"check the names, which are those of {manager.name} here (for it alone: "
                f"system-packages.{manager.name}), and that the container reaches its packages",
                log=finished.text,
            )


def _libraries(paths: Iterable[str]) -> list[str]:
    names = {posixpath.basename(path) for path in paths}
    return sorted(name for name in names if _LIBRARY.fullmatch(name))[:_MOST_LIBRARIES]


def brought_libraries(image: Base) -> frozenset[str]:
    """Names of the shared libraries that ``with_system_packages`` has added to *image*."""
    layer = _layer_of(image)
    return frozenset(layer.libraries if layer is not None else ())


def installed_packages(images: Iterable[Base]) -> tuple[str, ...]:
    """What *images* have by ``with_system_packages``, in words, each once."""
    layers = [_layer_of(image) for image in images]
    return tuple(dict.fromkeys(text for layer in layers if layer is not None for text in layer))


def _layer_of(image: Base) -> SystemLayer | None:
    label = image.labels.get(LAYER_LABEL)
    if label is None or not is_ours(image.labels):
        return None
    return decode(SystemLayer, parse(label))
