"""Cores: what the emulator calls them, and what a native machine says it is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..config.targets import MACHINES

if TYPE_CHECKING:
    from ..config.cell import Cell
    from .endpoint import Engine

QEMU_MODELS = {
    "graviton2": "neoverse-n1",
    "graviton3": "neoverse-v1",
    # Graviton4 is a Neoverse V2 and Graviton5 a V3, which qemu 10 does not have; N2 is the nearest.
    "graviton4": "neoverse-n2",
    "graviton5": "neoverse-n2",
}
"""Emulated core by name. Never qemu's ``max``: it takes kernels that no Graviton would."""

EXTENSIONS = {
    "graviton2": "FP16, LSE, DotProd",
    "graviton3": "SVE, BF16, I8MM, FHM, FCMA, JSCVT, SHA3, SHA512, SM3, SM4, RNG, PAC, FlagM",
    "graviton4": "SVE2, FlagM2, FRINT, BTI, SB",
    "graviton5": "WFxT, AFP",
}
"""Instructions that a core has and its predecessor has not, by the architecture's own names.

From the hardware capabilities of the emulated cores; graviton2's are those beyond ARMv8.0, and
graviton5's those of Armv8.7, which Armv9.2 includes (Arm, architecture reference; not emulated).
"""
_VERSION = re.compile(r"qemu-\w+ version (\d+(?:\.\d+)+)")
# Emulated programs die of SIGSEGV at random, on kernels that spread addresses more widely.
# Sources: tonistiigi/binfmt issue 215 and pull request 243, pypa/cibuildwheel issue 2257,
# numpy pull request 28411, qemu issue 1913; read 2026-11-30.
_UNSOUND, _SOUND = (5, 1), (9, 2, 2)

_PARTS = {
    ("0x41", "0xd0c"): "Neoverse N1 (as Graviton2)",
    ("0x41", "0xd40"): "Neoverse V1 (as Graviton3)",
    ("0x41", "0xd4f"): "Neoverse V2 (as Graviton4)",
    ("0x41", "0xd84"): "Neoverse V3 (as Graviton5)",
    ("0x41", "0xd49"): "Neoverse N2",
}
_APPLE = "0x61"


def qemu_environment(cell: Cell, engine: Engine) -> dict[str, str]:
    """Variables that make qemu be the cell's core; none where the engine's machine runs it.

    They go with each command, never into a container's own environment: that would become part
    of every image that is made of it.
    """
    emulated = MACHINES[cell.architecture] != engine.machine
    return {"QEMU_CPU": QEMU_MODELS[cell.core]} if emulated and cell.architecture == "arm64" else {}


def emulated_name(core: str) -> str:
    """``graviton2`` with the model that stands for it."""
    return f"{core} (qemu {QEMU_MODELS[core]})"


def emulator_version(output: str) -> str:
    """The version in what qemu prints where ``QEMU_VERSION`` is set; empty of anything else."""
    match = _VERSION.search(output)
    return match[1] if match is not None else ""


def emulator_warning(version: str) -> str:
    """What is known against qemu *version*; empty if nothing is."""
    numbers = tuple(map(int, version.split("."))) if version else ()
    if not _UNSOUND <= numbers < _SOUND:
        return ""
    return (
        f"qemu {version} is known to kill programs with SIGSEGV at random: a crash may be the "
        "emulator's; update to 9.2.2 or newer"
    )


def native_name(implementer: str, part: str) -> str:
    """Name of a native core by the identification registers in ``/proc/cpuinfo``."""
    if implementer == _APPLE:
        return "Apple (native ARM, no Neoverse)"
    if (implementer, part) in _PARTS:
        return _PARTS[implementer, part]
    return f"implementer {implementer} part {part}" if implementer else "unnamed"


def lacking(core: str) -> str:
    """What *core* does not have and its successors have, in words."""
    cores = list(EXTENSIONS)
    later = cores[cores.index(core) + 1 :]
    if not later:
        return f"{core} is the newest; no Graviton runs what needs more"
    return f"{core} has no " + "; no ".join(f"{EXTENSIONS[c]} ({c} has)" for c in later)
