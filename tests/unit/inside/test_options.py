"""The table of our own options: complete, and the same for pytest, the docs and both sides."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.decide.package_verdicts import ALL, NEW, REPORT
from pytest_arm64.inside.options import (
    ARM64,
    AUTO,
    CORES,
    LONGEST_TIMEOUT,
    MARKED,
    OPTIONS,
    POLICIES,
    PREFIX,
    Kind,
    OwnOption,
    cores,
    seconds,
)

DOCS = Path(__file__).parents[3] / "docs/options.md"


def test_the_names_are_fixed() -> None:
    """Suites and pipelines of others depend on them."""
    fixed = (
        "--arm64 --arm64-marked --arm64-target --arm64-image --arm64-requirements "
        "--arm64-service --arm64-cpu --arm64-compare --arm64-record --arm64-profile "
        "--arm64-gate --arm64-report --arm64-timeout --arm64-require-native "
        "--arm64-installer --arm64-build-network --arm64-cross --arm64-offline "
        "--arm64-refresh --arm64-keep --arm64-build-timeout"
    )
    assert {option.name for option in OPTIONS} >= set(fixed.split())
    assert len({option.name for option in OPTIONS}) == len(OPTIONS)


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_a_row_says_what_its_kind_needs(option: OwnOption) -> None:
    assert option.name == ARM64 or option.name.startswith(PREFIX)
    assert option.dest.isidentifier()
    assert option.help
    assert bool(option.choices) == (option.kind is Kind.CHOICE)
    assert bool(option.metavar) == (option.kind in (Kind.VALUE, Kind.LIST))
    assert bool(option.needs) == (option.name not in (ARM64, MARKED))
    assert set(option.needs) <= {ARM64, MARKED}


def test_each_option_has_a_section_in_the_documentation() -> None:
    sections = re.findall(r"^### `(--arm64[a-z-]*)", DOCS.read_text("utf-8"), re.MULTILINE)
    assert sorted(sections) == sorted(option.name for option in OPTIONS)


def test_policies_are_those_of_the_gates() -> None:
    assert set(POLICIES) == {REPORT, NEW, ALL}


@given(st.lists(st.sampled_from(CORES), min_size=1))
def test_cores_keep_their_order_and_come_once(names: list[str]) -> None:
    assert cores(" , ".join(names)) == tuple(dict.fromkeys(names))


@pytest.mark.parametrize("text", ["auto", " auto "])
def test_auto_names_no_core(text: str) -> None:
    assert cores(text) == ()


@pytest.mark.parametrize(
    "text", ["auto,graviton3", "graviton2, auto", "auto,auto", "auto,c7g.large"]
)
def test_auto_stands_alone(text: str) -> None:
    with pytest.raises(ValueError, match="auto chooses the cores, and stands alone"):
        cores(text)


@given(st.text())
def test_any_other_core_is_refused_by_name(text: str) -> None:
    names = {name.strip() for name in text.split(",")}
    if not names <= set(CORES) and AUTO not in names:
        with pytest.raises(ValueError, match=r"unknown core .*choose among graviton2"):
            cores(text)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("c7g.large", ("graviton3",)),
        ("t4g.micro", ("graviton2",)),
        ("x2gd.metal", ("graviton2",)),
        ("m8gd.metal-24xl", ("graviton4",)),
        ("m9g.xlarge, c9g.large", ("graviton5",)),
        ("m8g.large,c7g.large,r7gd.2xlarge", ("graviton3",)),
        ("graviton4,c6g.large,m8g.large", ("graviton4", "graviton2")),
        ("c7g.large,graviton3", ("graviton3",)),
    ],
)
def test_instance_types_stand_for_the_oldest_core_among_them(
    text: str, names: tuple[str, ...]
) -> None:
    assert cores(text) == names


@pytest.mark.parametrize("text", ["c7g", "c7g.", ".large", "c7i.large", "m5.large", "c7g.a b"])
def test_what_is_no_instance_type_with_a_graviton_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="instance type with a Graviton"):
        cores(text)


@given(st.floats(min_value=0.001, max_value=LONGEST_TIMEOUT))
def test_a_timeout_is_a_number_of_seconds(number: float) -> None:
    assert seconds(str(number)) == number


@pytest.mark.parametrize("text", ["0", "-1", "soon", "", "nan", "inf", "1e9", "60s", "0x10"])
def test_what_is_no_time_limit_is_refused_with_its_value(text: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(text)} is not a number of seconds above 0"):
        seconds(text)
