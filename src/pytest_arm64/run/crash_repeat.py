"""A crash under emulation is repeated once on another core: the emulator may be what crashed."""

from __future__ import annotations

from collections.abc import Sequence

from ..engine.emulation import QEMU_MODELS
from ..errors import Arm64Error
from ..mirror.deaths import SecondTry
from ..mirror.task import End
from .cells import PlannedCell
from .place import Place
from .unseen_session import SilentCell

SIGNALS = ("SIGSEGV", "SIGABRT")
"""Of which programs die whose emulator is wrong."""


def doubtful(place: Place, planned: PlannedCell, end: End) -> bool:
    """Whether the emulator may be the cause of *end* at *place*, opened for *planned*."""
    return (
        planned.cell.architecture == "arm64" and bool(place.ran.emulated) and end.signal in SIGNALS
    )


def second_core(core: str) -> str:
    """The oldest core that is emulated by another model than *core* is."""
    return next(name for name, model in QEMU_MODELS.items() if model != QEMU_MODELS[core])


def second_try(cell: SilentCell, nodeids: Sequence[str]) -> SecondTry:
    """What became of *nodeids*, tests that killed their process, on another core in *cell*'s place.

    The image is the same, because packages do not depend on the core.
    """
    core = second_core(cell.planned.cell.core)
    try:
        result = cell.run(nodeids, {"QEMU_CPU": QEMU_MODELS[core]})
    except Arm64Error:
        return SecondTry(core)
    outcomes = [result.tests.get(nodeid) for nodeid in nodeids]
    if any(outcome is not None and outcome.died for outcome in outcomes):
        return SecondTry(core, "died")
    if result.problems or not all(outcomes):
        return SecondTry(core)
    bad = any(outcome.bad for outcome in outcomes if outcome is not None)
    return SecondTry(core, "failed" if bad else "passed")
