"""Whether tests run on one more core, because a deployed package has code for it, and which."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..config.settings import Settings
from ..environment.tree import HOME
from ..inside.frames import EVERYTHING
from ..inside.options import CORES
from ..report.matrix_output import printable
from ..wording import first_of
from .cells import PlannedCell, Role

if TYPE_CHECKING:
    from ..binary.cores import CoreCode
    from .place import Place

_TESTS = "tests/"
"""Below the environment's folder: packages of the tests, which are not deployed."""
_SHOWN = 3


@dataclass(frozen=True)
class CoreChoice:
    """What is added to the cells that the settings name."""

    lines: tuple[str, ...] = ()
    """For the header."""
    further: PlannedCell | None = None
    """The cell of one more core, for tests that reach *code*."""
    code: CoreCode | None = None


def core_choice(settings: Settings, planned: PlannedCell, place: Place) -> CoreChoice:
    """Whether tests that run at *place*, which was opened for *planned*, also run on another core.

    Where *settings* do not ask for it, a line says that there is such code.
    """
    if planned.cell.architecture != "arm64":
        return CoreChoice()
    if not place.ran.emulated:
        line = f"{_AUTO}: {place.ran.core or 'this machine'} is native: its core cannot be chosen"
        return CoreChoice((line,) if settings.cores_by_code and settings.cores_named else ())
    code = _code(place)
    if not settings.cores_by_code:
        default = settings.cores == CORES[:1]
        return CoreChoice((_hint(code),) if code is not None and default else ())
    if code is None:
        line = f"{_AUTO}: {_nothing(place)}: one core"
        return CoreChoice((line,) if settings.cores_named else ())
    cell = replace(planned.cell, core=code.core)
    further = replace(planned, cell=cell, role=Role.FURTHER)
    return CoreChoice((_reason(code),), further, code)


def reaching(
    code: CoreCode, mapped: Collection[str], reached: Mapping[str, Collection[str]], file: str
) -> bool:
    """Whether tests of *file* may have run into *code*.

    Args:
        code: of the deployed packages.
        mapped: absolute paths of the libraries that the processes of the tests had loaded.
        reached: by test file, the packages that it can reach; a file that is missing reaches all.
        file: the part of a node id before ``::``.
    """
    packages = set(reached.get(file, (EVERYTHING,)))
    if EVERYTHING in packages:
        return True
    return any(
        (EVERYTHING in modules or packages & set(modules))
        and not {f"{HOME}/{path}", f"/{path}", path}.isdisjoint(mapped)
        for path, modules in code.files.items()
    )


_AUTO = "arm64: --arm64-cpu auto"


def _code(place: Place) -> CoreCode | None:
    from ..binary.cores import core_code

    return core_code(place.abi, _TESTS) if place.abi is not None else None


def _nothing(place: Place) -> str:
    if place.abi is None:
        return "the compiled files of this place were not read"
    return "no code was seen that graviton2 does not run"


def _reason(code: CoreCode) -> str:
    return (
        f"arm64: {_packages(code)} with code that graviton2 never runs "
        f"({', '.join(code.extensions)}): tests that can reach it and pass run on {code.core} too, "
        f"after the others; to switch this off: --arm64-cpu {CORES[0]}"
    )


def _hint(code: CoreCode) -> str:
    return (
        f"arm64: {_packages(code)} with code that graviton2 never runs "
        f"({', '.join(code.extensions)}); to run the tests on {code.core} too: --arm64-cpu auto"
    )


def _packages(code: CoreCode) -> str:
    return first_of(list(map(printable, code.packages)), _SHOWN)
