"""Compares two NumPy arrays of one shape: integers exactly, floats by policy, records by field."""

from __future__ import annotations

from dataclasses import replace

from .decisions import with_decision
from .floats import OWN_SHARE, SHOWN, Floats, compare_arrays, differing_chunks
from .hints import CONDITION, EXACT_RESIZE, hints_for_integers
from .lazily import Array, numpy
from .order import in_any_order, reordered
from .policy import Policy
from .verdict import DifferingElement, GoldenVerdict, Leaf

ILL_CONDITIONED = 1e-9


def compare_array(path: str, golden: Array, here: Array, policy: Policy) -> Leaf:
    """Two arrays of one dtype and shape."""
    np = numpy()
    golden, here = (np.asarray(side) for side in (golden, here))
    if golden.dtype.names:
        return _fields(path, golden, here, policy)
    golden, here = (
        side.astype(side.dtype.newbyteorder("="), copy=False) for side in (golden, here)
    )
    if policy.any_order:
        golden, here = (in_any_order(side, any_sign=policy.any_sign) for side in (golden, here))
    if golden.dtype.kind in "fc":
        return _floats(path, golden, here, policy)
    return _exactly(path, golden, here, policy)


def _fields(path: str, golden: Array, here: Array, policy: Policy) -> Leaf:
    """The worst of the fields' leaves."""
    leaves = [
        compare_array(f"{path}[{name!r}]", golden[name], here[name], policy)
        for name in golden.dtype.names
    ]
    worst = max(leaves, key=lambda leaf: (not leaf.ok, leaf.verdict.rank))
    return replace(worst, differing=sum(leaf.differing for leaf in leaves))


def _floats(path: str, golden: Array, here: Array, policy: Policy) -> Leaf:
    np = numpy()
    if policy.any_sign and not policy.any_order:
        here = _turned(golden, here)
    found = compare_arrays(golden, here, policy)
    positions = dict.fromkeys([*([found.worst] if found.worst >= 0 else []), *found.first])
    samples = tuple(_sample(golden, here, p) for p in list(positions)[:SHOWN])
    leaf = leaf_of_floats(path, found, golden.size, policy, samples)
    if leaf.verdict is GoldenVerdict.FLOAT:
        leaf = replace(leaf, reordered=reordered(golden, here))
        if (leaf.scaled or 0) < ILL_CONDITIONED and not leaf.by_themselves:
            leaf = replace(leaf, hints=(CONDITION,))
    if policy.decision is not None and golden.dtype.kind == "f" and found.differing:
        flipped = (golden >= policy.decision) != (here >= policy.decision)
        pairs = list(zip(golden[flipped].tolist(), here[flipped].tolist()))
        if np.any(flipped):
            leaf = with_decision(leaf, pairs, policy)
    return leaf


def _turned(golden: Array, here: Array) -> Array:
    """*here* with each vector, a column where there are any, turned to the golden's side."""
    np = numpy()
    axis = 0 if golden.ndim > 1 else None
    with np.errstate(all="ignore"):
        side = np.sum(np.conj(golden) * here, axis=axis)
    return here * np.where(np.real(side) < 0, -1, 1).astype(here.dtype)


def _exactly(path: str, golden: Array, here: Array, policy: Policy) -> Leaf:
    np = numpy()
    ours, theirs = (np.ascontiguousarray(side).reshape(-1) for side in (golden, here))
    kind = golden.dtype.kind
    if not ours.size or not ours.dtype.itemsize or not differing_chunks(ours, theirs):
        return Leaf(path, GoldenVerdict.IDENTICAL, total=max(1, golden.size))
    at = np.flatnonzero(ours != theirs)
    if not len(at):  # NaT with other bits, which its type does not tell apart
        at = np.flatnonzero(ours.view("u8") != theirs.view("u8"))
    samples = tuple(_sample(golden, here, int(p)) for p in at[:SHOWN])
    leaf = Leaf(
        path,
        GoldenVerdict.INTEGER if kind in "iu" else GoldenVerdict.OTHER,
        ok=False,
        differing=len(at),
        total=golden.size,
        samples=samples,
    )
    if kind in "iub" and policy.hamming is not None:
        return _by_bits(leaf, ours, theirs, policy.hamming)
    if kind not in "iu":
        return replace(leaf, what=f"{len(at)} of {golden.size} differ")
    largest = _largest(ours[at], theirs[at])
    leaf = replace(leaf, what=f"{len(at)} of {golden.size} integers differ, by {largest} at most")
    if policy.ties is not None and _ties(golden, here, policy.ties):
        return replace(leaf, verdict=GoldenVerdict.TIES, ok=True)
    if golden.dtype == np.dtype("u1"):
        allowed = policy.image_levels
        if allowed is not None and largest <= allowed:
            return replace(leaf, verdict=GoldenVerdict.IMAGE, ok=True)
        if largest <= 1 and golden.ndim >= 2:
            return replace(leaf, verdict=GoldenVerdict.IMAGE, hints=(EXACT_RESIZE,))
    # Nobody keeps indices in fewer bits.
    wide = golden.dtype.itemsize >= 4
    permuted = wide and bool(np.array_equal(np.sort(ours), np.sort(theirs)))
    pairs = list(zip(ours[at[:64]].tolist(), theirs[at[:64]].tolist()))
    return replace(leaf, hints=hints_for_integers(pairs, permuted=permuted, wide=wide))


def _largest(ours: Array, theirs: Array) -> int:
    """Largest distance of integers, which no type of theirs can hold in general."""
    np = numpy()
    if ours.dtype.itemsize < 8:
        return int(np.abs(ours.astype("i8") - theirs.astype("i8")).max())
    low, high = np.minimum(ours, theirs), np.maximum(ours, theirs)
    return int((high.view("u8") - low.view("u8")).max())


def _by_bits(leaf: Leaf, ours: Array, theirs: Array, allowed: int) -> Leaf:
    np = numpy()
    if ours.dtype.kind == "b":
        bits = int((ours != theirs).sum())
    else:
        bits = int(np.unpackbits((ours ^ theirs).view("u1")).sum())
    margin = allowed - bits
    what = f"{bits} bits differ, {allowed} are allowed (margin {margin})"
    if margin < 0:
        return replace(leaf, verdict=GoldenVerdict.INTEGER, what=what)
    return replace(leaf, verdict=GoldenVerdict.WITHIN, ok=True, what=what)


def _ties(golden: Array, here: Array, keys: Array) -> bool:
    """Whether two index arrays hold the same indices and gather the same keys."""
    np = numpy()
    keys = np.asarray(keys)
    try:
        if golden.ndim > 1 and keys.ndim == golden.ndim:
            gathered = [np.take_along_axis(keys, side, axis=-1) for side in (golden, here)]
        else:
            gathered = [keys[side] for side in (golden, here)]
        same = np.array_equal(np.sort(golden, axis=-1), np.sort(here, axis=-1))
        return bool(same and np.array_equal(gathered[0], gathered[1]))
    except (IndexError, ValueError):
        return False


def _sample(golden: Array, here: Array, position: int) -> DifferingElement:
    np = numpy()
    index = np.unravel_index(position, golden.shape) if golden.ndim else ()
    ours, theirs = golden[index], here[index]
    bits = [
        side.tobytes()[::-1].hex() if golden.dtype.kind in "fc" else "" for side in (ours, theirs)
    ]
    where = f"[{', '.join(str(int(i)) for i in index)}]" if index else ""
    return DifferingElement(where, repr(ours.item()), repr(theirs.item()), bits[0], bits[1])


def leaf_of_floats(
    path: str, found: Floats, total: int, policy: Policy, samples: tuple[DifferingElement, ...]
) -> Leaf:
    """The leaf that a comparison of floats comes to."""
    if not found.differing:
        return Leaf(path, GoldenVerdict.IDENTICAL, total=total)
    verdict, ok, what = GoldenVerdict.WITHIN, True, ""
    if found.non_finite:
        verdict, ok = GoldenVerdict.NON_FINITE, False
        what = f"{found.non_finite} of {total} are infinite or NaN on one side only"
    elif found.outside:
        verdict, ok = GoldenVerdict.FLOAT, False
        what = f"{found.outside} of {total} are beyond the policy"
        if total > 1 and found.wrong:
            what = (f"{what}; " if not found.by_themselves else "") + _wrong(found.wrong)
    elif found.signs == found.differing:
        verdict, ok = GoldenVerdict.SIGN, not policy.strict
        what = f"{found.signs} of {total} differ in the sign of zero or the bits of a NaN"
    elif found.signs and policy.strict:
        verdict, ok = GoldenVerdict.SIGN, False
        what = f"{found.signs} of {total} differ in the sign of zero or the bits of a NaN"
    return Leaf(
        path,
        verdict,
        ok=ok,
        what=what,
        differing=found.differing,
        total=total,
        ulp=found.ulp,
        scaled=found.scaled,
        samples=samples,
        by_themselves=found.by_themselves,
    )


def _wrong(count: int) -> str:
    elements = "1 element differs" if count == 1 else f"{count} elements differ"
    own = "itself" if count == 1 else "themselves"
    return f"{elements} by more than {OWN_SHARE:.0%} of {own}".replace("%", " %")
