"""From a cell to a probed image that has the Python that was asked for, and to its builder."""

from __future__ import annotations

from .. import cache
from ..config.cell import Cell, ImageFacts
from ..config.system_packages import BUILD, RUN, SystemPackages
from ..engine.container import Container
from ..engine.container_plan import Plan
from ..engine.emulation import qemu_environment
from ..engine.endpoint import LABEL, Engine
from ..engine.images import Base, find_made, get_image
from ..engine.probe import NoPython, probe
from ..errors import ImageError, InstallError
from ..progress import Progress
from .system_layer import PACKAGE_MANAGER_CAPABILITIES, with_system_packages


def provisioned(
    engine: Engine,
    cell: Cell,
    progress: Progress,
    *,
    offline: bool = False,
    packages: SystemPackages | None = None,
) -> tuple[Base, ImageFacts]:
    """The image in which tests run, with *packages* of its system, and the facts found in it.

    The target's own image must have, or be given, the Python that was asked for. An image that
    overrides it may bring another one, which the facts then show.

    Raises:
        ImageError: the image cannot be had, or has no usable Python.
        InstallError: its package manager failed.
    """
    base = get_image(engine, cell.image, cell.architecture, progress, offline=offline)
    base, ran = _with_python(engine, cell, base, progress)
    if not ran.python.compiled:
        base = _with_bytecode(engine, cell, base, ran, progress)
    layer = with_system_packages(
        engine, cell, base, packages or SystemPackages(), (RUN,), progress, offline=offline
    )
    return (base, ran) if layer is base else (layer, _again(engine, cell, layer, ran))


def _again(engine: Engine, cell: Cell, image: Base, ran: ImageFacts) -> ImageFacts:
    """What is found in *image*: a package of the system may bring another C++ library."""
    probed = probe(engine, cell, image, [ran.python.executable])
    if isinstance(probed, NoPython):
        raise ImageError(
            f"the system packages of {ran.image} have removed its Python {ran.python.version}",
            next_step="leave out the one that conflicts with it: system-packages",
        )
    return probed


def can_provision(cell: Cell, system: NoPython) -> bool:
    """Whether the target's recipe for installing its Python fits the system of the image."""
    return bool(cell.target.recipe.provision) and system.os == cell.target.os


def _with_python(
    engine: Engine, cell: Cell, base: Base, progress: Progress
) -> tuple[Base, ImageFacts]:
    target = cell.target
    asked = [target.interpreter, f"python{target.python}"]
    probed = probe(engine, cell, base, asked)
    if isinstance(probed, ImageFacts):
        return base, probed
    if can_provision(cell, probed):
        image = derived(engine, cell, base, target.recipe.provision, "provisioned", progress)
        probed = probe(engine, cell, image, asked)
        if isinstance(probed, ImageFacts):
            return image, probed
    elif cell.overridden:
        probed = probe(engine, cell, base, [*asked, "python3"])
        if isinstance(probed, ImageFacts):
            return base, probed
    raise ImageError(
        f"{cell.image} has no Python {target.python}",
        why="the tests need an interpreter in the image",
        next_step="choose another target, or an image that brings its Python",
    )


def builder(
    engine: Engine,
    cell: Cell,
    base: Base,
    ran: ImageFacts,
    progress: Progress,
    *,
    offline: bool = False,
    packages: SystemPackages | None = None,
) -> Base:
    """The image in which source distributions are built: *base* with a compiler.

    It has those of *packages* that are for builds, and those that *base* has.

    An image may name its builder in the label ``pytest-arm64.builder``; without that and without
    a recipe, the image itself has to do.
    """
    packages = packages or SystemPackages()
    named = base.labels.get(f"{LABEL}.builder")
    if named:
        image = get_image(engine, named, cell.architecture, progress, offline=offline)
        probed = probe(engine, cell, image, [ran.python.executable])
        if isinstance(probed, NoPython) or probed.python.version != ran.python.version:
            raise ImageError(f"the builder {named} does not have the Python of {base.reference}")
        if not probed.python.compiled:
            image = _with_bytecode(engine, cell, image, probed, progress)
        return with_system_packages(
            engine, cell, image, packages, (RUN, BUILD), progress, offline=offline
        )
    recipe = cell.target.recipe
    if recipe.builder and ran.os == cell.target.os:
        base = derived(engine, cell, base, recipe.builder, "builder", progress)
    return with_system_packages(engine, cell, base, packages, (BUILD,), progress, offline=offline)


def _with_bytecode(
    engine: Engine, cell: Cell, base: Base, ran: ImageFacts, progress: Progress
) -> Base:
    """*base* with a compiled standard library: under emulation every start pays seconds for it."""
    python = ran.python
    # compileall ends with 1 where any file, such as a test's bad example, does not compile.
    command = f"{python.executable} -m compileall -q -j0 {python.library} >/dev/null 2>&1 || true"
    return derived(engine, cell, base, command, "compiled", progress)


def derived(
    engine: Engine, cell: Cell, base: Base, command: str, kind: str, progress: Progress
) -> Base:
    """*base* after *command* as root with the network, which is run once.

    Raises:
        InstallError: it fails.
    """
    command = command.format(python=cell.target.python)
    tag = f"{LABEL}/{kind}:{cache.digest([base.id, command])[:20]}"
    existing = find_made(engine, tag)
    if existing is not None:
        return existing
    plan = Plan(
        image=base.id,
        platform=cell.platform,
        network="bridge",
        capabilities=PACKAGE_MANAGER_CAPABILITIES,
    )
    with progress.step(f"make the {kind} image") as step, Container(engine, plan) as container:
        finished = container.run(
            ["sh", "-c", command],
            environment=qemu_environment(cell, engine),
            on_line=step.update,
        )
        if finished.code != 0:
            raise InstallError(
                f"the {kind} image could not be made: exit code {finished.code}\n"
                + "\n".join(finished.text.splitlines()[-12:]),
                next_step="check that the container reaches the distribution's packages",
                log=finished.text,
            )
        container.commit(tag, {f"{LABEL}.base": base.id})
    made = find_made(engine, tag)
    assert made is not None
    return made
