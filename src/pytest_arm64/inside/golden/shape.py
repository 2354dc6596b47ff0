"""Checks trees that come from files, so that nothing foreign reaches the comparer unchecked."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable

from .values import MAXIMUM_DEPTH, Node, float_of

_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
_BLOB = re.compile(r"[a-z0-9-]{1,40}\Z")
_INT = re.compile(r"-?0x[0-9a-f]{1,100000}\Z")


class MalformedError(ValueError):
    """A tree is not what ``values.stored`` makes."""


def check_tree(tree: object, depth: int = 0) -> Node:
    """*tree*, if it is one that ``values.stored`` could have made.

    Raises:
        MalformedError: it is not.
    """
    if not isinstance(tree, dict) or depth > MAXIMUM_DEPTH + 1:
        raise MalformedError("a node is no object, or too deep")
    kind = tree.get("k")
    check = _CHECKS.get(kind) if isinstance(kind, str) else None
    if check is None:
        raise MalformedError(f"unknown kind {str(kind)[:40]!r}")
    try:
        fits = check(tree, depth)
    except (ValueError, TypeError, KeyError) as error:
        raise MalformedError(f"a {kind} is malformed: {error}") from None
    if not fits or not isinstance(tree.get("t", ""), str):
        raise MalformedError(f"a {kind} is malformed")
    return tree


def blobs_of(tree: Node) -> list[Node]:
    """The nodes of *tree* whose value lies in a blob."""
    if "blob" in tree:
        return [tree]
    found = []
    for item in tree["v"] if isinstance(tree.get("v"), list) else ():
        for node in item if isinstance(item, list) else (item,):
            if isinstance(node, dict):
                found += blobs_of(node)
    return found


def _is(kind: type) -> Callable[[Node, int], bool]:
    return lambda tree, _depth: type(tree["v"]) is kind


def _float(tree: Node, _depth: int) -> bool:
    parts = tree["v"] if tree["k"] == "complex" else [tree["v"]]
    for part in parts:
        float_of(part)
    return len(parts) == (2 if tree["k"] == "complex" else 1)


def _list(tree: Node, depth: int) -> bool:
    for item in tree["v"]:
        check_tree(item, depth + 1)
    if tree["k"] != "objects":
        return isinstance(tree["v"], list)
    size = 1
    for length in tree["shape"]:
        size *= length
    return size == len(tree["v"]) and _lengths(tree["shape"])


def _pairs(tree: Node, depth: int) -> bool:
    for key, item in tree["v"]:
        if tree["k"] == "dict":
            check_tree(key, depth + 1)
        elif not isinstance(key, str):
            return False
        check_tree(item, depth + 1)
    return isinstance(tree["v"], list)


def _bytes(tree: Node, _depth: int) -> bool:
    if "blob" in tree:
        return _has_blob(tree) and type(tree["n"]) is int
    return bool(base64.b64decode(tree["v"], validate=True) or tree["v"] == "")


def _array(tree: Node, _depth: int) -> bool:
    dtype = tree["dtype"]
    return _has_blob(tree) and isinstance(dtype, (str, list)) and _lengths(tree["shape"])


def _lengths(shape: object) -> bool:
    return (
        isinstance(shape, list)
        and len(shape) <= 64
        and all(type(n) is int and n >= 0 for n in shape)
    )


def _has_blob(tree: Node) -> bool:
    return bool(_BLOB.match(tree["blob"]) and _DIGEST.match(tree["digest"]))


_CHECKS: dict[str, Callable[[Node, int], bool]] = {
    "none": lambda _tree, _depth: True,
    "bool": _is(bool),
    "int": lambda tree, _depth: bool(_INT.match(tree["v"])),
    "str": _is(str),
    "float": _float,
    "complex": _float,
    "enum": lambda tree, _depth: type(tree["v"]) is str and type(tree["t"]) is str,
    "text": lambda tree, _depth: type(tree["v"]) is str and type(tree["t"]) is str,
    "bytes": _bytes,
    "list": _list,
    "tuple": _list,
    "set": _list,
    "objects": _list,
    "dict": _pairs,
    "record": _pairs,
    "array": _array,
    "scalar": _array,
}
