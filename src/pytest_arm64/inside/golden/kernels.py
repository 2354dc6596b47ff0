"""Which OpenBLAS kernels belong to which core: others are slower at best, and wrong at worst."""

from __future__ import annotations

from collections.abc import Iterable

# Right on every core, and all that a library built without DYNAMIC_ARCH has, as OpenCV's wheels do.
_GENERIC = frozenset({"ARMV8"})
# OpenBLAS, driver/others/dynamic_arm64.c: what it picks by the processor's part number;
# Neoverse V2 gets those of N2 where a version has none of its own.
_KERNELS = {
    "graviton2": frozenset({"NEOVERSEN1"}),
    "graviton3": frozenset({"NEOVERSEV1"}),
    "graviton4": frozenset({"NEOVERSEN2", "NEOVERSEV2"}),
    "graviton5": frozenset({"NEOVERSEN2", "NEOVERSEV2"}),
}


def known_core(core: object) -> str | None:
    """The name of a core whose kernels are known; *core* as the facts of a cell tell it."""
    name = str(core or "").partition(" ")[0]
    return name if name in _KERNELS else None


def wrongly_picked(core: object, picked: Iterable[str]) -> str:
    """What to tell of kernels that were *picked* and belong to another core; else empty."""
    name = known_core(core)
    if name is None:
        return ""
    wrong = sorted({kernel.upper() for kernel in picked} - _KERNELS[name] - _GENERIC)
    if not wrong:
        return ""
    own = " or ".join(sorted(_KERNELS[name]))
    return (
        f"OpenBLAS picked the kernels of {', '.join(wrong)} on {name}, whose own are {own}: "
        "is its version older than the core, or OPENBLAS_CORETYPE set?"
    )
