"""Goldens on disk: what is written is read again, and nothing foreign is trusted."""

from __future__ import annotations

import datetime
import decimal
import enum
import io
import json
import math
import pickle
import uuid
import zipfile
from collections import namedtuple
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pytest_arm64.inside.golden import store
from pytest_arm64.inside.golden.leaves import compare
from pytest_arm64.inside.golden.npy import digest_of
from pytest_arm64.inside.golden.policy import Policy
from pytest_arm64.inside.golden.shape import MalformedError
from pytest_arm64.inside.golden.store import (
    PROVENANCE,
    Golden,
    GoldenError,
    StoredValue,
    encode,
    folder_of,
    name_of,
    read,
)
from pytest_arm64.inside.golden.values import Stored, UnsupportedValueError, stored
from pytest_arm64.inside.golden.verdict import GoldenVerdict
from unit.inside.golden.test_comparer import VALUES
from unit.lying_zips import add, little_memory
from unit.support import peak_memory

TEST = "test_it"
PROVENANCES = {"format": 1, "runs": {"key": {"cpu": "some"}}}


class Colour(enum.Enum):
    RED = 1


@dataclass
class Score:
    name: str
    parts: dict[str, Any]


Point = namedtuple("Point", "x y")  # noqa: PYI024  (an untyped one is what is meant)

KINDS: dict[str, Any] = {
    "dataclass": Score("a", {"b": [1, 2.5, None]}),
    "namedtuple": Point(1, 2.0),
    "enum": Colour.RED,
    "set": {3, 1, 2},
    "range": range(3),
    "big": 10**300,
    "decimal": decimal.Decimal("1.10"),
    "datetime": datetime.datetime(2026, 11, 23, 7, tzinfo=datetime.timezone.utc),
    "timedelta": datetime.timedelta(days=1, microseconds=3),
    "uuid": uuid.UUID(int=5),
    "path": Path("a/b"),
    "long bytes": bytes(range(256)) * 9,
    "surrogate": "\ud800",
    "float32": np.float32(0.1),
    "bool array": np.array([True, False]),
    "strings": np.array(["a", "bc"]),
    "dates": np.array(["2026-11-23", "NaT"], "M8[D]"),
    "complex": np.array([1 + 2j, math.nan * 1j]),
    "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "big endian": np.arange(3, dtype=">i4"),
    "empty": np.zeros((0, 3)),
    "zero-dimensional": np.array(3.5),
    "masked": np.ma.MaskedArray([1, 2, 3], mask=[False, True, False]),
    "structured": np.array([(1, 2.5)], [("a", "<i4"), ("b", "<f8", (1,))]),
    "objects": np.array([1, "a", None], object),
    "frame": pd.DataFrame({"a": [1.5, math.nan], "b": ["x", None], "c": pd.array([1, None])}),
    "categories": pd.Series(["a", "b", "a"], dtype="category", name="s"),
    "times": pd.Series(pd.to_datetime(["2026-11-23"]).tz_localize("UTC")),
    "several levels": pd.DataFrame({"v": [1]}, index=pd.MultiIndex.from_tuples([("a", 1)])),
    "polars": pl.DataFrame({"a": [1, None], "b": ["x", "y"]}),
    "polars series": pl.Series("s", [1.5, 2.5]),
    "image": Image.new("RGB", (40, 30), (10, 20, 30)),
    "palette": Image.new("P", (4, 4), 1),
    "float image": Image.new("F", (4, 4), 0.25),
}


def kept(folder: Path, value: Any, noise: dict[str, float] | None = None) -> Path:
    """*value* as the golden of a test in *folder*; the path of its tree."""
    golden = Golden(TEST, {"value": StoredValue(stored(value, "0-"), noise or {})}, {})
    for ending, content in encode(golden, "key").items():
        (folder / f"{TEST}{ending}").write_bytes(content)
    (folder / PROVENANCE).write_text(json.dumps(PROVENANCES))
    return folder / f"{TEST}.json"


def got(folder: Path) -> Stored:
    found = read(folder, TEST)
    assert found is not None
    value = found.values["value"].value
    for name in value.blobs:
        assert value.blobs[name] is not None
    return value


@pytest.mark.parametrize("name", list(KINDS))
def test_every_kind_comes_back_identical(tmp_path: Path, name: str) -> None:
    kept(tmp_path, KINDS[name])
    found = compare("v", got(tmp_path), stored(KINDS[name]), Policy(nan_sign="strict"))
    assert found.ok
    assert found.verdict is GoldenVerdict.IDENTICAL
    other = compare("v", got(tmp_path), stored(["another"]), Policy())
    assert not other.ok


@pytest.mark.parametrize("name", list(KINDS))
def test_every_kind_is_passed_on_where_numpy_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path = kept(tmp_path, KINDS[name])
    monkeypatch.setattr(store, "numpy", absent)
    found = read(tmp_path, TEST)
    assert found is not None
    for ending, content in encode(found, "key").items():
        assert path.with_suffix(ending).read_bytes() == content


def absent() -> Any:
    raise ModuleNotFoundError("No module named 'numpy'")


def test_arrays_that_must_be_compared_ask_for_numpy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept(tmp_path, np.arange(4.0))
    monkeypatch.setattr(store, "numpy", absent)
    with pytest.raises(GoldenError, match="NumPy is not installed here") as caught:
        got(tmp_path)
    assert "install numpy" in str(caught.value)


@given(VALUES)
def test_any_nested_value_comes_back(tmp_path_factory: pytest.TempPathFactory, value: Any) -> None:
    folder = tmp_path_factory.mktemp("golden")
    kept(folder, value)
    assert got(folder).text() == stored(value, "0-").text()


def test_the_same_value_gives_the_same_bytes(tmp_path: Path) -> None:
    paths = [kept(tmp_path, KINDS["frame"]).with_suffix(e) for e in (".json", ".npz")]
    before = [path.read_bytes() for path in paths]
    kept(tmp_path, KINDS["frame"])
    assert [path.read_bytes() for path in paths] == before


def test_noise_and_provenance_come_back(tmp_path: Path) -> None:
    kept(tmp_path, [1.5], {"[0]": 0.25})
    found = read(tmp_path, TEST)
    assert found is not None
    assert found.values["value"].noise == {"[0]": 0.25}
    assert found.provenance == {"cpu": "some"}


def test_names_of_files_are_safe_and_apart() -> None:
    tests = ["test_a[a/b]", "test_a[a_b]", "TEST_a", "test_a", "../../etc", "test_" + "x" * 300]
    tests += ["test_" + "x" * 301, "test_a[ä]", "test_a[\x00]"]
    names = [name_of(test).lower() for test in tests]
    assert len(set(names)) == len(names)
    assert all("/" not in name and len(name) < 100 and name.isascii() for name in names)
    assert name_of("test_a[1-x]") == "test_a[1-x]"
    assert folder_of(Path("/p/tests/test_x.py")) == Path("/p/tests/arm64_golden/test_x")


@pytest.mark.parametrize(
    "value",
    [
        object(),
        lambda: None,
        np.zeros(2, "g"),
        np.zeros(2, "G"),
        np.longdouble(1),
        np.zeros(1, [("a", "g")]),
        np.zeros(1, [("a", "O")]),
        [[[object()]]],
    ],
)
def test_what_cannot_be_kept_is_refused(value: Any) -> None:
    with pytest.raises(UnsupportedValueError):
        stored(value)


def test_a_cycle_is_refused() -> None:
    cycle: list[Any] = []
    cycle.append(cycle)
    with pytest.raises(UnsupportedValueError, match="nested"):
        stored(cycle)


def test_no_golden_is_none(tmp_path: Path) -> None:
    assert read(tmp_path, TEST) is None


class Bomb:
    """Would leave a file behind, were it unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (Path.touch, (self.path,))


def rezip(path: Path, **members: bytes) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "."), content)


def npy(array: Any) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, allow_pickle=True)
    return stream.getvalue()


def test_a_pickled_golden_executes_nothing(tmp_path: Path) -> None:
    path = kept(tmp_path, np.arange(4.0)).with_suffix(".npz")
    fuse = tmp_path / "executed"
    for content in (npy(np.array([Bomb(fuse)], object)), pickle.dumps(Bomb(fuse))):
        rezip(path, **{"0-0__npy": content})
        with pytest.raises(GoldenError, match="cannot be read"):
            got(tmp_path)
    path.with_suffix(".json").write_bytes(pickle.dumps(Bomb(fuse)))
    with pytest.raises(GoldenError, match="cannot be read"):
        read(tmp_path, TEST)
    assert not fuse.exists()


@pytest.mark.parametrize(
    "array",
    [
        np.zeros(4, "g"),
        np.zeros(5),
        np.zeros(4, "f4"),
        np.ones(4),
        np.zeros(10**6),
    ],
)
def test_an_array_that_its_tree_does_not_tell_of(tmp_path: Path, array: Any) -> None:
    path = kept(tmp_path, np.zeros(4)).with_suffix(".npz")
    rezip(path, **{"0-0__npy": npy(array)})
    with pytest.raises(GoldenError, match="cannot be read"):
        got(tmp_path)
    found = read(tmp_path, TEST)
    assert found is not None
    with pytest.raises(GoldenError, match="cannot be read"):
        encode(found, "key")


@given(st.binary(max_size=64) | st.binary(max_size=64).map(lambda b: b"\x93NUMPY\x01\x00" + b))
def test_foreign_bytes_have_no_digest(content: bytes) -> None:
    with pytest.raises(MalformedError):
        digest_of(content)


def test_a_tree_that_asks_for_an_extended_float(tmp_path: Path) -> None:
    path = kept(tmp_path, np.zeros(4))
    path.write_text(path.read_text().replace("<f8", "<f16"))
    rezip(path.with_suffix(".npz"), **{"0-0__npy": npy(np.zeros(4, "g"))})
    with pytest.raises(GoldenError, match="cannot be read"):
        got(tmp_path)


def test_a_golden_of_another_test_or_format(tmp_path: Path) -> None:
    path = kept(tmp_path, 1)
    text = path.read_text()
    for old, new in ((TEST, "test_other"), ('"format": 1', '"format": 9'), ('"key"', '"gone"')):
        path.write_text(text.replace(old, new))
        with pytest.raises(GoldenError, match="cannot be read"):
            read(tmp_path, TEST)


def test_deep_nesting_is_refused(tmp_path: Path) -> None:
    path = kept(tmp_path, 1)
    path.write_text("[" * 100_000)
    with pytest.raises(GoldenError, match="cannot be read"):
        read(tmp_path, TEST)


@given(st.data())
def test_damage_is_an_error_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """A golden with flipped, lost or added bytes is read as it was, or refused: never a crash."""
    folder = tmp_path_factory.mktemp("golden")
    value = [np.arange(40.0), {"a": b"x" * 400, "b": [1, 2.5, "c"]}, KINDS["frame"]]
    path = kept(folder, value).with_suffix(data.draw(st.sampled_from([".json", ".npz"])))
    content = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    cut = data.draw(st.sampled_from([0, 1, 7, len(content)]))
    content[at : at + cut] = data.draw(st.binary(max_size=3))
    path.write_bytes(bytes(content))
    try:
        found = got(folder)
    except (GoldenError, KeyError):
        return
    compare("value", found, stored(value), Policy())


TREES: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.floats(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["k", "v", "t", "n", "blob", "shape", "dtype"]), inner)
    ),
    max_leaves=9,
)
KNOWN = [
    "none",
    "bool",
    "int",
    "str",
    "float",
    "complex",
    "enum",
    "text",
    "bytes",
    "list",
    "tuple",
    "set",
    "objects",
    "dict",
    "record",
    "array",
    "scalar",
]


@given(st.sampled_from(KNOWN), TREES, TREES)
def test_a_foreign_tree_is_an_error_or_compares(
    tmp_path_factory: pytest.TempPathFactory, kind: str, inner: Any, shape: Any
) -> None:
    folder = tmp_path_factory.mktemp("golden")
    path = kept(folder, 1)
    document = json.loads(path.read_text())
    tree = {"k": kind, "v": inner, "t": "x", "shape": shape, "dtype": inner}
    document["values"]["value"]["tree"] = tree
    path.write_text(json.dumps(document))
    try:
        found = got(folder)
    except GoldenError:
        return
    for value in (1, [1.5], {"a": 1}, Colour.RED):
        assert compare("v", found, stored(value), Policy()).leaves or value == []


ZEROS = """
import sys
from pathlib import Path
from pytest_arm64.inside.golden.store import GoldenError, encode, read

golden = read(Path(sys.argv[1]), "test_it")
try:
    if sys.argv[2] == "encode":
        encode(golden, "key")
    else:
        golden.values["0"].value.blobs[sys.argv[3]]
except GoldenError as error:
    print("larger than" in str(error) or "more than" in str(error))
"""


@pytest.mark.parametrize("way", ["encode", "compare"])
@pytest.mark.parametrize("kind", ["array", "bytes"])
def test_gigabytes_of_zeros_are_not_unpacked(tmp_path: Path, way: str, kind: str) -> None:
    size = 600 << 20
    small: Any = np.zeros(9999, "u1") if kind == "array" else b"\0" * 9999
    files = encode(Golden(TEST, {"0": StoredValue(stored(small))}, {}), "key")
    document = json.loads(files[".json"])
    text = json.dumps(document).replace("9999", str(size))
    name = document["values"]["0"]["tree"]["blob"]
    (tmp_path / f"{TEST}.json").write_text(text, "utf-8")
    (tmp_path / PROVENANCE).write_text(json.dumps(PROVENANCES), "utf-8")
    ending = "npy" if kind == "array" else "bin"
    with (
        zipfile.ZipFile(tmp_path / f"{TEST}.npz", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open(f"{name}.{ending}", "w") as member,
    ):
        for _ in range(size >> 20):
            member.write(b"\0" * (1 << 20))
    refused, peak = peak_memory(ZEROS, str(tmp_path), way, name)
    assert refused == "True"
    assert peak < 500 << 20


def test_values_that_could_not_be_read_again_are_not_recorded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(store, "MOST_PACKED", 20_000)
    golden = Golden(TEST, {str(n): StoredValue(stored(bytes([n]) * 9999)) for n in range(3)}, {})
    with pytest.raises(GoldenError, match="take more than"):
        encode(golden, "key")


def test_an_array_that_unpacks_to_more_than_stated_takes_little_memory(tmp_path: Path) -> None:
    path = kept(tmp_path, np.zeros(4)).with_suffix(".npz")
    size = path.stat().st_size
    path.unlink()
    add(path, "0-0.npy", npy(np.zeros(8 << 20)), stated=160)
    assert path.stat().st_size > size
    with little_memory(), pytest.raises(GoldenError, match="cannot be read"):
        got(tmp_path)
