"""Compares two stored values leaf by leaf: kind, then dtype and shape, integers, floats."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

from .arrays import compare_array, leaf_of_floats
from .decisions import with_decision
from .floats import compare_numbers
from .hints import hints_for_members, hints_for_numbers
from .lazily import Array
from .noise import with_noise
from .order import NUMBERS, farthest, number_of, reordered_numbers, sorted_nodes
from .policy import Comparer, Policy
from .values import CALL, Node, Stored, restored
from .verdict import Comparison, DifferingElement, GoldenVerdict, Leaf


def compare(
    name: str,
    golden: Stored,
    here: Stored,
    policy: Policy,
    *,
    noise: Mapping[str, float] | None = None,
    versions: tuple[str, ...] = (),
) -> Comparison:
    """Compare *here* with *golden* under *policy*.

    Args:
        noise: by path, what the control run showed on x86: see ``noise.noise_of``.
        versions: packages whose version differs, in words.
    """
    if policy.compare is not None:
        leaves = [_by_own_comparer(policy.compare, golden, here)]
    else:
        walk = _Walk(golden.blobs, here.blobs, policy)
        leaves = list(walk.node("", golden.tree, here.tree))
    judged = [with_noise(leaf, policy, noise or {}) for leaf in leaves]
    return Comparison(name, tuple(judged), versions)


def _by_own_comparer(comparer: Comparer, golden: Stored, here: Stored) -> Leaf:
    if golden.text() == here.text():
        return Leaf("", GoldenVerdict.IDENTICAL)
    try:
        said = comparer(restored(golden.tree, golden.blobs), restored(here.tree, here.blobs))
    except AssertionError as error:
        said = str(error) or "the own comparer's assertion failed"
    if said is None or said is True or said == "":
        return Leaf("", GoldenVerdict.WITHIN, differing=1)
    what = said if isinstance(said, str) else "the own comparer says no"
    return Leaf("", GoldenVerdict.OTHER, ok=False, what=what, differing=1)


class _Walk:
    """Both trees at once; yields a leaf for each leaf of the value."""

    def __init__(
        self, golden: Mapping[str, Array], here: Mapping[str, Array], policy: Policy
    ) -> None:
        self._golden = golden
        self._here = here
        self._policy = policy

    def node(self, path: str, x: Node, y: Node) -> Iterator[Leaf]:
        if x["k"] != y["k"] or x.get("t") != y.get("t"):
            yield _other_kind(path, x, y)
            return
        kind = x["k"]
        if kind in ("list", "tuple", "set", "objects"):
            yield from self._sequence(path, x, y)
        elif kind == "dict":
            yield from self._dict(path, x, y)
        elif kind == "record":
            yield from self._record(path, x, y)
        elif kind in ("array", "scalar"):
            yield self._array(path, x, y)
        elif kind == "bytes":
            yield self._bytes(path, x, y)
        else:
            yield self._plain(path, x, y)

    def _sequence(self, path: str, x: Node, y: Node) -> Iterator[Leaf]:
        if x["k"] == "set":
            if x == y:
                yield Leaf(path, GoldenVerdict.IDENTICAL)
                return
            numbers = all(item["k"] in ("float", "complex") for item in (*x["v"], *y["v"]))
            if not numbers:
                yield _differs(path, GoldenVerdict.OTHER, x, y, "the sets hold other elements")
                return
        if len(x["v"]) != len(y["v"]) or x.get("shape") != y.get("shape"):
            what = f"{len(x['v'])} elements in the golden, {len(y['v'])} here"
            yield _differs(path, GoldenVerdict.SHAPE, x, y, what)
            return
        if self._policy.ties is not None and _integers(x) and _integers(y):
            yield self._array_of_integers(path, x, y)
            return
        members, others = x["v"], y["v"]
        if self._policy.any_order or x["k"] == "set":
            members = sorted_nodes(members, self._golden)
            others = sorted_nodes(others, self._here)
        pairs = list(zip(members, others))
        if all(ours["k"] == theirs["k"] == "int" for ours, theirs in pairs):
            yield from self._whole_numbers(path, pairs)
        elif all(ours["k"] == theirs["k"] in NUMBERS for ours, theirs in pairs):
            yield from self._list_of_numbers(path, pairs)
        else:
            for index, (ours, theirs) in enumerate(pairs):
                yield from self.node(f"{path}[{index}]", ours, theirs)

    def _whole_numbers(self, path: str, pairs: list[tuple[Node, Node]]) -> Iterator[Leaf]:
        """Integers one by one, with hints that fit all of them."""
        leaves = [self._plain(f"{path}[{n}]", *pair) for n, pair in enumerate(pairs)]
        sides = [(int(x["v"], 16), int(y["v"], 16)) for x, y in pairs]
        hints = hints_for_members(sides)
        yield from (leaf if leaf.ok else replace(leaf, hints=hints) for leaf in leaves)

    def _list_of_numbers(self, path: str, pairs: list[tuple[Node, Node]]) -> Iterator[Leaf]:
        """Floats one by one: members of a list need not have a scale in common."""
        sides = [(number_of(x), number_of(y)) for x, y in pairs]
        turned = self._policy.any_sign and sum((x.conjugate() * y).real for x, y in sides) < 0
        leaves = []
        for index, (ours, theirs) in enumerate(pairs):
            leaves.append(self._numbers(f"{path}[{index}]", ours, theirs, turned=turned))
        if any(leaf.verdict is GoldenVerdict.FLOAT for leaf in leaves):
            golden, here = [x for x, _ in sides], [y for _, y in sides]
            kept, moved = reordered_numbers(golden, here), farthest(golden, here)
            leaves = [replace(leaf, reordered=kept, together=moved) for leaf in leaves]
        yield from leaves

    def _dict(self, path: str, x: Node, y: Node) -> Iterator[Leaf]:
        ours, theirs = _by_key(x), _by_key(y)
        if ours.keys() != theirs.keys():
            lost = [_shown_key(key) for key in ours.keys() - theirs.keys()]
            new = [_shown_key(key) for key in theirs.keys() - ours.keys()]
            what = f"keys differ: only in the golden {sorted(lost)}, only here {sorted(new)}"
            yield _differs(path, GoldenVerdict.SHAPE, x, y, what)
            return
        for key, item in ours.items():
            yield from self.node(f"{path}[{_shown_key(key)}]", item, theirs[key])

    def _record(self, path: str, x: Node, y: Node) -> Iterator[Leaf]:
        names = [[name for name, _ in side["v"]] for side in (x, y)]
        if names[0] != names[1]:
            what = f"fields {names[0]} in the golden, {names[1]} here"
            yield _differs(path, GoldenVerdict.SHAPE, x, y, what)
            return
        if x["t"] == CALL:
            yield from self._call(path, dict(x["v"]), dict(y["v"]))
            return
        image = x["t"] == "Image"
        for (name, ours), (_, theirs) in zip(x["v"], y["v"]):
            where = f"{path}.{name}" if name.isidentifier() else f"{path}[{name!r}]"
            if image and name == "pixels" and ours["k"] == "bytes":
                yield self._bytes(where, ours, theirs, image=True)
            else:
                yield from self.node(where, ours, theirs)

    def _call(self, path: str, x: Mapping[str, Node], y: Mapping[str, Node]) -> Iterator[Leaf]:
        raised = any(side["outcome"].get("v") != "value" for side in (x, y))
        if raised and (x["outcome"], x["value"]) != (y["outcome"], y["value"]):
            what = (
                f"{x['outcome'].get('v')} in the golden, {y['outcome'].get('v')} here"
                if x["outcome"] != y["outcome"]
                else "another exception"
            )
            yield _differs(path, GoldenVerdict.OUTCOME, x["value"], y["value"], what)
        elif not raised:
            yield from self.node(f"{path}.value", x["value"], y["value"])
        if x["warnings"] != y["warnings"]:
            ours, theirs = (
                {"k": "str", "v": str(restored(side["warnings"], {}))} for side in (x, y)
            )
            yield _differs(f"{path}.warnings", GoldenVerdict.OTHER, ours, theirs, "other warnings")

    def _array(self, path: str, x: Node, y: Node) -> Leaf:
        if _normal(x["dtype"]) != _normal(y["dtype"]) or x["shape"] != y["shape"]:
            what = (
                f"{_dtype(x)} of shape {tuple(x['shape'])} in the golden, "
                f"{_dtype(y)} of shape {tuple(y['shape'])} here"
            )
            return _differs(path, GoldenVerdict.SHAPE, x, y, what)
        if x["digest"] == y["digest"]:
            return Leaf(path, GoldenVerdict.IDENTICAL, total=max(1, math.prod(x["shape"])))
        ours, theirs = self._golden[x["blob"]], self._here[y["blob"]]
        return compare_array(path, ours, theirs, self._policy)

    def _array_of_integers(self, path: str, x: Node, y: Node) -> Leaf:
        from .lazily import numpy

        sides = [numpy().array([int(item["v"], 16) for item in side["v"]]) for side in (x, y)]
        return compare_array(path, sides[0], sides[1], self._policy)

    def _bytes(self, path: str, x: Node, y: Node, *, image: bool = False) -> Leaf:
        ours, theirs = restored(x, self._golden), restored(y, self._here)
        if ours == theirs:
            return Leaf(path, GoldenVerdict.IDENTICAL, total=max(1, len(ours)))
        if len(ours) != len(theirs):
            what = f"{len(ours)} bytes in the golden, {len(theirs)} here"
            return _differs(path, GoldenVerdict.SHAPE, x, y, what)
        if self._policy.hamming is not None and not image:
            bits = bin(int.from_bytes(ours, "big") ^ int.from_bytes(theirs, "big")).count("1")
            return _by_bits(path, bits, ours.hex(), theirs.hex(), self._policy.hamming)
        return _bytewise(path, ours, theirs, self._policy, image=image)

    def _plain(self, path: str, x: Node, y: Node) -> Leaf:
        kind = x["k"]
        if kind in ("float", "complex"):
            turned = self._policy.any_sign and (number_of(x).conjugate() * number_of(y)).real < 0
            return self._numbers(path, x, y, turned=turned)
        if x.get("v") == y.get("v"):
            return Leaf(path, GoldenVerdict.IDENTICAL)
        if kind == "int":
            return self._integers(path, int(x["v"], 16), int(y["v"], 16))
        bits = _hex_distance(x, y) if self._policy.hamming is not None else None
        if bits is not None:
            return _by_bits(path, bits, x["v"], y["v"], self._policy.hamming or 0)
        return _differs(path, GoldenVerdict.OTHER, x, y, "")

    def _integers(self, path: str, ours: int, theirs: int) -> Leaf:
        if self._policy.hamming is not None and min(ours, theirs) >= 0:
            bits = bin(ours ^ theirs).count("1")
            return _by_bits(path, bits, hex(ours), hex(theirs), self._policy.hamming)
        return Leaf(
            path,
            GoldenVerdict.INTEGER,
            ok=False,
            what=f"an integer differs by {abs(ours - theirs)}",
            differing=1,
            samples=(DifferingElement("", str(ours), str(theirs)),),
            hints=hints_for_numbers(ours, theirs),
        )

    def _numbers(self, path: str, x: Node, y: Node, *, turned: bool = False) -> Leaf:
        ours, theirs = number_of(x), number_of(y)
        differences = compare_numbers(ours, -theirs if turned else theirs, self._policy)
        sample = DifferingElement("", repr(ours), repr(theirs), _bits_of(x), _bits_of(y))
        leaf = leaf_of_floats(path, differences, 1, self._policy, (sample,))
        leaf = replace(leaf, hints=leaf.hints + hints_for_numbers(ours, theirs))
        if leaf.verdict is GoldenVerdict.FLOAT:
            leaf = replace(leaf, reordered=reordered_numbers([ours], [theirs]))
        return with_decision(leaf, [(ours, theirs)], self._policy) if _real(ours) else leaf


def _real(value: complex) -> bool:
    return not isinstance(value, complex)


def _integers(node: Node) -> bool:
    return bool(node["v"]) and all(item["k"] == "int" for item in node["v"])


def _bits_of(node: Node) -> str:
    return str(node["v"])


def _hex_distance(x: Node, y: Node) -> int | None:
    if x["k"] != "str" or len(x["v"]) != len(y["v"]):
        return None
    try:
        return bin(int(x["v"], 16) ^ int(y["v"], 16)).count("1")
    except ValueError:
        return None


def _by_bits(path: str, bits: int, ours: str, theirs: str, allowed: int) -> Leaf:
    margin = allowed - bits
    what = f"{bits} bits differ, {allowed} are allowed (margin {margin})"
    ok = margin >= 0
    verdict = GoldenVerdict.WITHIN if ok else GoldenVerdict.INTEGER
    return Leaf(path, verdict, ok, what, differing=1, samples=(DifferingElement("", ours, theirs),))


def _bytewise(path: str, ours: bytes, theirs: bytes, policy: Policy, *, image: bool) -> Leaf:
    at = [index for index, (a, b) in enumerate(zip(ours, theirs)) if a != b]
    levels = max(abs(ours[i] - theirs[i]) for i in at)
    samples = tuple(DifferingElement(f"[{i}]", str(ours[i]), str(theirs[i])) for i in at[:3])
    ok = image and policy.image_levels is not None and levels <= policy.image_levels
    what = f"{len(at)} of {len(ours)} bytes differ, by {levels} at most"
    verdict = GoldenVerdict.INTEGER
    if image and (ok or levels <= 1):
        verdict = GoldenVerdict.IMAGE
    elif not image:
        verdict = GoldenVerdict.OTHER
    hints: tuple[str, ...] = ()
    if image and levels <= 1:
        from .hints import EXACT_RESIZE

        hints = (EXACT_RESIZE,)
    return Leaf(
        path, verdict, ok, what, differing=len(at), total=len(ours), samples=samples, hints=hints
    )


def _other_kind(path: str, x: Node, y: Node) -> Leaf:
    what = f"{_kind(x)} in the golden, {_kind(y)} here"
    return _differs(path, GoldenVerdict.SHAPE, x, y, what)


def _kind(node: Node) -> str:
    return str(node.get("t") or node["k"])


def _differs(path: str, verdict: GoldenVerdict, x: Node, y: Node, what: str) -> Leaf:
    sample = DifferingElement("", _shown(x), _shown(y))
    return Leaf(path, verdict, ok=False, what=what, differing=1, samples=(sample,))


def _shown(node: Node) -> str:
    if node["k"] == "int":
        return str(int(node["v"], 16)) if len(node["v"]) < 40 else node["v"][:40] + "…"
    if node["k"] in ("array", "scalar"):
        return f"{_dtype(node)}{node['shape']}"
    value = node.get("v")
    text = f"{_kind(node)} of {len(value)}" if isinstance(value, list) else repr(value)
    if "blob" in node:
        text = f"{node['n']} bytes"
    return text if len(text) <= 200 else text[:200] + "…"


def _dtype(node: Node) -> str:
    return node["dtype"] if isinstance(node["dtype"], str) else str(node["dtype"])


def _normal(dtype: Array) -> Array:
    return json.loads(json.dumps(dtype))


def _by_key(node: Node) -> dict[str, Node]:
    return {json.dumps(key, sort_keys=True): item for key, item in node["v"]}


def _shown_key(text: str) -> str:
    node = json.loads(text)
    return _shown(node)
