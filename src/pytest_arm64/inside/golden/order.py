"""Canonical order: values whose order means nothing, as eigenvalues and cluster centres."""

from __future__ import annotations

import cmath
import json
import math
from collections.abc import Mapping

from .lazily import Array, numpy
from .values import Node, float_of

NUMBERS = ("float", "complex")
Number = complex  # a float is one


def in_any_order(x: Array, *, any_sign: bool = False) -> Array:
    """The elements of *x*, or of several dimensions its rows, in canonical order.

    Floats that are nearly equal do not decide between rows: the next column does.

    Args:
        any_sign: each row, or element, is first turned so that its largest part is positive.
    """
    np = numpy()
    if not x.ndim or not x.size or x.dtype.kind not in "biufc":
        return np.sort(x, axis=0) if x.ndim == 1 and not x.dtype.hasobject else x
    rows = x.reshape(len(x), -1)
    if any_sign and x.dtype.kind in "ifc":
        largest = np.take_along_axis(rows, np.abs(rows).argmax(axis=1)[:, None], axis=1)
        rows = np.where(np.real(largest) < 0, -rows, rows)
    columns = np.stack([rows.real, rows.imag], axis=2) if x.dtype.kind == "c" else rows
    columns = columns.reshape(len(x), -1)
    return rows[_positions(columns)].reshape(x.shape)


def _positions(columns: Array) -> Array:
    np = numpy()
    if columns.shape[1] == 1:
        return np.argsort(columns[:, 0], kind="stable")
    if columns.dtype.kind != "f":
        return np.lexsort(columns.T[::-1])
    near = float(np.finfo(columns.dtype).eps) ** 0.5
    magnitudes = np.abs(columns[np.isfinite(columns)])
    near *= float(magnitudes.max()) if magnitudes.size else 0.0
    groups = [np.arange(len(columns))]
    for column in columns.T:
        groups = [part for group in groups for part in _split(group, column, near)]
        if len(groups) == len(columns):
            break
    return np.concatenate(groups)


def _split(group: Array, column: Array, near: float) -> list[Array]:
    """*group* ordered by *column*, cut where neighbours are farther apart than *near*."""
    np = numpy()
    if len(group) == 1:
        return [group]
    group = group[np.argsort(column[group], kind="stable")]
    with np.errstate(invalid="ignore"):
        apart = ~(np.diff(column[group]) <= near)
    return list(np.split(group, np.flatnonzero(apart) + 1))


def reordered(x: Array, y: Array) -> float | None:
    """Largest distance of the sorted magnitudes of two float arrays, over the norm.

    None where either has elements that are not finite.
    """
    np = numpy()
    with np.errstate(all="ignore"):
        ours, theirs = (np.sort(np.abs(side), axis=None).astype("f8") for side in (x, y))
        norm = max(float(ours[-1]), float(theirs[-1])) if ours.size else 0.0
        if not math.isfinite(norm):
            return None
        return float(np.abs(ours - theirs).max()) / norm if norm else 0.0


def reordered_numbers(x: list[Number], y: list[Number]) -> float | None:
    """As ``reordered``, of two lists of numbers, in plain Python."""
    try:
        ours, theirs = (sorted(map(abs, side)) for side in (x, y))
    except OverflowError:
        return None
    return farthest([*ours], [*theirs])


def farthest(x: list[Number], y: list[Number]) -> float | None:
    """Largest distance of two lists of numbers over the norm; None where one is not finite."""
    try:
        norm = max(map(abs, (*x, *y)), default=0.0)
        distance = max((abs(a - b) for a, b in zip(x, y)), default=0.0)
    except OverflowError:
        return None
    if not math.isfinite(norm) or any(map(cmath.isnan, (*x, *y))):
        return None
    return distance / norm if norm else 0.0


def number_of(node: Node) -> Number:
    """The float or complex number that *node* holds."""
    if node["k"] == "complex":
        return complex(*map(float_of, node["v"]))
    return float_of(node["v"])


def sorted_nodes(nodes: list[Node], blobs: Mapping[str, Array]) -> list[Node]:
    """Members of a list in canonical order: numbers by size, all else by its text."""
    numbers = [_any_number(node, blobs) for node in nodes]
    sizes = [_size(number) for number in numbers if number is not None]
    if len(sizes) == len(nodes):
        return [nodes[at] for at in sorted(range(len(nodes)), key=sizes.__getitem__)]
    return sorted(nodes, key=lambda node: json.dumps(node, sort_keys=True))


def _any_number(node: Node, blobs: Mapping[str, Array]) -> Number | None:
    """The number that *node* holds, of Python or NumPy; None if it holds none."""
    if node["k"] == "int":
        return int(node["v"], 16)
    if node["k"] in NUMBERS:
        return number_of(node)
    blob = blobs[node["blob"]] if node["k"] == "scalar" else None
    return blob.item() if blob is not None and blob.dtype.kind in "fciu" else None


def _size(number: Number) -> tuple[bool, float, float]:
    real, imaginary = (number.real, number.imag)
    return (math.isnan(real), 0.0 if math.isnan(real) else real, imaginary)
