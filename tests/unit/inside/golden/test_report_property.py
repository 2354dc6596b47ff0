"""What reports tell of values: read by one parser, which any property of any plugin may meet."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

from pytest_arm64.inside.golden.report_property import PROPERTY, Told, told_by
from unit.support import JSON

VALUE = {"name": "hash", "class": "identical", "ok": True, "ulp": 0}


def told(data: object) -> list[Told]:
    return list(told_by([("other", "x"), (PROPERTY, json.dumps(data))]))


def test_what_was_compared_is_told_with_its_classes() -> None:
    data = {
        "values": [VALUE, {**VALUE, "name": "mean", "class": "within policy"}],
        "notes": ["none recorded"],
        "decisions": {"sharp": ["above", "below"]},
        "kernels": "of another core",
    }
    (found,) = told(data)
    assert found.classes == ("identical", "within policy")
    assert found.values[0] == VALUE
    assert found.decisions == (("sharp", frozenset({"above", "below"})),)
    assert (found.notes, found.kernels) == (("none recorded",), "of another core")
    assert (found.core, found.recorded) == ("", None)
    (further,) = told({"values": [], "core": "graviton3"})
    assert further.core == "graviton3"


def test_a_recording_is_told_by_its_place() -> None:
    (found,) = told({"folder": "/srv/tests/golden/test_it", "test": "test_one"})
    assert found.recorded == ("/srv/tests/golden/test_it", "test_one")
    assert found.values == ()


def test_several_in_one_report_are_all_read() -> None:
    texts = [json.dumps({"values": [VALUE], "core": core}) for core in ("a", "b")]
    assert [one.core for one in told_by([(PROPERTY, text) for text in texts])] == ["a", "b"]


@pytest.mark.parametrize(
    "text", ["", "no JSON", "[]", "7", "{}", '{"folder": 1, "test": 2}', '{"values": 3}', 7, None]
)
def test_what_is_somebody_elses_is_left(text: object) -> None:
    assert list(told_by([(PROPERTY, text)])) == []


@given(JSON)
def test_of_what_is_malformed_the_whole_values_are_kept(data: object) -> None:
    (found,) = told({"values": [data, VALUE], "notes": data, "decisions": data, "core": ""})
    assert found.values[-1] == VALUE
    assert all({"name", "class", "ok"} <= value.keys() for value in found.values)
