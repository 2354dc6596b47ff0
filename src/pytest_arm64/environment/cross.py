"""A builder whose compiler is a program of the engine's own machine: it compiles at its speed.

Under emulation a build spends most of its time in the compiler. The kernel runs a program of its
own machine in any container, so that a cross compiler takes the place of the builder's own, where
both are of the same version and give the same files. Everything else stays as it is: Python, the
build back end, headers and libraries of the target, and what a build runs to look around.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import resources

from .. import cache
from ..config.cell import Cell
from ..engine.container import Container
from ..engine.container_plan import Plan
from ..engine.emulation import qemu_environment
from ..engine.endpoint import LABEL, Engine
from ..engine.images import Base, find_made, get_image
from ..errors import Arm64Error, InstallError
from ..progress import Progress
from .provision import derived
from .tree import HOME, TarEntry, tar_of, with_parents

_CROSS = f"{HOME}/cross"
_COMPILER_LABEL = f"{LABEL}.compiler"
_REFUSED = 3
"""Exit code of a script that has its reason in its last line."""
_MOST_BYTES = 2**30
"""Of the compiler with its libraries."""


@dataclass(frozen=True)
class CrossBuilder:
    """A builder in which a cross compiler is first on ``PATH``."""

    image: Base
    compiler: str
    """``gcc 12.2.0``."""


class NoCrossCompilerError(Exception):
    """There is no cross compiler for a builder; the text says why."""


def cross_builder(
    engine: Engine, cell: Cell, builder: Base, image: str, progress: Progress, *, offline: bool
) -> CrossBuilder:
    """*builder* with a cross compiler, from the amd64 *image* or the target's distribution.

    Raises:
        NoCrossCompilerError: no cross compiler fits it.
    """
    if engine.machine != "x86_64" or cell.architecture != "arm64":
        raise NoCrossCompilerError(f"no compiler is emulated on {engine.machine}")
    recipe = cell.target.recipe.cross
    if not (image or recipe):
        raise NoCrossCompilerError(
            f"no package of a cross compiler is known for {cell.target.name}; "
            "name an amd64 image that has one: PYTEST_ARM64_CROSS_IMAGE"
        )
    scripts = [_script("cross_tools.sh"), _script("cross_builder.sh")]
    tag = f"{LABEL}/cross-builder:{cache.digest([builder.id, image or recipe, *scripts])[:20]}"
    made = find_made(engine, tag)
    if made is None:
        try:
            tools = _tools(engine, cell, image, progress, offline=offline)
            _make(engine, cell, builder, tools, tag, progress)
        except Arm64Error as error:
            raise NoCrossCompilerError(str(error.what)) from None
        made = find_made(engine, tag)
        assert made is not None
    return CrossBuilder(made, made.labels[_COMPILER_LABEL])


def _tools(engine: Engine, cell: Cell, image: str, progress: Progress, *, offline: bool) -> Base:
    """An amd64 image with a cross compiler: *image*, or the cell's with one that is installed."""
    if image:
        return get_image(engine, image, "amd64", progress, offline=offline)
    own = replace(cell, architecture="amd64")
    base = get_image(engine, cell.image, own.architecture, progress, offline=offline)
    return derived(engine, own, base, cell.target.recipe.cross, "cross", progress)


def _make(
    engine: Engine, cell: Cell, builder: Base, tools: Base, tag: str, progress: Progress
) -> None:
    """Commit *builder* with the programs of *tools* as *tag*.

    Raises:
        InstallError: there is no compiler in *tools*, or it is not the builder's own.
    """
    with progress.step("make the cross builder") as step:
        step.update(f"taking the compiler from {tools.reference}")
        with Container(engine, Plan(image=tools.id, platform="linux/amd64")) as container:
            _run(container, "cross_tools.sh", {})
            files = container.fetch(_CROSS, _MOST_BYTES)
        with files, Container(engine, Plan(image=builder.id, platform=cell.platform)) as container:
            container.put("/", tar_of(with_parents({HOME: TarEntry(mode=0o755)})))
            container.put(HOME, files)
            step.update("comparing both compilers")
            compiler = _run(container, "cross_builder.sh", qemu_environment(cell, engine))
            container.commit(tag, {f"{LABEL}.base": builder.id, _COMPILER_LABEL: compiler})


def _run(container: Container, script: str, variables: Mapping[str, str]) -> str:
    """The last line that *script* prints."""
    finished = container.run(["sh", "-c", _script(script)], environment=variables)
    lines = finished.text.strip().splitlines() or [""]
    if finished.code != 0:
        refused = finished.code == _REFUSED
        what = "" if refused else f"{script} failed with exit code {finished.code}: "
        raise InstallError(f"{what}{lines[-1]}", log=finished.text)
    return lines[-1]


def _script(name: str) -> str:
    return resources.files("pytest_arm64.environment").joinpath(name).read_text("utf-8")
