"""A case: what is computed, why it may differ on ARM64, who says so, and what is expected."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

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
