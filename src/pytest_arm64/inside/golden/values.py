"""Values to a form that can be stored without pickle, and back: a tree of plain data, and blobs.

Every node of the tree is a JSON object with its kind under ``k``. Floats are kept as
``float.hex()``, NaNs by their bits; arrays and long bytes lie beside the tree as blobs.
"""

from __future__ import annotations

import base64
import dataclasses
import datetime
import decimal
import enum
import fractions
import hashlib
import json
import math
import pathlib
import struct
import uuid
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from ..errors import Arm64Error
from .lazily import Array, Library, Value, loaded, numpy

Node = dict[str, Any]

CALL = "call of a function"
"""Type of the record of a call."""
INLINE = 256
"""Bytes up to this length are kept in the tree."""
MAXIMUM_DEPTH = 60
_TEXTS = (
    *(datetime.date, datetime.time, decimal.Decimal, fractions.Fraction, uuid.UUID),
    pathlib.PurePath,
)
REFUSED = "an extended float: x87 and IEEE quad share a name, and bits of one are nonsense as other"


class UnsupportedValueError(Arm64Error):
    """A value has a type that no golden can hold."""


@dataclasses.dataclass(frozen=True)
class Stored:
    """A value in its storable form."""

    tree: Node
    blobs: Mapping[str, Array]
    """By name: NumPy arrays, and bytes."""

    def text(self) -> str:
        """The tree as text; equal texts mean equal values, for it has the digests of blobs."""
        return json.dumps(self.tree, sort_keys=True)


@dataclasses.dataclass(frozen=True)
class Called:
    """What calling a function came to."""

    outcome: str
    """``value``, ``exception`` or ``signal``."""
    value: Value
    warnings: list[str]


def stored(value: Value, prefix: str = "") -> Stored:
    """*value* in its storable form; names of its blobs begin with *prefix*.

    Raises:
        UnsupportedValueError: something in it has a type that cannot be kept without pickle, or
            whose bits mean another thing on another architecture.
    """
    encoder = _Encoder(prefix)
    return Stored(encoder.node(value, 0), encoder.blobs)


def float_text(value: float) -> str:
    """*value* to the last bit, the payload of a NaN included."""
    if math.isnan(value):
        return "nan:" + struct.pack(">d", value).hex()
    return value.hex()


def float_of(text: str) -> float:
    """The inverse of ``float_text``; ValueError for what is none of its texts."""
    if text.startswith("nan:"):
        value: float = struct.unpack(">d", bytes.fromhex(text[4:]))[0]
        if not math.isnan(value):
            raise ValueError(f"{text} is no NaN")
        return value
    try:
        return float.fromhex(text)
    except OverflowError as error:
        raise ValueError(str(error)) from None


def digest_of(blob: Array) -> str:
    """SHA-256 over a blob's type, shape and bytes."""
    if isinstance(blob, bytes):
        return hashlib.sha256(blob).hexdigest()
    head = json.dumps([describe(blob.dtype), list(blob.shape)])
    data = numpy().ascontiguousarray(blob).reshape(-1).view("u1") if blob.size else b""
    return hashlib.sha256(head.encode() + memoryview(data)).hexdigest()


def describe(dtype: Array) -> object:
    """*dtype* as JSON: its string, or its list of fields."""
    return dtype.descr if dtype.names else dtype.str


class _Encoder:
    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self.blobs: dict[str, Array] = {}

    def node(self, value: Value, depth: int) -> Node:
        if depth > MAXIMUM_DEPTH:
            raise UnsupportedValueError(
                f"a value is nested more than {MAXIMUM_DEPTH} levels deep",
                next_step="check its parts, or break a cycle in it",
            )
        for kind in (self._plain, self._library, self._container):
            found = kind(value, depth + 1)
            if found is not None:
                return found
        raise UnsupportedValueError(
            f"a golden cannot hold a value of type {_name(type(value))}",
            why="it could be kept by pickle only, which executes code when it is read",
            next_step="check what it consists of: numbers, strings, containers, dataclasses, "
            "arrays, frames, images, tensors",
        )

    def _plain(self, value: Value, _depth: int) -> Node | None:
        if value is None:
            return {"k": "none"}
        if isinstance(value, enum.Enum):
            return {"k": "enum", "t": type(value).__name__, "v": value.name}
        kind = type(value)
        if kind is bool:
            return {"k": "bool", "v": value}
        if kind is int:
            return {"k": "int", "v": hex(value)}
        if kind is float:
            return {"k": "float", "v": float_text(value)}
        if kind is complex:
            return {"k": "complex", "v": [float_text(value.real), float_text(value.imag)]}
        if kind is str:
            return {"k": "str", "v": value}
        if isinstance(value, (bytes, bytearray, memoryview)):
            return self._bytes(bytes(value))
        if isinstance(value, datetime.timedelta):
            parts = (value.days, value.seconds, value.microseconds)
            return {"k": "text", "t": "timedelta", "v": " ".join(map(str, parts))}
        if isinstance(value, _TEXTS):
            names = {base.__name__ for base in type(value).__mro__}
            name = "Path" if "PurePath" in names else type(value).__name__
            return {"k": "text", "t": name, "v": str(value)}
        return None

    def _bytes(self, value: bytes) -> Node:
        if len(value) <= INLINE:
            return {"k": "bytes", "v": base64.b64encode(value).decode()}
        return {"k": "bytes", "n": len(value), **self._blob(value)}

    def _blob(self, blob: Array) -> Node:
        name = f"{self._prefix}{len(self.blobs)}"
        self.blobs[name] = blob
        return {"blob": name, "digest": digest_of(blob)}

    def _container(self, value: Value, depth: int) -> Node | None:
        if isinstance(value, Called):
            return self._record(CALL, dataclasses.asdict(value), depth)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
            return self._record(type(value).__name__, fields, depth)
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return self._record(type(value).__name__, dict(zip(value._fields, value)), depth)
        if isinstance(value, (list, tuple, range)):
            kind = "tuple" if isinstance(value, tuple) else "list"
            return {"k": kind, "v": [self.node(item, depth) for item in value]}
        if isinstance(value, Mapping):
            pairs = [[self.node(key, depth), self.node(item, depth)] for key, item in value.items()]
            return {"k": "dict", "v": pairs}
        if isinstance(value, AbstractSet):
            nodes = [self.node(item, depth) for item in value]
            return {"k": "set", "v": sorted(nodes, key=lambda n: json.dumps(n, sort_keys=True))}
        # Subclasses of the plain types, such as an IntEnum's plain cousin or a str of one's own.
        plain: Value
        for plain in (int, float, complex, str):
            if isinstance(value, plain):
                return self._plain(plain(value), depth)
        return None

    def _record(self, name: str, fields: Mapping[str, Value], depth: int) -> Node:
        parts = [[key, self.node(item, depth)] for key, item in fields.items()]
        return {"k": "record", "t": name, "v": parts}

    def _library(self, value: Value, depth: int) -> Node | None:
        np = loaded("numpy")
        if np is not None:
            if isinstance(value, np.ma.MaskedArray):
                parts = {"data": np.ma.getdata(value), "mask": np.ma.getmaskarray(value)}
                return self._record("MaskedArray", parts, depth)
            if isinstance(value, np.ndarray):
                return self._array(np.asarray(value), depth)
            if isinstance(value, np.generic):
                return self._array(np.asarray(value), depth, scalar=True)
        for module, method in (
            ("PIL.Image", self._image),
            ("imagehash", self._image_hash),
            ("pandas", self._pandas),
            ("polars", self._polars),
            ("torch", self._torch),
        ):
            library = loaded(module)
            found = method(library, value, depth) if library is not None else None
            if found is not None:
                return found
        return None

    def _array(self, value: Value, depth: int, *, scalar: bool = False) -> Node:
        if value.dtype.kind == "O" or value.dtype.char == "T":
            nodes = [self.node(item, depth) for item in value.reshape(-1).tolist()]
            return {"k": "objects", "shape": list(value.shape), "v": nodes}
        refuse_dtype(value.dtype)
        about = {"dtype": describe(value.dtype), "shape": list(value.shape)}
        return {"k": "scalar" if scalar else "array", **about, **self._blob(value.copy("C"))}

    def _image(self, library: Library, value: Value, depth: int) -> Node | None:
        if not isinstance(value, library.Image):
            return None
        parts: dict[str, Value] = {"mode": value.mode, "size": value.size}
        if value.mode in ("F", "I", "I;16"):
            parts["pixels"] = numpy().asarray(value)
        else:
            parts["pixels"] = value.tobytes()
        if value.mode == "P":
            parts["palette"] = bytes(value.getpalette() or ())
        return self._record("Image", parts, depth)

    def _image_hash(self, library: Library, value: Value, depth: int) -> Node | None:
        known = isinstance(value, library.ImageHash)
        return self._record("ImageHash", {"hash": value.hash}, depth) if known else None

    def _pandas(self, library: Library, value: Value, depth: int) -> Node | None:
        if value is library.NA or value is library.NaT:
            return {"k": "text", "t": "pandas", "v": str(value)}
        if isinstance(value, library.DataFrame):
            columns = [value.iloc[:, i] for i in range(value.shape[1])]
            parts = {"index": value.index, "columns": list(value.columns)}
            data = {f"column {i}": self._series(c) for i, c in enumerate(columns)}
            return self._record("DataFrame", {**parts, **data}, depth)
        if isinstance(value, library.Series):
            parts = {"name": value.name, "index": value.index, **self._series(value)}
            return self._record("Series", parts, depth)
        if isinstance(value, library.MultiIndex):
            return self._record("MultiIndex", {"values": value.tolist()}, depth)
        if isinstance(value, library.Index):
            return self._record("Index", {"name": value.name, **self._series(value)}, depth)
        return None

    def _series(self, column: Value) -> dict[str, Value]:
        """A column: its type by name, its values as an array or a list, None where one is NA."""
        np = numpy()
        if isinstance(column.dtype, np.dtype) and column.dtype.kind != "O":
            return {"dtype": str(column.dtype), "values": column.to_numpy()}
        missing = column.isna().tolist() if hasattr(column, "isna") else [False] * len(column)
        values = [None if gone else item for item, gone in zip(column.tolist(), missing)]
        return {"dtype": str(column.dtype), "values": values}

    def _polars(self, library: Library, value: Value, depth: int) -> Node | None:
        if isinstance(value, library.DataFrame):
            parts = {series.name: self._polars_series(series) for series in value.get_columns()}
            return self._record("polars.DataFrame", parts, depth)
        if isinstance(value, library.Series):
            parts = {"name": value.name, **self._polars_series(value)}
            return self._record("polars.Series", parts, depth)
        return None

    def _polars_series(self, series: Value) -> dict[str, Value]:
        return {"dtype": str(series.dtype), "values": series.to_list()}

    def _torch(self, library: Library, value: Value, depth: int) -> Node | None:
        if not isinstance(value, library.Tensor):
            return None
        parts: dict[str, Value] = {"dtype": str(value.dtype)}
        try:
            plain = value.detach().cpu().resolve_conj().resolve_neg()
            if value.dtype is library.bfloat16:
                plain = plain.to(library.float32)  # exact; the comparer knows float32
            parts["values"] = plain.numpy()
        except (TypeError, RuntimeError, NotImplementedError) as error:
            # Sparse ones, those without memory, and types that NumPy has not.
            raise UnsupportedValueError(
                f"a tensor of {value.dtype}, {value.layout}, on {value.device}: {error}"
            ) from None
        return self._record("Tensor", parts, depth)


def refuse_dtype(dtype: Array) -> None:
    """Raise UnsupportedValueError for element types that no golden can hold."""
    for name in dtype.names or ():
        refuse_dtype(dtype.fields[name][0])
    if dtype.subdtype is not None:
        refuse_dtype(dtype.subdtype[0])
    if dtype.char in "gG":
        raise UnsupportedValueError(
            f"a golden cannot hold {dtype}",
            why=f"it is {REFUSED}",
            next_step="check value.astype('float64'), or the number that the test is about",
        )
    if dtype.hasobject:
        raise UnsupportedValueError(
            "a golden cannot hold a structured array with object fields",
            why="they could be kept by pickle only",
            next_step="check its fields one by one",
        )


def restored(tree: Node, blobs: Mapping[str, Array]) -> Value:
    """What an own comparer is given: plain values, arrays, and dicts for records."""
    kind, value = tree["k"], tree.get("v")
    if kind in ("array", "scalar"):
        array = blobs[tree["blob"]]
        return array[()] if kind == "scalar" else array
    if kind == "bytes":
        return bytes(blobs[tree["blob"]]) if "blob" in tree else base64.b64decode(tree["v"])
    if kind == "int":
        return int(str(value), 16)
    if kind == "float":
        return float_of(str(value))
    if kind == "complex":
        return complex(*(float_of(part) for part in tree["v"]))
    if kind in ("list", "tuple", "set", "objects"):
        items = [restored(item, blobs) for item in tree["v"]]
        return tuple(items) if kind == "tuple" else items
    if kind == "dict":
        return {_hashable(restored(k, blobs)): restored(v, blobs) for k, v in tree["v"]}
    if kind == "record":
        return {key: restored(item, blobs) for key, item in tree["v"]}
    return value


def _hashable(key: Value) -> Value:
    return key if getattr(key, "__hash__", None) is not None else repr(key)


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
