"""What this machine has for `pytest --arm64`, checked one by one, each with a next step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .cell import Cell, Ran
from .engine.endpoint import Engine, open_engine
from .engine.images import find_image
from .engine.probe import NoPython, probe
from .errors import Arm64Error
from .targets import MACHINES

if TYPE_CHECKING:
    from .settings import Settings

OK, WARNING, FAILED = "ok", "warning", "failed"


@dataclass(frozen=True)
class Check:
    """One question and its answer."""

    name: str
    state: str
    detail: str
    next_step: str = ""


def examine(settings: Settings) -> Iterator[Check]:
    """All checks in the order in which a run needs them; ends where nothing more can be told."""
    try:
        with open_engine() as engine:
            yield Check("engine", OK, f"version {engine.version}, machine {engine.machine}")
            yield from _image(engine, settings)
    except Arm64Error as error:
        yield _failed("engine", error)


def _image(engine: Engine, settings: Settings) -> Iterator[Check]:
    target = settings.target
    reference = (settings.image or target.reference).replace("{arch}", "arm64")
    cell = Cell(target, "arm64", settings.core, reference)
    base = find_image(engine, reference)
    if base is None:
        yield Check(
            "image",
            WARNING,
            f"{reference} is not here yet; the first run pulls it",
            f"docker pull --platform linux/arm64 {reference}",
        )
        return
    yield Check("image", OK, f"{reference}, {base.architecture}")
    yield _attempt(
        "execution",
        lambda: _execution(
            engine,
            cell,
            probe(engine, cell, base, [target.interpreter, f"python{target.python}", "python3"]),
        ),
    )


def _execution(engine: Engine, cell: Cell, found: Ran | NoPython) -> Check:
    if isinstance(found, NoPython):
        return Check("execution", OK, f"{found.os} runs; Python is installed by the first run")
    how = "native" if found.native else f"emulated on {engine.machine}"
    detail = (
        f"{MACHINES[cell.architecture]} {how}, core {found.core}, Python {found.python.version}"
    )
    differences = found.differences(cell.target)
    if differences:
        return Check("execution", WARNING, f"{detail}; not as asked: {'; '.join(differences)}")
    return Check("execution", OK, detail)


def _attempt(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except Arm64Error as error:
        return _failed(name, error)


def _failed(name: str, error: Arm64Error) -> Check:
    return Check(name, FAILED, error.what, error.next_step)


def settings_here(folder: Path, *, offline: bool = False) -> Settings:
    """Settings as ``pytest --arm64`` without other options would have them in *folder*."""
    import os
    from types import SimpleNamespace

    from .settings import load_settings

    options = SimpleNamespace(
        arm64_target=None,
        arm64_image=None,
        arm64_cpu=None,
        arm64_requirements=(),
        arm64_refresh=False,
        arm64_offline=offline,
        arm64_require_native=False,
        arm64_installer=None,
        arm64_timeout=None,
    )
    return load_settings(options, os.environ, rootpath=folder, cwd=folder)
