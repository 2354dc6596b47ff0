"""The articles' arithmetic with its rounding; evidence or no money; every assumption told."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.cli import main
from pytest_arm64.cost.calculate import CostQuestion, calculate
from pytest_arm64.cost.model import Savings, SavingsPart, Side, change, instance_cost, lambda_cost
from pytest_arm64.cost.prices import price_list
from pytest_arm64.cost.sides import read_side
from pytest_arm64.errors import PriceError
from pytest_arm64.inside.measure.memory import Memory
from pytest_arm64.inside.measure.record import Measured, Record
from pytest_arm64.inside.ran import Ran
from pytest_arm64.run.measurements import encoded_measurements
from unit.support import JSON, attempt

HOUR = Decimal("0.0168")
TEST = "test_it.py::test_validate"


def test_the_classifier_of_the_article() -> None:
    """2.21 → 3.11 images a second, a million a day, 0.0168 $ an hour."""
    before = instance_cost(Decimal("2.21"), 1_000_000, HOUR)
    after = instance_cost(Decimal("3.11"), 1_000_000, HOUR)
    assert (before.whole_hours, after.whole_hours) == (126, 90)
    assert round(after.hours, 1) == Decimal("89.3")
    assert (round(before.month, 2), round(after.month, 2)) == (Decimal("63.50"), Decimal("45.36"))
    assert round(change(before.hours, after.hours), 1) == Decimal("-28.9")


def test_a_fifth_less_is_a_quarter_more() -> None:
    prices = price_list("lambda", "us-east-1")
    x86, arm = prices.price("x86_64"), prices.price("arm64")
    assert round(change(x86, arm), 1) == Decimal("-20.0")
    assert round(change(arm, x86), 1) == Decimal("25.0")


def test_lambda_bills_whole_milliseconds() -> None:
    def billed(seconds: str) -> int:
        return lambda_cost(Decimal(seconds), 512, Decimal(1), Decimal(0)).billed_milliseconds

    assert [billed(s) for s in ("0.0201", "0.020", "0.00001")] == [21, 20, 1]
    cost = lambda_cost(Decimal("0.1"), 512, Decimal("0.0000166667"), Decimal("0.20"))
    assert cost.gb_seconds == 50_000
    assert cost.compute == Decimal("0.833335")
    assert cost.total == Decimal("1.033335")


@given(st.decimals("0.01", "1000", places=2), st.integers(1, 10**9))
def test_whole_hours_are_the_next(throughput: Decimal, calls: int) -> None:
    cost = instance_cost(throughput, calls, HOUR)
    assert cost.hours <= cost.whole_hours < cost.hours + 1
    assert cost.month == cost.whole_hours * 30 * HOUR


def test_only_what_is_due_to_arm_is_credited_to_it() -> None:
    savings = Savings(
        (
            SavingsPart("compute", Decimal(36), due_to_arm=True, basis=""),
            SavingsPart("NAT gateways", Decimal(65), due_to_arm=False, basis=""),
            SavingsPart("less to look after", None, due_to_arm=False, basis=""),
        )
    )
    assert [savings.due_to_arm, savings.otherwise] == [Decimal(36), Decimal(65)]


def cost(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = main(["cost", *arguments])
    captured = capsys.readouterr()
    return code, captured.out + captured.err


def test_the_command_tells_the_article(capsys: pytest.CaptureFixture[str]) -> None:
    """Both sides run on ARM: whatever made it quicker, it was not the architecture."""
    code, out = cost(
        capsys, "told:arm64:2.21/s", "told:arm64:3.11/s", "--instance", "arm64=t4g.small"
    )
    assert code == 0
    for text in ("126 instance-hours a day (125.7", "90 instance-hours a day (89.3"):
        assert text in out
    assert "63.50 $ a month" in out
    assert "45.36 $ a month" in out
    assert "a call costs 28.9 % less" in out
    assert "NOT due to ARM  compute" in out
    assert "together 0.00 $ due to ARM, 18.14 $ not due to it" in out
    assert "stated, not measured" in out
    assert "rounded up to whole ones" in out
    assert "as of 2026-11-22" in out


def test_equal_duration_is_an_assumption_that_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    code, out = cost(
        capsys, "told:x86_64:100ms", "--memory", "512MB", "--monthly-cost", "180",
        "--other", "NAT gateways=65", "--other", "frames that never reach the GPU=",
    )  # fmt: skip
    assert code == 0
    assert "ARM was not measured: a call is assumed to take as long as on x86_64" in out
    assert "due to ARM      compute on ARM instead of x86 (of a bill of 180.00 $" in out
    assert "65.00 $  NOT due to ARM  NAT gateways (told)" in out
    assert "no number  NOT due to ARM  frames that never reach the GPU" in out
    assert "a GB-second is 20.0 % less on arm64 (25.0 % more on x86_64)" in out


def measured(where: Ran, seconds: float = 0.02, **changes: Any) -> Measured:
    record = Record("validate", "call", (seconds,) * 9, memory=Memory(1, 1, "memray"), **changes)
    return Measured(TEST, where, (record,))


X86 = Ran("x86_64", "", emulated=False, stand_in=False, target="al2023-python3.12")
NATIVE = Ran("aarch64", "Neoverse-N1", emulated=False, stand_in=False, target="al2023-python3.12")
EMULATED = Ran("aarch64", "graviton2 (qemu neoverse-n1)", emulated=True, stand_in=False)
PLAIN = Ran("aarch64", "", emulated=None)


def test_two_native_measurements(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x86.json").write_bytes(
        encoded_measurements([measured(X86, 0.021), measured(EMULATED, 9.0)])
    )
    (tmp_path / "arm.json").write_bytes(encoded_measurements([measured(NATIVE, 0.018)]))
    words = [str(tmp_path / name) for name in ("x86.json", "arm.json")]
    code, out = cost(capsys, *words, "--memory", "512MB", "--format", "json")
    assert code == 0
    document = json.loads(out)
    x86, arm = (Decimal(side["usd_per_million"]) for side in document["sides"])
    assert x86 == Decimal("0.0000166667") * 21 * 500 + Decimal("0.20")
    assert arm == Decimal("0.0000133334") * 18 * 500 + Decimal("0.20")
    assert [part["due_to_arm"] for part in document["savings"]] == [True]
    assert Decimal(document["savings"][0]["usd_per_month"]) == (x86 - arm) * 30
    assert len(document["left_out"]) == 1
    assert "EMULATED" in document["left_out"][0]
    assert any("same code and versions" in told for told in document["assumptions"])
    assert document["time_ratio"]["low"] == pytest.approx(21 / 18)


@pytest.mark.parametrize(("seconds", "told"), [(0.018, False), (0.021, True)])
def test_the_ratio_of_two_measurements_has_its_interval(
    seconds: float, told: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x86.json").write_bytes(encoded_measurements([measured(X86, 0.021)]))
    (tmp_path / "arm.json").write_bytes(encoded_measurements([measured(NATIVE, seconds)]))
    words = [str(tmp_path / name) for name in ("x86.json", "arm.json")]
    _, out = cost(capsys, *words, "--memory", "512MB")
    ratio = f"{0.021 / seconds:.3f}"
    assert f"first side to second: {ratio} ({ratio} to {ratio} at 99%)" in out
    assert ("no difference in time can be detected" in out) == told


def test_a_told_side_has_no_interval(capsys: pytest.CaptureFixture[str]) -> None:
    _, out = cost(capsys, "told:x86_64:100ms", "told:arm64:90ms", "--memory", "512MB")
    assert "first side to second" not in out


@pytest.mark.parametrize(
    ("where", "changes"),
    [(EMULATED, {}), (PLAIN, {}), (NATIVE, {"disturbed": "coverage is at work"})],
)
def test_what_is_no_evidence_is_no_money(
    where: Ran, changes: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "m.json").write_bytes(encoded_measurements([measured(where, **changes)]))
    code, out = cost(capsys, str(tmp_path / "m.json"), "--memory", "512MB")
    assert code == 2
    assert "$" not in out
    assert "only native time, undisturbed, is turned into money" in out
    assert "EMULATED" in out or where is not EMULATED


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("told:arm64:100", "--memory", "512MB"), "not a quantity"),
        (("told:arm64:0/s", "--memory", "512MB"), "not a quantity"),
        (("told:riscv:1s", "--memory", "512MB"), "riscv"),
        (("told:arm64:1s", "--memory", "12MB"), "128MB to 10240MB"),
        (("told:arm64:1s", "--memory", "much"), "not a quantity"),
        (("told:arm64:1s", "--memory", "1GB", "--region", "mars-1"), "no lambda prices"),
        (("told:arm64:1s", "--memory", "1GB", "--per-day", "0"), "not a number of calls"),
        (("told:arm64:1s", "--memory", "1GB", "--monthly-cost", "NaN"), "not an amount"),
        (("told:arm64:1s", "--memory", "1GB", "--other", "NAT"), "NAME=65"),
        (("told:arm64:1s",) * 3 + ("--memory", "1GB"), "one or two"),
        (("told:x86_64:1s", "--instance", "arm64=t4g.small"), "no instance type is named"),
        (("told:arm64:1s", "--instance", "arm64=x1.huge"), "no price of 'x1.huge'"),
        (("told:arm64:1s", "--instance", "t4g.small"), "write arm64=t4g.small"),
        (("nowhere.json", "--memory", "1GB"), "holds no measurements"),
        (("told:arm64:1s", "--memory", "1GB", "--prices", "nowhere.toml"), "cannot be read"),
    ],
)
def test_mistakes_are_told(
    arguments: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = cost(capsys, *arguments)
    assert (code, out.count("Traceback")) == (2, 0)
    assert told in out


def test_one_subject_is_asked_for_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = Measured("test_it.py::test_b", NATIVE, measured(NATIVE).records)
    (tmp_path / "m.json").write_bytes(encoded_measurements([measured(NATIVE), other]))
    path = str(tmp_path / "m.json")
    code, out = cost(capsys, path, "--memory", "512MB")
    assert code == 2
    assert f"--test '{TEST}' --subject 'validate'" in out
    assert cost(capsys, path, "--memory", "512MB", "--test", TEST)[0] == 0
    assert "holds no such" in cost(capsys, path, "--memory", "512MB", "--test", "else")[1]


@given(JSON)
def test_any_file_is_read_or_told(tmp_path_factory: pytest.TempPathFactory, document: Any) -> None:
    path = tmp_path_factory.mktemp("any") / "m.json"
    path.write_text(json.dumps({"format": 1, "measured": document}))
    assert isinstance(attempt(PriceError, lambda: read_side(str(path))), PriceError)


OWN = """
format = 1
[lambda.us-east-1]
as-of = 2027-01-01
source = "our contract"
x86_64 = "0.00002"
arm64 = "0.00001"
million-requests = "0.10"
"""


def test_own_prices_are_laid_over(tmp_path: Path) -> None:
    (tmp_path / "prices.toml").write_text(OWN)
    answer = calculate(
        CostQuestion((Side("x86_64", Decimal(10), "told"),), 1024, prices=tmp_path / "prices.toml")
    )
    assert [one.million for one in answer.priced] == [Decimal("2.1"), Decimal("1.1")]
    assert any("2027-01-01 (our contract)" in told for told in answer.assumptions)
    assert price_list("ec2", "us-east-1", tmp_path / "prices.toml").price("t4g.small") == HOUR


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("format = 2", "format = 1"),
        ("format", "not TOML"),
        ("format = 1\nlambda = 3", "table of regions"),
        ("format = 1\n[lambda]\nus-east-1 = 3", "table"),
        (OWN.replace("as-of = 2027-01-01\n", ""), "needs as-of"),
        (OWN.replace('"0.10"', "0.1"), "write it as a text"),
        (OWN.replace("0.10", "free"), "is not a price"),
        (OWN.replace("0.10", "-1"), "is not a price"),
        (OWN.replace("0.10", "inf"), "is not a price"),
    ],
)
def test_prices_that_cannot_be_used(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "prices.toml").write_text(text)
    with pytest.raises(PriceError, match=told):
        price_list("lambda", "us-east-1", tmp_path / "prices.toml")
