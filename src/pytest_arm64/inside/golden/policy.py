"""The policy of one check: how far a value may be from its golden, and in what sense."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from fractions import Fraction

from ..errors import Arm64Error
from .lazily import Value

# Relative to the two elements, and to the largest element of both arrays. Of 111 outputs of NumPy,
# SciPy, Pillow, OpenCV and scikit-learn that differ bitwise between x86-64 and aarch64 these flag
# the 8 that deserve a look; NumPy's own 1e-7 flags 39, "4 ULP" 56.
DEFAULTS = {2: (4e-3, 1e-3), 4: (1e-5, 2e-6), 8: (1e-12, 1e-13)}


_CHOICES = {"nan_sign": ("any", "strict"), "sign": ("given", "any"), "order": ("given", "any")}


class PolicyError(Arm64Error):
    """A policy says what cannot be meant."""


Comparer = Callable[[Value, Value], object]
"""A function of the user's that compares two values."""


@dataclass(frozen=True)
class Policy:
    """At most one of the float policies is set; without one the default holds, scaled by norm."""

    exact: bool = False
    ulp: int | None = None
    rtol: float | None = None
    atol: float | None = None
    hamming: int | None = None
    """Bits in which two hashes may differ."""
    image_levels: int | None = None
    """Levels by which bytes of an image may differ."""
    ties: Value = None
    """Keys of an index array: indices of equal keys may change places."""
    up_to_sign: bool = False
    """The same as ``sign="any"``."""
    sign: str = "given"
    """``any``: vectors (columns of a matrix) may come out negated, as eigenvectors do."""
    order: str = "given"
    """``any``: elements of a sequence, rows of a matrix, may come in another order."""
    nan_sign: str = "any"
    """``strict``: the sign and payload of a NaN, and the sign of a zero, count."""
    decision: float | None = None
    """Threshold of a score: it may move, but not to the other side."""
    compare: Comparer | None = None
    """``compare(golden, here)``: False or text where it fails, or raises AssertionError."""

    def __post_init__(self) -> None:
        chosen = [name for name in ("exact", "ulp", "compare") if getattr(self, name)]
        if self.ulp == 0:
            chosen.append("ulp")
        if self.rtol is not None or self.atol is not None:
            chosen.append("rtol/atol")
        if len(chosen) > 1:
            raise PolicyError(
                f"{' and '.join(chosen)} exclude each other", next_step="choose one of them"
            )
        for name in ("ulp", "hamming", "image_levels"):
            value = getattr(self, name)
            if value is not None and (
                isinstance(value, bool) or not isinstance(value, int) or value < 0
            ):
                raise PolicyError(f"{name}={value!r} is not a whole number from 0 on")
        for name in ("rtol", "atol"):
            value = getattr(self, name)
            if value is not None and not 0 <= value < math.inf:
                raise PolicyError(f"{name}={value!r} is not a number from 0 on")
        if self.decision is not None and math.isnan(self.decision):
            raise PolicyError("decision=nan divides nothing")
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                listed = " or ".join(map(repr, choices))
                raise PolicyError(f"{name}={getattr(self, name)!r} is not {listed}")
        if self.any_order and self.ties is not None:
            raise PolicyError(
                'ties= and order="any" exclude each other',
                next_step="use ties= for indices, and order= for values",
            )

    @property
    def any_sign(self) -> bool:
        """Whether vectors may come out negated."""
        return self.up_to_sign or self.sign == "any"

    @property
    def any_order(self) -> bool:
        """Whether elements may come in another order."""
        return self.order == "any"

    @property
    def strict(self) -> bool:
        """Whether the signs of NaN and zero count."""
        return self.nan_sign == "strict"

    @property
    def default(self) -> bool:
        """Whether the user said nothing of floats: then the noise of x86 itself is no finding."""
        return not (self.exact or self.ulp is not None or self.toleranced)

    @property
    def toleranced(self) -> bool:
        return self.rtol is not None or self.atol is not None

    def limits(self, itemsize: int) -> tuple[float, float, float]:
        """``(relative, absolute, of the norm)`` for floats of *itemsize* bytes."""
        if self.toleranced:
            return self.rtol or 0.0, self.atol or 0.0, 0.0
        relative, norm = DEFAULTS[itemsize]
        return relative, 0.0, norm

    def accepts(self, x: float, y: float, norm: float, itemsize: int) -> bool:
        """Whether two finite floats of *itemsize* bytes are within the limits, without rounding.

        *norm* is the largest magnitude in what they are part of.
        """
        relative, absolute, of_norm = (Fraction(float(part)) for part in self.limits(itemsize))
        ours, theirs = Fraction(x), Fraction(y)
        larger = max(abs(ours), abs(theirs))
        return abs(ours - theirs) <= relative * larger + absolute + of_norm * Fraction(norm)

    def told(self) -> str:
        """The policy in the words of its arguments."""
        if self.exact:
            text = "exact"
        elif self.ulp is not None:
            text = f"ulp={self.ulp}"
        elif self.toleranced:
            text = f"rtol={self.rtol or 0:g}, atol={self.atol or 0:g}"
        elif self.compare is not None:
            text = f"compare={getattr(self.compare, '__name__', 'own comparer')}"
        else:
            text = "default (scaled by the norm)"
        for name in ("hamming", "image_levels", "decision"):
            if getattr(self, name) is not None:
                text += f", {name}={getattr(self, name)}"
        if self.ties is not None:
            text += ", ties=…"
        return (
            text
            + (", sign=any" if self.any_sign else "")
            + (", order=any" if self.any_order else "")
            + (", nan_sign=strict" if self.strict else "")
        )


def policy_of(arguments: dict[str, Value]) -> Policy:
    """The policy that keyword *arguments* of a check describe.

    Raises:
        PolicyError: an argument does not exist or makes no sense.
    """
    known = [field.name for field in fields(Policy)]
    for name in arguments:
        if name not in known:
            raise PolicyError(
                f"a check has no argument {name!r}", next_step="known: " + ", ".join(known)
            )
    return Policy(**arguments)
