"""The user's arguments: those of the host leave, all others stay, in their order."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.errors import SettingsError
from pytest_arm64.inside.options import OPTIONS, Kind, Who
from pytest_arm64.mirror.option_table import PYTEST, Option
from pytest_arm64.run.arguments import (
    HOST_VALUES,
    inner_arguments,
    refuse_what_cannot_work,
    unknown_here,
)

PLAIN = "-x -q --tb=short tests t.py::test[x] --lf -vv -n2 --junitxml=x --arm64x --odd ü.py -k=a"
THEIRS = st.sampled_from(PLAIN.split())
HOSTS = [option for option in OPTIONS if option.who is Who.HOST]
FLAGS = [option.name for option in HOSTS if option.kind is Kind.FLAG]
VALUES = [option.name for option in HOSTS if option.kind is not Kind.FLAG] + [*HOST_VALUES]
OURS = st.sampled_from(
    [[flag] for flag in FLAGS]
    + [[name, "value"] for name in VALUES]
    + [[f"{name}=value"] for name in VALUES]
)


@given(st.lists(st.tuples(st.booleans(), THEIRS, OURS)))
def test_theirs_stay_in_order(pieces: list[tuple[bool, str, list[str]]]) -> None:
    given_, kept = [], []
    for ours, their, our in pieces:
        given_ += our if ours else [their]
        kept += [] if ours else [their]
    assert list(inner_arguments(given_)) == kept


REFUSED = [option for option in PYTEST if option.who is Who.REFUSED]


@pytest.mark.parametrize("option", REFUSED, ids=lambda option: option.names[0])
def test_refused_with_a_reason(option: Option) -> None:
    given = SimpleNamespace(**{option.dest: True})
    with pytest.raises(SettingsError, match=f"{option.names[0]} does not work with --arm64: .+"):
        refuse_what_cannot_work(given)


def test_the_others_are_not_refused() -> None:
    refuse_what_cannot_work(SimpleNamespace(**{option.dest: None for option in REFUSED}))


def test_what_is_unknown_here_is_taken_out_once() -> None:
    args = ["--mine", "3", "-x", "--mine"]
    unknown_here(args, ["--mine", "3"])
    assert args == ["3", "-x", "--mine"]


def test_what_both_sides_obey_is_forwarded() -> None:
    both = [option.name for option in OPTIONS if option.who is Who.BOTH]
    assert both == ["--arm64-profile"]
    assert inner_arguments(["--arm64", *both, "-x"]) == (*both, "-x")
