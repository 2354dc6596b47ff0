"""The named tuples of the inside behave as ``typing.NamedTuple``, as which they are checked."""

from __future__ import annotations

import copy
import pickle
from typing import NamedTuple, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.inside.light_tuple import LightTuple


class Usual(NamedTuple):
    name: str
    number: int = 7
    rest: tuple[int, ...] = ()

    @property
    def doubled(self) -> int:
        return self.number * 2


class Light(LightTuple):
    name: str
    number: int = 7
    rest: tuple[int, ...] = ()

    @property
    def doubled(self) -> int:
        return self.number * 2


FIELDS = st.sampled_from(["name", "number", "rest", "other"])


@given(st.lists(st.integers(), max_size=4), st.dictionaries(FIELDS, st.integers(), max_size=4))
def test_what_a_named_tuple_takes_is_taken_and_nothing_else(
    values: list[int], named: dict[str, int]
) -> None:
    try:
        usual = Usual(*values, **named)  # type: ignore[arg-type]  # values of any number and name
    except TypeError:
        with pytest.raises(TypeError):
            Light(*values, **named)
        return
    light = Light(*values, **named)
    assert tuple(light) == tuple(usual)
    assert (light.name, light.number, light.rest) == (usual.name, usual.number, usual.rest)
    assert light.doubled == usual.doubled
    assert repr(light) == repr(usual).replace("Usual", "Light")


def test_its_fields_and_their_types_are_known() -> None:
    assert Light._fields == Usual._fields
    assert get_type_hints(Light) == get_type_hints(Usual)


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v))]
)
def test_a_copy_is_equal_and_of_the_same_class(copied) -> None:  # type: ignore[no-untyped-def]  # a function of any value
    light = Light("a", 1, (2,))
    assert copied(light) == light
    assert type(copied(light)) is Light


def test_a_field_is_replaced_in_a_copy() -> None:
    assert Light("a")._replace(number=2) == ("a", 2, ())


def test_a_field_cannot_be_set() -> None:
    with pytest.raises(AttributeError):
        Light("a").number = 2
