"""The text of a comparison that fails: class, how many, where, how far, what it may come from."""

from __future__ import annotations

from collections.abc import Iterator

from .policy import Policy
from .verdict import Comparison, DifferingElement, Leaf

MOST = 5
"""Leaves that are told of in full."""


def explanation(comparison: Comparison, policy: Policy, golden: str) -> str:
    """What a failing *comparison* shows; *golden* says which golden it was."""
    bad = [leaf for leaf in comparison.leaves if not leaf.ok]
    lines = [f"golden {comparison.name!r}: {comparison.label} (policy: {policy.told()})"]
    for leaf in bad[:MOST]:
        lines += [f"  {line}" for line in _leaf(leaf)]
    if len(bad) > MOST:
        lines.append(f"  … and {len(bad) - MOST} more parts of the value")
    if comparison.versions:
        changed = "; ".join(comparison.versions)
        lines.append(f"  versions: {changed}: not an architecture finding yet")
    if comparison.note:
        lines.append(f"  {comparison.note}")
    lines.append(f"  golden: {golden}")
    return printable("\n".join(lines))


def _leaf(leaf: Leaf) -> Iterator[str]:
    where = f"at {leaf.path}: " if leaf.path else ""
    yield f"{where}{leaf.verdict.value}: {leaf.what or 'the values differ'}"
    if leaf.total > 1:
        yield f"  differing: {leaf.differing} of {leaf.total}"
    if leaf.ulp is not None and leaf.scaled is not None:
        yield f"  worst: {leaf.ulp} ULP, {leaf.scaled:.2g} of the largest magnitude"
    for sample in leaf.samples:
        yield f"  {_sample(sample)}"
    if leaf.noise is not None:
        yield f"  {_noise(leaf, leaf.noise)}"
    for hint in leaf.hints:
        yield f"  hint: {hint}"


def _noise(leaf: Leaf, moved: float) -> str:
    if leaf.scaled is None:
        return f"x86 with narrower SIMD differs from itself in {100 * moved:.0f} % of the elements"
    text = f"x86 with narrower SIMD differs from itself by {moved:.2g} here"
    return f"{text}, less than ARM64 does" if moved < leaf.scaled else text


def _sample(sample: DifferingElement) -> str:
    text = (
        f"{sample.index + ': ' if sample.index else ''}golden {sample.golden}, here {sample.here}"
    )
    if sample.golden_bits:
        text += f"   bits {sample.golden_bits} / {sample.here_bits}"
    return text


def printable(text: str) -> str:
    """*text* with control characters written out; values may hold anything."""
    return "".join(
        c if c == "\n" or c.isprintable() else c.encode("unicode_escape").decode() for c in text
    )
