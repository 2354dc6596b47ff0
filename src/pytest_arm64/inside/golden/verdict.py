"""Verdict classes of a comparison, from harmless to worst, and what one leaf of a value shows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class GoldenVerdict(Enum):
    """How a value stands to its golden; the order is from harmless to worst."""

    IDENTICAL = "identical"
    SIGN = "nan/zero sign only"
    WITHIN = "within policy"
    DISPATCH = "dispatch noise"
    TIES = "tie order"
    IMAGE = "image level"
    UNSTABLE = "unstable on x86 itself"
    FLOAT = "beyond policy"
    DECISION = "decision flipped"
    OTHER = "value differs"
    INTEGER = "integer/cast"
    NON_FINITE = "non-finite appeared"
    SHAPE = "dtype/shape"
    OUTCOME = "exception or signal changed"
    MISSING = "golden missing"
    UNREADABLE = "golden unreadable"

    @property
    def rank(self) -> int:
        """Position in the order of badness."""
        return _ORDER.index(self)


_ORDER = tuple(GoldenVerdict)


@dataclass(frozen=True)
class DifferingElement:
    """One element that differs: where, and both sides as they are shown."""

    index: str
    golden: str
    here: str
    golden_bits: str = ""
    here_bits: str = ""


@dataclass(frozen=True)
class Leaf:
    """What one leaf of a compared value has come to."""

    path: str
    """Where in the value, ``[2].score``; empty for the value itself."""
    verdict: GoldenVerdict
    ok: bool = True
    """Whether the policy accepts it."""
    what: str = ""
    """One sentence, where there is something to tell."""
    differing: int = 0
    total: int = 1
    ulp: int | None = None
    """Largest distance in units in the last place."""
    scaled: float | None = None
    """Largest ``|x−y|`` over the norm, ``max(max|x|, max|y|)``."""
    samples: tuple[DifferingElement, ...] = ()
    hints: tuple[str, ...] = ()
    reordered: float | None = None
    """Largest distance of the sorted magnitudes over the norm, of floats beyond the policy."""
    together: float | None = None
    """Of a member of a list of floats beyond the policy: largest distance in it over its norm."""
    by_themselves: bool = False
    """Whether only elements fail that the norm would hide."""
    noise: float | None = None
    """Largest scaled distance that x86 itself showed in the control run; None where it did not."""


@dataclass(frozen=True)
class Comparison:
    """One value against its golden."""

    name: str
    leaves: tuple[Leaf, ...]
    versions: tuple[str, ...] = ()
    """Packages whose version is another than the golden's, in words."""
    note: str = ""
    pictures: tuple[str, ...] = ()
    """Names of the files that show it."""

    @property
    def ok(self) -> bool:
        return all(leaf.ok for leaf in self.leaves)

    @property
    def verdict(self) -> GoldenVerdict:
        """The worst of the leaves that fail, else the worst of all."""
        leaves = [leaf for leaf in self.leaves if not leaf.ok] or list(self.leaves)
        return max((leaf.verdict for leaf in leaves), key=lambda v: v.rank, default=_ORDER[0])

    @property
    def label(self) -> str:
        """The class to count it under: another version is no finding of the architecture."""
        return "version changed" if self.versions and not self.ok else self.verdict.value

    def to_json(self) -> dict[str, object]:
        """What a report carries of it."""
        ulps = [leaf.ulp for leaf in self.leaves if leaf.ulp is not None]
        return {
            "name": self.name,
            "class": self.label,
            "verdict": self.verdict.value,
            "ok": self.ok,
            "ulp": max(ulps, default=None),
        }
