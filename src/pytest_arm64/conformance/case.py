"""A case: what is computed, why it may differ on ARM64, who says so, and what is expected."""

from __future__ import annotations

import importlib
import importlib.util
import math
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

# Verdict classes, as golden.verdict names them.
IDENTICAL = "identical"
SIGN = "nan/zero sign only"
WITHIN = "within policy"
DISPATCH = "dispatch noise"
TIES = "tie order"
IMAGE = "image level"
FLOAT = "beyond policy"
INTEGER = "integer/cast"
OUTCOME = "exception or signal changed"

UNDEFINED_CAST = (
    "C17 6.3.1.4: converting a float that does not fit is undefined; x86's CVTTSS2SI gives the "
    "integer indefinite value (Intel SDM), ARM's FCVTZS saturates (Arm ARM)"
)
SIMD_MATH = "SIMD approximations of 1 to 4 ULP, chosen by processor (NumPy, NEP 38 and 54)"
SUMMATION = "order of summation and fused multiply-add differ by kernel (OpenBLAS, DYNAMIC_ARCH)"
NAN_SIGN = "x86's default NaN is negative (Intel SDM 4.8.3.7), ARM's positive (Arm ARM, DefaultNaN)"
EXACT_BY_DESIGN = "integer or correctly rounded arithmetic: the same everywhere by construction"


@dataclass(frozen=True)
class Case:
    """One computation that is compared between x86-64 and aarch64."""

    name: str
    compute: Callable[[], Any]
    cause: str
    """Why the architectures may differ, or why it is feared that they do."""
    reference: str
    """Who says so: a standard, a manual, a document of the library."""
    expect: str = IDENTICAL
    """The worst verdict class that is known and understood; a milder one is no finding."""
    policy: Mapping[str, Any] = field(default_factory=dict)
    call: bool = False
    """Whether an exception and warnings are part of what is compared."""
    library: str = "Python"
    """Whose case it is: a key of ``LIBRARIES``."""


LIBRARIES = {
    "Python": "sys",
    "C": "ctypes",
    "NumPy": "numpy",
    "SciPy": "scipy",
    "scikit-learn": "sklearn",
    "pandas": "pandas",
    "polars": "polars",
    "PyArrow": "pyarrow",
    "Pillow": "PIL",
    "OpenCV": "cv2",
    "ImageHash": "imagehash",
    "ONNX Runtime": "onnxruntime",
    "FAISS": "faiss",
    "usearch": "usearch",
    "regex": "regex",
    "zstandard": "zstandard",
    "LZ4": "lz4",
    "xxhash": "xxhash",
}
"""Module by library; Python and C are always there."""


def cases(library: str, *listed: Case) -> list[Case]:
    """*listed*, as cases of *library*."""
    return [replace(case, library=library) for case in listed]


def deployed(library: str) -> bool:
    """Whether the module of *library* can be found; it is not imported."""
    return importlib.util.find_spec(LIBRARIES[library]) is not None


def version_of(library: str) -> str:
    """Version of a deployed *library*; empty where it says none, or cannot be imported."""
    if library == "Python":
        return platform.python_version()
    try:
        module = importlib.import_module(LIBRARIES[library])
    except Exception:  # noqa: BLE001  (a library may raise anything; its cases say what)
        return ""
    version = getattr(module, "__version__", getattr(module, "VERSION", ""))
    return version if isinstance(version, str) and library != "C" else ""


class Lazily:
    """A module that is imported by the case that uses it, so that each case stands alone.

    pytest looks at attributes of whatever a test module has; names that modules of libraries do
    not have are answered without importing anything.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        if name.startswith(("_", "pytest")):
            raise AttributeError(name)
        try:
            module = importlib.import_module(self._name)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{self._name}.".startswith(f"{error.name}."):
                raise
            pytest.skip(f"{error.name} is not deployed")
        return getattr(module, name)


def numbers(*shape: int, dtype: str = "f8", over: int = 129) -> Any:
    """The same numbers everywhere: integers and one division, correctly rounded."""
    np = importlib.import_module("numpy")
    values = (np.arange(math.prod(shape), dtype="i8") * 7919 % 2003 - 1001) / over
    return values.reshape(shape).astype(dtype)
