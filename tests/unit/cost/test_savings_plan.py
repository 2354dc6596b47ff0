"""A file of savings is refused where it contradicts itself; its prices are known and dated."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.cost.savings_plan import PARTS, SavingsPlan, read_savings
from pytest_arm64.errors import PriceError

EXAMPLE = Path(__file__).parents[3] / "examples" / "parjanya" / "savings.toml"
HEAD = 'format = 1\n[[saving]]\npart = "network"\nname = "NAT"\n'
PRICED = f'{HEAD}price = "vpc.nat-gateway"\n'
FIGURE = '{{ name = "hours", value = "{}", basis = "{}" }}'


def plan(folder: Path, text: str) -> SavingsPlan:
    path = folder / "savings.toml"
    path.write_text(text, "utf-8")
    return read_savings(path)


def figures(value: str = "720", basis: str = "given") -> str:
    return f"{PRICED}figures = [{FIGURE.format(value, basis)}]\n"


def test_the_example_has_the_four_parts_and_says_which_prices_it_uses() -> None:
    example = read_savings(EXAMPLE)
    assert {saving.part for saving in example.savings} == set(PARTS)
    sources = " ".join(example.price_sources())
    assert all(f"{name} prices of us-east-1 as of" in sources for name in ("lambda", "ec2", "vpc"))


@given(st.fractions(0, 10**6))
def test_a_figure_is_exactly_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, value: Fraction
) -> None:
    read = plan(tmp_path_factory.mktemp("plan"), figures(str(value)))
    assert read.savings[0].figures[0].amount == value


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("format = 2\n", "format 1"),
        ("format = 1\n", "no saving"),
        (HEAD.replace("network", "netwrok"), "did you mean 'network'?"),
        (HEAD + "arm = true\n", "only a difference between the prices"),
        (HEAD + 'after = "lambda.arm64"\n', "`after` and no `price`"),
        (PRICED, "needs both `price` and `figures`"),
        (HEAD + f"figures = [{FIGURE.format(1, 'given')}]\n", "needs both `price` and `figures`"),
        (PRICED + "bill = true\n", "needs `service` and `price`"),
        (figures("1/0"), "'1/0' is not a number"),
        (figures("-3"), "'-3' is not a number from 0"),
        (figures("1e99"), "is not a number from 0"),
        (figures("many"), "'many' is not a number"),
        (figures(basis="guessed"), "not one of: given, assumed"),
        (figures(basis="measured"), "not one of: given, assumed"),
        (figures().replace("nat-gateway", "natgateway"), "no price of 'natgateway'"),
        (figures().replace("vpc.", "vcp."), "no vcp prices"),
        ("[[saving]\n", "is not a file of savings"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, text: str, part: str) -> None:
    with pytest.raises(PriceError) as refused:
        plan(tmp_path, text)
    assert part in str(refused.value)


def test_a_missing_file_is_named_with_what_is_near(tmp_path: Path) -> None:
    (tmp_path / "savings.toml").write_text("")
    with pytest.raises(PriceError, match=r"savngs\.toml.*did you mean"):
        read_savings(tmp_path / "savngs.toml")


def test_an_own_price_is_laid_over_the_shipped_ones(tmp_path: Path) -> None:
    own = tmp_path / "prices.toml"
    own.write_text(
        'format = 1\n[vpc.us-east-1]\nas-of = 2026-12-01\nsource = "our invoice"\n'
        'nat-gateway = "0.09"\n'
    )
    assert read_savings(EXAMPLE).price("vpc.nat-gateway") == Decimal("0.045")
    assert read_savings(EXAMPLE, own).price("vpc.nat-gateway") == Decimal("0.09")
    assert "our invoice" in " ".join(read_savings(EXAMPLE, own).price_sources())
