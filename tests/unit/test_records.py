"""Records: what is encoded comes back, and nothing of another type does."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from hypothesis import given

from pytest_arm64.records import decode, encode
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
