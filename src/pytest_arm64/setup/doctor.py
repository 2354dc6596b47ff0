"""What this machine has for `pytest --arm64`, checked one by one, each with a next step."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .. import cache
from ..config.cell import Cell, ImageFacts
from ..config.targets import MACHINES
from ..engine.binfmt import aarch64_handlers, explanation
from ..engine.clock import clock_error
from ..engine.container import Container
from ..engine.container_plan import Plan
from ..engine.emulation import emulator_warning
from ..engine.endpoint import Engine, open_engine
from ..engine.images import Base, ask_registry, find_image
from ..engine.probe import NoPython, probe
from ..environment.provision import can_provision
from ..errors import Arm64Error, EmulationError, ImageError, SpaceError

if TYPE_CHECKING:
    from ..config.settings import Settings

OK, WARNING, FAILED = "ok", "warning", "failed"

LITTLE_SPACE = 2 * 2**30
NO_SPACE = 200 * 2**20


@dataclass(frozen=True)
class Check:
    """One question and its answer."""

    name: str
    state: str
    detail: str
    why: str = ""
    next_step: str = ""
    error: str = ""
    """Class of the error that a run would end with, or that it stands for."""


def examine(settings: Settings) -> Iterator[Check]:
    """All checks in the order in which a run needs them; ends where nothing more can be told."""
    yield _disk(cache.chosen_folder())
    try:
        with open_engine() as engine:
            yield Check("engine", OK, _description(engine))
            yield from _attempts(engine, settings)
    except Arm64Error as error:
        yield told("engine", error)


def _description(engine: Engine) -> str:
    kind = "Podman" if engine.podman else "Docker"
    rootless = ", rootless: tests run as root of your own namespace" if engine.rootless else ""
    return f"{kind} {engine.version}, machine {engine.machine}{rootless}"


def _attempts(engine: Engine, settings: Settings) -> Iterator[Check]:
    yield check_clock(engine)
    yield check_emulation(engine, settings)
    target = settings.target
    reference = settings.base.replace("{arch}", "arm64")
    cell = Cell(target, "arm64", settings.core, reference)
    try:
        base = find_image(engine, reference)
        if base is None or base.architecture != "arm64":
            yield _absent_image(engine, cell, base)
            return
        yield Check("image", OK, f"{reference}, {base.architecture}")
    except Arm64Error as error:
        yield told("image", error)
        return
    interpreters = [target.interpreter, f"python{target.python}", "python3"]
    try:
        found = probe(engine, cell, base, interpreters)
    except Arm64Error as error:
        yield told("execution", error)
        return
    yield _execution(cell, found)
    yield _python(cell, found)
    try:
        yield _engine_space(engine, cell, base)
    except Arm64Error as error:
        yield told("engine's disk", error)


def check_clock(engine: Engine) -> Check:
    """Whether the engine and this machine agree on the time."""
    error = clock_error(engine.clock_ahead)
    if error is not None:
        return told("clock", error, WARNING)
    return Check("clock", OK, "the engine's agrees with this machine's")


def check_emulation(engine: Engine, settings: Settings) -> Check:
    """Whether aarch64 programs are run natively, or a handler in this kernel runs them."""
    if engine.machine == "aarch64":
        return Check("emulation", OK, "not needed: this is an ARM machine")
    if settings.require_native:
        error = EmulationError(
            f"this engine's machine is {engine.machine}, and a native machine is required",
            next_step="run on an ARM machine",
        )
        return told("emulation", error)
    if not engine.local:
        return Check("emulation", OK, "the engine's kernel is not this one: see execution")
    handlers = aarch64_handlers()
    if any(handler.in_containers for handler in handlers):
        return Check("emulation", OK, f"{handlers[0].interpreter}, flags {handlers[0].flags}")
    what, next_step = explanation(handlers)
    error = EmulationError(
        what, why="without emulation only an ARM machine can run the tests", next_step=next_step
    )
    return told("emulation", error)


def _absent_image(engine: Engine, cell: Cell, base: Base | None) -> Check:
    """The image is not here: whether a first run could pull it."""
    if base is not None:
        error = ImageError(
            f"{cell.image} is here for {base.architecture}, not for arm64",
            why="results would say nothing about ARM",
            next_step=f"docker pull --platform {cell.platform} {cell.image}",
        )
        return told("image", error, WARNING)
    try:
        ask_registry(engine, cell.image, cell.architecture)
    except Arm64Error as error:
        return told("image", error)
    return Check(
        "image",
        WARNING,
        f"{cell.image} is not here; the registry has it, and the first run pulls it",
        next_step="pytest-arm64 setup pulls it now",
    )


def _execution(cell: Cell, found: ImageFacts | NoPython) -> Check:
    machine = MACHINES[cell.architecture]
    if isinstance(found, NoPython):
        return Check("execution", OK, f"{found.os} runs on {machine}")
    by = f" by qemu {found.emulator}" if found.emulator else ""
    how = "native" if found.native else f"emulated on {found.engine_machine}{by}"
    detail = f"{machine} {how}, core {found.core}"
    differences = found.differences(cell.target)
    doubts = [f"not as asked: {'; '.join(differences)}"] if differences else []
    doubts += filter(None, [emulator_warning(found.emulator)])
    return Check("execution", WARNING if doubts else OK, "; ".join([detail, *doubts]))


def _python(cell: Cell, found: ImageFacts | NoPython) -> Check:
    if isinstance(found, ImageFacts):
        return Check("python", OK, f"Python {found.python.version}")
    if can_provision(cell, found):
        return Check("python", OK, "none in the image; the first run installs it")
    error = ImageError(
        f"{cell.image} has no Python {cell.target.python}",
        why="it runs the tests",
        next_step="choose another target, or an image that brings its Python",
    )
    return told("python", error)


def _disk(folder: Path) -> Check:
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    return _space("this machine's disk", shutil.disk_usage(existing).free, str(existing))


def _engine_space(engine: Engine, cell: Cell, base: Base) -> Check:
    with Container(engine, Plan(image=base.id, platform=cell.platform)) as container:
        words = container.run(["df", "-Pk", "/"]).stdout.decode("utf-8", "replace").split()
    # The last line is that of the one file system: device, size, used, free, per cent, folder.
    free = words[-3] if len(words) >= 6 else ""
    if not free.isdigit():
        return Check("engine's disk", WARNING, "free space cannot be determined in this image")
    return _space("engine's disk", int(free) * 1024, "the engine's images")


def _space(name: str, free: int, where: str) -> Check:
    detail = f"{free / 2**30:.1f} GiB free for {where}"
    if free >= LITTLE_SPACE:
        return Check(name, OK, detail)
    error = SpaceError(
        detail,
        why="an environment with compiled packages takes up to some gigabytes",
        next_step="docker system df shows what images take; docker image prune removes unused ones",
    )
    return told(name, error, WARNING if free >= NO_SPACE else FAILED)


def told(name: str, error: Arm64Error, state: str = FAILED) -> Check:
    """*error* as the answer to a question."""
    return Check(name, state, error.what, error.why, error.next_step, type(error).__name__)


def settings_here(folder: Path, *, offline: bool = False) -> Settings:
    """Settings as ``pytest --arm64`` without other options would have them in *folder*."""
    import os

    from ..config.option_values import Given
    from ..config.project import load_project
    from ..config.trust import refuse_untrusted

    given = Given(offline=offline)
    project = load_project(given, os.environ, rootpath=folder, cwd=folder)
    image = os.environ.get("PYTEST_ARM64_IMAGE", "")
    refuse_untrusted(project.files, project.services, os.environ, image=image)
    return project.settings
