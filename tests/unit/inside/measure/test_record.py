"""Records cross a border: they come back the same, and nothing else comes in."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.inside.measure.memory import Memory
from pytest_arm64.inside.measure.ratio import MOST
from pytest_arm64.inside.measure.record import (
    CALL,
    OPEN,
    BudgetVerdict,
    Measured,
    Record,
)
from pytest_arm64.inside.ran import Ran
from unit.support import JSON

GRAVITON = Ran("aarch64", "Neoverse-N1", emulated=False, stand_in=False, target="al2023-python3.12")
RECORD = Record(
    name="validate",
    kind=CALL,
    wall=(0.02, 0.021),
    cpu=(0.02, 0.02),
    loops=2,
    memory=Memory(1000, 12, "memray"),
    resident=-4096,
    verdicts=(BudgetVerdict("latency", 0.1, 0.02, OPEN, "why"),),
)
MEASURED = Measured("test_it.py::test_a", GRAVITON, (RECORD,))


def test_there_and_back() -> None:
    assert Measured.decode(MEASURED.encode()) == MEASURED


def test_what_it_says_of_itself() -> None:
    assert RECORD.latency.median == 0.02
    assert RECORD.throughput == 50
    assert str(GRAVITON) == "aarch64 native, core Neoverse-N1"
    stand_in = replace(GRAVITON, emulated=True, stand_in=True)
    assert str(stand_in) == "aarch64 EMULATED, core Neoverse-N1, on a STAND-IN"


def test_the_short_form_keeps_what_a_comparison_uses() -> None:
    long = replace(RECORD, wall=tuple(i / 1000 for i in range(1, 5001)))
    assert len(long.short().wall) == MOST
    assert RECORD.short() == RECORD


@given(JSON)
def test_anything_else_is_refused(document: Any) -> None:
    with pytest.raises(ValueError, match=r"Measured"):
        Measured.decode(json.dumps(document))


def _paths(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items: Any = ()
    if isinstance(document, dict):
        items = document.items()
    elif isinstance(document, list):
        items = enumerate(document)
    return [path, *(p for key, value in items for p in _paths(value, (*path, key)))]


PATHS = _paths(MEASURED.to_json())[1:]


@given(st.sampled_from(PATHS), JSON)
def test_one_value_changed_is_read_or_refused(path: tuple[Any, ...], value: Any) -> None:
    document: Any = json.loads(json.dumps(MEASURED.to_json()))
    inner = document
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    try:
        found = Measured.decode(json.dumps(document))
    except ValueError:
        return
    for record in found.records:
        assert record.latency.count > 0
        assert record.name.isprintable()
    assert Measured.decode(found.encode()) == found


@pytest.mark.parametrize("data", ["", "[" * 100_000, "{", '{"format": 2}', "null"])
def test_what_is_no_file(data: str) -> None:
    with pytest.raises(ValueError, match=r"Measured|not JSON"):
        Measured.decode(data)


def test_a_name_cannot_drive_the_terminal() -> None:
    document: Any = MEASURED.to_json()
    document["records"][0]["name"] = "\x1b[2Jgone"
    assert Measured.decode(json.dumps(document)).records[0].name == "\\x1b[2Jgone"
