"""``--arm64-cpu auto``: whether the tests run on one more core, and why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..config.settings import Settings
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
    """The cell of one more core."""


def core_choice(settings: Settings, planned: PlannedCell, place: Place) -> CoreChoice:
    """Whether tests that run at *place*, which was opened for *planned*, run on one more core.

    The whole suite does, because which tests reach a library's code for one core is not known
    before they run. Where *settings* do not ask for it, a line says that there is such code.
    """
    if planned.cell.architecture != "arm64":
        return CoreChoice()
    if not place.ran.emulated:
        line = f"{_AUTO}: {place.ran.core or 'this machine'} is native: its core cannot be chosen"
        return CoreChoice((line,) if settings.cores_by_code else ())
    code = _code(place)
    if not settings.cores_by_code:
        default = settings.cores == CORES[:1]
        return CoreChoice((_hint(code),) if code is not None and default else ())
    if code is None:
        return CoreChoice((f"{_AUTO}: {_nothing(place)}: one core",))
    cell = replace(planned.cell, core=code.core)
    return CoreChoice((_reason(code),), replace(planned, cell=cell, role=Role.FURTHER))


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
        f"{_AUTO}: {_packages(code)} with code that graviton2 never runs "
        f"({', '.join(code.extensions)}): all tests also run on {code.core}, because it is not "
        "known which of them reach it; this takes about as long again"
    )


def _hint(code: CoreCode) -> str:
    return (
        f"arm64: {_packages(code)} with code that graviton2 never runs "
        f"({', '.join(code.extensions)}); to run the tests on {code.core} too: --arm64-cpu auto"
    )


def _packages(code: CoreCode) -> str:
    return first_of(list(map(printable, code.packages)), _SHOWN)
