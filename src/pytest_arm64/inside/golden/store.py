"""Goldens on disk: one folder a module, one file pair a test, one ``provenance.json`` a folder.

``NAME.json`` holds the trees of a test's values, ``NAME.npz`` their blobs, without pickle; the
trees have the blobs' digests. Files are replaced whole.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import secrets
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from ..errors import Arm64Error
from ..regular_file import UnfitFileError, read_regular
from ..zip_member import read_member
from . import npy
from .lazily import Array, numpy
from .shape import MalformedError, blobs_of, check_tree
from .values import Node, Stored, UnsupportedValueError, describe, digest_of, refuse_dtype

T = TypeVar("T")
FOLDER = "arm64_golden"
PROVENANCE = "provenance.json"
STAGED = ".new"
"""What ends the name of a file that is not in its place yet."""
FORMAT = 1
MOST_BYTES = 32 << 20
"""Of a file with the trees of a test's values, or with provenances."""
MOST_PACKED = 64 << 20
"""Of the arrays and bytes of a test's values, unpacked: a few megabytes of zeros are gigabytes."""
_HEADER_ROOM = 1 << 16
_LONGEST_NAME = 80
_UNSAFE = re.compile(r"[^A-Za-z0-9_.\[\]=,+-]+")


class GoldenError(Arm64Error):
    """A golden cannot be read, or must not be."""


@dataclass(frozen=True)
class StoredValue:
    """One value of a golden."""

    value: Stored
    noise: Mapping[str, float] = field(default_factory=dict)
    """By path, how far x86 was from itself in the control run, scaled."""


@dataclass(frozen=True)
class Golden:
    """The golden of one test."""

    test: str
    """Node id without the module's path."""
    values: Mapping[str, StoredValue]
    provenance: Mapping[str, object] = field(default_factory=dict)

    @property
    def has_blobs(self) -> bool:
        """Whether a part of it is in a file of its own."""
        return any(kept.value.blobs for kept in self.values.values())

    def same_values(self, other: Golden) -> bool:
        """Whether both hold the same values, to the last bit."""
        mine, its = (
            {name: kept.value.text() for name, kept in side.values.items()}
            for side in (self, other)
        )
        return mine == its


def folder_of(module: Path) -> Path:
    """Where the goldens of the test *module* lie."""
    return module.parent / FOLDER / module.stem


def name_of(test: str) -> str:
    """File name, without its ending, of the test with this node id below its module."""
    readable = _UNSAFE.sub("_", test)[:_LONGEST_NAME]
    if readable == test and test == test.lower():
        return readable
    # File systems that ignore case, and what was cut off or replaced.
    return f"{readable}-{hashlib.sha256(test.encode()).hexdigest()[:8]}"


def read(folder: Path, test: str) -> Golden | None:
    """The golden of *test*, None where it has none.

    Raises:
        GoldenError: there is one, and it is damaged, foreign or would have to be executed.
    """
    path = folder / f"{name_of(test)}.json"
    found = read_file(path)
    if found is not None and found.test != test:
        raise _unreadable(path, f"it is the golden of {found.test[:200]!r}")
    return found


def read_file(path: Path, runs: Mapping[str, Mapping[str, object]] | None = None) -> Golden | None:
    """The golden whose tree lies at *path*, None where nothing lies there.

    *runs* are the provenances by key, by default those of the folder's file.

    Raises:
        GoldenError: it cannot be read.
    """
    try:
        document = _json(path)
        if document is None:
            return None
        _require(document["format"] == FORMAT, f"its format is not {FORMAT}")
        trees = {str(name): check_tree(v["tree"]) for name, v in document["values"].items()}
        noise = {str(n): _numbers(v.get("noise", {})) for n, v in document["values"].items()}
        test, key = document["test"], document["provenance"]
        if runs is None:
            runs = (_json(path.parent / PROVENANCE) or {"runs": {}})["runs"]
        _require(isinstance(test, str), "it names no test")
        _require(isinstance(runs.get(key), dict), f"its provenance is not in {PROVENANCE}")
        values = {name: Stored(tree, _Blobs(path, tree)) for name, tree in trees.items()}
    except (MalformedError, KeyError, TypeError, AttributeError) as error:
        raise _unreadable(path, _reason(error)) from None
    kept = {name: StoredValue(value, noise[name]) for name, value in values.items()}
    return Golden(test, kept, runs[key])


def _json(path: Path) -> dict[str, Any] | None:
    try:
        document = json.loads(read_bounded(path))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise _unreadable(path, _reason(error)) from None
    if not isinstance(document, dict):
        raise _unreadable(path, "it holds no object")
    return document


def read_bounded(path: Path, most: int = MOST_BYTES) -> bytes:
    """The content of the regular file *path*; nothing is waited for where it is a pipe.

    Raises:
        OSError: it cannot be opened.
        MalformedError: it is no regular file, or larger than *most* bytes.
    """
    try:
        return read_regular(path, most)
    except UnfitFileError as error:
        raise MalformedError(error.strerror) from None


def _require(condition: bool, what: str) -> None:
    if not condition:
        raise MalformedError(what)


def _numbers(value: object) -> dict[str, float]:
    noise: dict[object, Any] = value if isinstance(value, dict) else {"": None}
    if not all(isinstance(number, (int, float)) for number in noise.values()):
        raise MalformedError("noise is not a number")
    return {str(path): float(number) for path, number in noise.items()}


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, MalformedError) else f"{type(error).__name__}: {error}"


def _unreadable(path: Path, why: str) -> GoldenError:
    return GoldenError(
        f"the golden {path} cannot be read: {why}",
        why="nothing was compared, and nothing in it was executed",
        next_step="restore it from version control, or record it again: pytest --arm64 "
        "--arm64-record",
    )


class _Blobs(Mapping[str, Array]):
    """The blobs of one tree, read when they are asked for."""

    def __init__(self, tree_path: Path, tree: Node) -> None:
        self._path = tree_path.with_suffix(".npz")
        self._nodes = {node["blob"]: node for node in blobs_of(tree)}

    def __len__(self) -> int:
        return len(self._nodes)

    def __iter__(self) -> Iterator[str]:
        return iter(self._nodes)

    def __getitem__(self, name: str) -> Array:
        node = self._nodes[name]
        blob = self._read(_bytes if node["k"] == "bytes" else _array, node)
        if digest_of(blob) != node["digest"]:
            raise _unreadable(self._path, f"{name} does not match its .json")
        return blob

    def packed(self) -> Iterator[tuple[str, bytes]]:
        """Names and contents of the files in which they lie, checked; no NumPy is needed."""
        for name, node in self._nodes.items():
            if node["k"] == "bytes":
                yield f"{name}.bin", self[name]
                continue
            yield f"{name}.npy", self._read(_packed_array, node)

    def _read(self, reader: Callable[[zipfile.ZipFile, Node], T], node: Node) -> T:
        try:
            with zipfile.ZipFile(self._path) as archive:
                return reader(archive, node)
        except ImportError:
            raise GoldenError(
                f"the golden {self._path} has arrays, and NumPy is not installed here",
                why="arrays that differ are compared with it",
                next_step="install numpy into the environment of this pytest",
            ) from None
        except UnsupportedValueError as error:
            raise _unreadable(self._path, str(error.what)) from None
        except GoldenError:
            raise
        except Exception as error:  # noqa: BLE001  (zipfile and NumPy raise anything for bad input)
            raise _unreadable(self._path, _reason(error)) from None


def _bytes(archive: zipfile.ZipFile, node: Node) -> bytes:
    return _member(archive, f"{node['blob']}.bin", int(node["n"]))


def _array(archive: zipfile.ZipFile, node: Node) -> Array:
    np = numpy()
    asked = np.dtype(_as_descr(node["dtype"]))
    refuse_dtype(asked)
    size = asked.itemsize
    for length in node["shape"]:
        size *= length
    data = _member(archive, f"{node['blob']}.npy", size + _HEADER_ROOM)
    array = np.load(io.BytesIO(data), allow_pickle=False)
    refuse_dtype(array.dtype)
    if describe(array.dtype) != describe(asked) or list(array.shape) != node["shape"]:
        raise MalformedError(f"{node['blob']} has another type or shape than in its .json")
    return array


def _packed_array(archive: zipfile.ZipFile, node: Node) -> bytes:
    size = npy.size_of(node["dtype"], node["shape"])
    content = _member(archive, f"{node['blob']}.npy", size + _HEADER_ROOM)
    if npy.digest_of(content) != node["digest"]:
        raise MalformedError(f"{node['blob']} does not match its .json")
    return content


def _member(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    info = archive.getinfo(name)
    if info.file_size > most:
        raise MalformedError(f"{name} is larger than its .json says")
    _require(info.file_size <= MOST_PACKED, f"{name} is larger than {MOST_PACKED >> 20} MiB")
    return read_member(archive, info)


def _as_descr(value: Any) -> object:
    """NumPy's description of a dtype, whose tuples JSON made lists."""
    if isinstance(value, str):
        return value
    fields = []
    for name, kind, *shape in value:
        title = tuple(name) if isinstance(name, list) else name
        fields.append((title, _as_descr(kind), *(tuple(part) for part in shape)))
    return fields


def encode(golden: Golden, key: str) -> dict[str, bytes]:
    """File contents by ending, ``.json`` and, where there are blobs, ``.npz``.

    *key* names the provenance in the folder's file.
    """
    document = {
        "format": FORMAT,
        "test": golden.test,
        "provenance": key,
        "values": {
            name: {"tree": kept.value.tree, **({"noise": dict(kept.noise)} if kept.noise else {})}
            for name, kept in golden.values.items()
        },
    }
    files = {".json": (json.dumps(document, indent=1, sort_keys=True) + "\n").encode()}
    packed: dict[str, bytes] = {}
    left = MOST_PACKED
    for name, content in (item for v in golden.values.values() for item in _packed(v.value.blobs)):
        left -= len(content)
        if left < 0:
            raise GoldenError(
                f"the values of {golden.test} take more than {MOST_PACKED >> 20} MiB",
                next_step="compare a part of them, or a digest",
            )
        packed[name] = content
    if packed:
        files[".npz"] = _zip(packed)
    return files


def _packed(blobs: Mapping[str, Array]) -> Iterator[tuple[str, bytes]]:
    """Names and contents of the files that hold *blobs*."""
    if isinstance(blobs, _Blobs):
        yield from blobs.packed()
        return
    for name, blob in blobs.items():
        if isinstance(blob, bytes):
            yield f"{name}.bin", blob
            continue
        stream = io.BytesIO()
        numpy().lib.format.write_array(stream, blob, allow_pickle=False)
        yield f"{name}.npy", stream.getvalue()


def _zip(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            # A fixed date: what did not change has the same bytes.
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return buffer.getvalue()


def provenance_key(provenance: Mapping[str, object]) -> str:
    """Name of a provenance: equal for equal machines and versions, whenever they recorded."""
    about = {k: v for k, v in provenance.items() if k not in ("commit", "recorded")}
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:12]


def write(path: Path, content: bytes) -> None:
    """Put a new file with *content* at *path*, whole or not at all, through no link there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(8)}{STAGED}")
    try:
        with temporary.open("xb") as file:
            file.write(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
