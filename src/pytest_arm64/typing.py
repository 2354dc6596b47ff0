"""The types of the fixtures and hooks, for annotations in test suites and plugins.

Import them below ``if TYPE_CHECKING:``. In the container this package is not installed, and an
ordinary run would pay for the import.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict

if TYPE_CHECKING:
    from .config.settings import Settings
    from .inside.function.arm_lambda import ArmLambda
    from .inside.function.result import LambdaError, LambdaResult
    from .inside.golden.check import ArmGolden, GoldenMismatchError
    from .inside.matrix_rows import Rows as ArmMatrix
    from .inside.measure.measurer import ArmMeasure, Measurement
    from .inside.measure.memory import Memory
    from .inside.measure.ratio import Ratio
    from .inside.measure.summary import Summary
    from .inside.ran import Ran
    from .mirror.transport import Transport
    from .run.cells import PlannedCell
    from .run.place import Place
    from .run.unseen_session import CellResult, SilentCell

__all__ = [
    "ArmAbi",
    "ArmGolden",
    "ArmInstall",
    "ArmLambda",
    "ArmMatrix",
    "ArmMeasure",
    "ArmTarget",
    "CellResult",
    "GoldenMismatchError",
    "LambdaError",
    "LambdaResult",
    "Measurement",
    "Memory",
    "Place",
    "PlannedCell",
    "Ran",
    "Ratio",
    "Settings",
    "SilentCell",
    "Summary",
    "Transport",
]

ArmInstall: TypeAlias = Mapping[str, Any]
"""Of the fixture ``arm64_install``: the JSON of the install record."""
ArmAbi: TypeAlias = Mapping[str, Any]
"""Of the fixture ``arm64_abi``: the JSON of the ABI record."""


class ArmTarget(TypedDict):
    """Of the fixture ``arm64_target``; read-only. Outside a cell most values are None."""

    target: str | None
    image: str | None
    image_id: str | None
    digest: str | None
    machine: str
    os: str | None
    stand_in: bool | None
    differences: list[str] | None
    python: str
    glibc: str | None
    libstdcxx: str | None
    page_size: int
    core: str | None
    emulated: bool | None
    emulator: str | None
    limits: list[str] | None


if not TYPE_CHECKING:  # type checkers would accept any name of a module with __getattr__
    _MODULES = {
        "ArmGolden": "inside.golden.check",
        "ArmLambda": "inside.function.arm_lambda",
        "ArmMatrix": "inside.matrix_rows",
        "ArmMeasure": "inside.measure.measurer",
        "CellResult": "run.unseen_session",
        "GoldenMismatchError": "inside.golden.check",
        "LambdaError": "inside.function.result",
        "LambdaResult": "inside.function.result",
        "Measurement": "inside.measure.measurer",
        "Memory": "inside.measure.memory",
        "Place": "run.place",
        "PlannedCell": "run.cells",
        "Ran": "inside.ran",
        "Ratio": "inside.measure.ratio",
        "Settings": "config.settings",
        "SilentCell": "run.unseen_session",
        "Summary": "inside.measure.summary",
        "Transport": "mirror.transport",
    }
    _NAMES = {"ArmMatrix": "Rows"}  # where the module has another name for it

    def __getattr__(name):
        """Import *name* when it is used: ``typing.get_type_hints`` needs the class itself."""
        from importlib import import_module

        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module = import_module(f".{_MODULES[name]}", __package__)
        return getattr(module, _NAMES.get(name, name))
