"""What the control run says of a difference: noise of x86 itself, or an unstable value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from .policy import Policy
from .verdict import GoldenVerdict, Leaf

CAP = 1e-6
"""Most that noise excuses, as a share of the largest magnitude."""
ORDER = "#order"
"""Ends the path of how far the sorted magnitudes of a value moved."""
ELEMENTS = "#elements"
"""Ends the path of a value with elements that are wrong by themselves on x86 as well."""
AS_FAR = 4
"""A value that moves on x86 may move so many times as far on ARM64, and is not compared then."""
_GROSS = 0.5
"""Share of the largest magnitude by which no reordering changes sorted magnitudes."""
COMPARABLE = (
    'x86 itself computes another value here with narrower SIMD: sort it, or check with order="any" '
    'or sign="any"; fix a seed; or choose rtol/atol'
)


def noise_of(leaves: Iterable[Leaf]) -> dict[str, float]:
    """What *leaves*, the comparison of a control run with its first run, show of x86 itself.

    By path, the largest scaled distance; of what is not a float, the share of elements that
    differ. Further entries end with ``ORDER`` and ``ELEMENTS``.
    """
    noise = {}
    for leaf in leaves:
        if not leaf.differing:
            continue
        moved = leaf.scaled if leaf.scaled is not None else leaf.differing / max(1, leaf.total)
        if not moved:
            continue
        noise[leaf.path] = moved
        if leaf.together is not None:
            noise[_list_of(leaf)] = leaf.together
        if leaf.reordered is not None:
            path = leaf.path if leaf.together is None else _list_of(leaf)
            noise[path + ORDER] = leaf.reordered
        if leaf.by_themselves:
            noise[leaf.path + ELEMENTS] = 1.0
    return noise


def with_noise(leaf: Leaf, policy: Policy, noise: Mapping[str, float]) -> Leaf:
    """*leaf* in the light of *noise*: never excused beyond it, nor beyond ``CAP``."""
    moved = noise.get(leaf.path)
    if not leaf.differing:
        return leaf
    leaf = replace(leaf, noise=moved)
    if leaf.verdict is GoldenVerdict.FLOAT and policy.default:
        if _excused(leaf, noise):
            return replace(leaf, verdict=GoldenVerdict.DISPATCH, ok=True)
        if _moves_alike(leaf, noise):
            return replace(leaf, verdict=GoldenVerdict.UNSTABLE, ok=True, hints=(COMPARABLE,))
    elif leaf.verdict is GoldenVerdict.WITHIN and None not in (leaf.scaled, moved):
        explained = leaf.ok and (leaf.scaled or 0.0) <= (moved or 0.0)
        return replace(leaf, verdict=GoldenVerdict.DISPATCH) if explained else leaf
    return leaf


def _excused(leaf: Leaf, noise: Mapping[str, float]) -> bool:
    moved = noise.get(leaf.path, 0.0)
    alike = not leaf.by_themselves or leaf.path + ELEMENTS in noise
    return leaf.scaled is not None and leaf.scaled <= moved <= CAP and alike


def _moves_alike(leaf: Leaf, noise: Mapping[str, float]) -> bool:
    """Whether x86 itself moves so far that comparing says nothing.

    What x86 keeps in any order has to be kept: zeros in place of eigenvalues are no other order.
    """
    path, far = leaf.path, leaf.scaled
    if leaf.together is not None:
        path, far = _list_of(leaf), leaf.together
    moved = noise.get(path, 0.0)
    if far is None or leaf.reordered is None or moved <= CAP or far > AS_FAR * moved:
        return False
    return leaf.reordered <= max(CAP, min(AS_FAR * noise.get(path + ORDER, moved), _GROSS))


def _list_of(leaf: Leaf) -> str:
    """Path of the list that *leaf* is a member of."""
    return leaf.path.rpartition("[")[0]
