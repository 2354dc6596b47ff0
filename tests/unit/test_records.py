"""Records: what is encoded comes back, and nothing of another type does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, ClassVar, NamedTuple

import pytest
from hypothesis import given

from pytest_arm64.records import Layout, decode, encode, json_options, parse
from unit.support import JSON, attempt


@dataclass(frozen=True)
class Inner:
    name: str
    day: date | None = None


@dataclass(frozen=True)
class Outer:
    number: int
    amount: float
    sure: bool
    inners: tuple[Inner, ...] = ()
    words: tuple[str, ...] = ()


FULL = Outer(1, 2.5, True, (Inner("a", date(2026, 1, 2)), Inner("b")), ("x",))


def test_there_and_back() -> None:
    assert decode(Outer, json.loads(json.dumps(encode(FULL)))) == FULL


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"number": "1"}, "Outer.number is str, not int"),
        ({"number": True}, "Outer.number is bool, not int"),
        ({"number": None}, "Outer.number is null, not int"),
        ({"amount": 10**400}, "not a number of ordinary size"),
        ({"sure": 1}, "Outer.sure is int, not bool"),
        ({"words": "x"}, "Outer.words is str, not a list"),
        ({"words": ["x", 2]}, r"Outer.words\[1\] is int, not str"),
        ({"inners": [[]]}, r"Outer.inners\[0\] is list, not an object"),
        ({"inners": [{}]}, r"Outer.inners\[0\] has no name"),
        ({"inners": [{"name": "a", "day": "soon"}]}, r"Outer.inners\[0\].day is str, not a date"),
        ({"inners": [{"name": "a", "day": 5}]}, r"Outer.inners\[0\].day is int, not a date"),
    ],
)
def test_another_type_is_refused_with_its_place(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        decode(Outer, {**encode(FULL), **change})


def test_defaults_fill_what_is_missing_and_more_is_left_out() -> None:
    assert decode(Outer, {"number": 1, "amount": 2, "sure": False, "new": 3}) == Outer(
        1, 2.0, False
    )


@given(JSON)
def test_anything_is_decoded_or_refused(data: Any) -> None:
    found = attempt(ValueError, lambda: decode(Outer, data))
    assert isinstance(found, Outer) or str(found).startswith("Outer")


class Row(NamedTuple):
    name: str
    seconds: float


def _short(word: str) -> str:
    if len(word) > 3:
        raise ValueError("it is too long")
    return word


@dataclass(frozen=True)
class Laid:
    """With everything that a layout can say."""

    JSON: ClassVar[Layout] = Layout(format=2, computed=("double",), name="laid record")

    age: float = field(metadata=json_options("age_seconds", write=round))
    inner: Outer = field(metadata=json_options(keys=("number", "amount", "sure")))
    rows: tuple[Row, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    word: str = field(default="", metadata=json_options(check=_short))

    @property
    def double(self) -> float:
        return 2 * self.age


LAID = Laid(2.0, replace(FULL, inners=(), words=()), (Row("a", 1.5),), {"x": 1}, "abc")


def test_a_layout_names_computes_and_shortens() -> None:
    data = encode(replace(LAID, age=2.4))
    assert data == {
        "format": 2,
        "age_seconds": 2,
        "inner": {"number": 1, "amount": 2.5, "sure": True},
        "rows": [["a", 1.5]],
        "counts": {"x": 1},
        "word": "abc",
        "double": 4.8,
    }
    assert decode(Laid, json.loads(json.dumps(data))) == LAID


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 3}, "laid record is not of format 2"),
        ({"format": True}, "laid record is not of format 2"),
        ({"format": None}, "laid record is not of format 2"),
        ({"rows": [["a"]]}, r"laid record.rows\[0\] is list, not a list of 2 values"),
        ({"rows": [["a", "b"]]}, r"laid record.rows\[0\].seconds is str, not float"),
        ({"rows": ["ab"]}, r"laid record.rows\[0\] is str, not a list of 2 values"),
        ({"counts": [1]}, "laid record.counts is list, not an object"),
        ({"counts": {"x": "1"}}, r"laid record.counts\['x'\] is str, not int"),
        ({"word": "abcd"}, "laid record.word: it is too long"),
        ({"word": "\ud800"}, "laid record.word is not text"),
        ({"counts": {"\udfff": 1}}, "a key of laid record.counts is not text"),
        ({"age_seconds": float("nan")}, "laid record.age_seconds is not a finite number"),
        ({"age_seconds": float("-inf")}, "laid record.age_seconds is not a finite number"),
        ({"age_seconds": 10**400}, "laid record.age_seconds is not a number of ordinary size"),
        ({"counts": {"x": 10**400}}, r"laid record.counts\['x'\] is not a number of ordinary"),
    ],
)
def test_what_a_layout_does_not_permit_is_refused_with_its_place(
    change: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        decode(Laid, {**encode(LAID), **change})


def test_half_a_character_is_written_as_its_escape() -> None:
    data = encode({"\udc80.py": Inner("caf\u00e9 \ud83d")})
    assert data == {"\\udc80.py": {"name": "caf\u00e9 \\ud83d", "day": None}}
    assert json.dumps(data, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[" * 100_000,
        '{"a": NaN}',
        "[Infinity, -Infinity]",
        "9" * 5000,
        b"\xff\xfe",
        b'{"a": "\xff"}',
    ],
)
def test_what_is_not_json_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError, match="not JSON"):
        parse(text)
