"""What of a matrix fails a run: policies, the baseline, allowances, observations."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.audit.matrix import Row, WheelMatrix
from pytest_arm64.config.project_files import read_project_files
from pytest_arm64.config.services import services_at
from pytest_arm64.decide.allowances import Allowance, read_allowances
from pytest_arm64.decide.assessment import Assessment
from pytest_arm64.decide.baseline import Baseline, read_baseline, write_baseline
from pytest_arm64.decide.package_verdicts import GRAVITY, POLICIES, verdicts
from pytest_arm64.errors import SettingsError
from unit.decide import made
from unit.support import is_plain_text, write

pytestmark = pytest.mark.usefixtures("index_alone")

TODAY = date(2027, 3, 1)
PATH = ("requirements.txt:7", "zed 2.0")


def matrix_of(state: str, version: str = "2.0", *, service: str = "api") -> WheelMatrix:
    file = f"zed-{version}.whl"
    zed = Row("zed", version, state, PATH, cause="not-published", detail="why", file=file)
    return WheelMatrix(service, "t", (zed, Row("plain", "1", "pure")), manifest="requirements.txt")


def failing(matrix: WheelMatrix, policy: str, **how: object) -> list[str]:
    found = verdicts(matrix, policy, today=TODAY, **how)  # type: ignore[arg-type]
    return [gate.nodeid for gate in found if gate.failed]


@pytest.mark.parametrize("state", ["source", "blocker", "unknown"])
def test_policies(state: str) -> None:
    matrix = matrix_of(state)
    assert failing(matrix, "report") == []
    assert failing(matrix, "all") == ["arm64::api::zed"]
    assert failing(matrix, "new", baseline=Baseline()) == ["arm64::api::zed"]


def test_a_gate_tells_where_why_and_what_to_do() -> None:
    (gate,) = verdicts(matrix_of("blocker"), "all", today=TODAY)
    assert (gate.file, gate.line) == ("requirements.txt", 7)
    assert gate.text.splitlines() == [
        "zed 2.0 is blocker on t",
        "not-published: why",
        "from requirements.txt:7 → zed 2.0",
    ]


def test_what_is_pure_has_no_gate_and_what_is_native_passes() -> None:
    (gate,) = verdicts(matrix_of("wheel"), "all", today=TODAY)
    assert not gate.failed
    assert gate.nodeid == "arm64::api::zed"


states = st.sampled_from(sorted(GRAVITY))


@given(states, states)
def test_only_a_fall_fails_against_a_baseline(before: str, now: str) -> None:
    baseline = Baseline({("api", "t", "deploy", "zed"): (before, "1.0")})
    failed = failing(matrix_of(now), "new", baseline=baseline)
    assert bool(failed) is (GRAVITY[now] > GRAVITY[before])


def test_a_fall_names_the_version_that_did_it() -> None:
    baseline = Baseline({("api", "t", "deploy", "zed"): ("wheel", "1.0")})
    (gate,) = verdicts(matrix_of("blocker"), "new", baseline=baseline, today=TODAY)
    assert gate.text.splitlines()[0] == "zed 2.0 fell from wheel to blocker since 1.0"


def test_a_baseline_is_of_its_service_and_target() -> None:
    baseline = Baseline({("other", "t", "deploy", "zed"): ("blocker", "2.0")})
    assert failing(matrix_of("blocker"), "new", baseline=baseline)


def test_what_was_observed_counts_more_than_what_was_predicted() -> None:
    assert failing(matrix_of("unknown"), "all", observed={"zed": "wheel"}) == []
    (gate,) = verdicts(matrix_of("wheel"), "all", observed={"zed": "source"}, today=TODAY)
    assert gate.failed
    assert "predicted wheel (zed-2.0.whl), installed as source" in gate.text


def test_a_baseline_is_written_and_read_again(tmp_path: Path) -> None:
    write_baseline(tmp_path, [matrix_of("source"), matrix_of("wheel", service="worker")])
    write_baseline(tmp_path, [matrix_of("blocker", "3.0")])
    baseline = read_baseline(tmp_path)
    assert baseline is not None
    assert dict(baseline.packages) == {
        ("api", "t", "deploy", "plain"): ("pure", "1"),
        ("api", "t", "deploy", "zed"): ("blocker", "3.0"),
        ("worker", "t", "deploy", "plain"): ("pure", "1"),
        ("worker", "t", "deploy", "zed"): ("wheel", "2.0"),
    }
    before = (tmp_path / "arm64-baseline.json").read_bytes()
    write_baseline(tmp_path, [matrix_of("blocker", "3.0")])
    assert (tmp_path / "arm64-baseline.json").read_bytes() == before


OLD = {"service": "repository", "target": "t", "scope": "deploy", "package": "zed"}


@pytest.mark.parametrize("pyproject", ["[project]\nname = 'shop'\n", ""])
def test_a_baseline_of_the_repository_is_that_of_the_project(
    tmp_path: Path, pyproject: str
) -> None:
    finding = {"service": "repository", "target": "t", "finding": "verdict", "state": "x"}
    old = {"packages": [{**OLD, "version": "1", "state": "source"}], "findings": [finding]}
    files = {"arm64-baseline.json": json.dumps({"format": 1, **old}), "pyproject.toml": pyproject}
    write(tmp_path / "shop", files)
    services = services_at(read_project_files(tmp_path / "shop"))
    baseline = read_baseline(tmp_path / "shop", services)
    assert baseline is not None
    assert dict(baseline.packages) == {("shop", "t", "deploy", "zed"): ("source", "1")}
    assert baseline.finding("shop", "t", "verdict") is not None
    path = write_baseline(
        tmp_path / "shop", [matrix_of("wheel", service="shop")], services=services
    )
    written = {entry["service"] for entry in json.loads(path.read_text("utf-8"))["packages"]}
    # The name of a folder may be another one in another checkout.
    assert written == {"shop" if pyproject else "repository"}
    assert read_baseline(tmp_path / "shop", services) is not None


def test_an_allowance_for_the_repository_is_for_the_project(tmp_path: Path) -> None:
    write(tmp_path / "shop", {"pyproject.toml": ""})
    services = services_at(read_project_files(tmp_path / "shop"))
    table = {"allow-source": [{"package": "zed", "reason": "r", "services": ["repository"]}]}
    (allowance,) = read_allowances(table, services)
    assert allowance.covers("shop", "zed")
    assert not allowance.covers("repository", "zed")


def test_a_service_may_be_called_repository(tmp_path: Path) -> None:
    table = "[tool.pytest-arm64.service.repository]\nrequirements = 'requirements.txt'\n"
    write(tmp_path, {"pyproject.toml": table, "requirements.txt": ""})
    services = services_at(read_project_files(tmp_path))
    write_baseline(tmp_path, [matrix_of("source", service="repository")], services=services)
    baseline = read_baseline(tmp_path, services)
    assert baseline is not None
    assert {key[0] for key in baseline.packages} == {"repository"}


def test_no_baseline_is_none_and_a_broken_one_is_told(tmp_path: Path) -> None:
    assert read_baseline(tmp_path) is None
    for content in ("[", "[]", '{"format": 9}', '{"format": 1, "packages": [{"service": 1}]}'):
        write(tmp_path, {"arm64-baseline.json": content})
        with pytest.raises(SettingsError) as caught:
            read_baseline(tmp_path)
        assert is_plain_text(caught.value)


def test_an_incomplete_matrix_is_no_baseline(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="incomplete"):
        write_baseline(tmp_path, [matrix_of("unknown")])


ALLOWANCE = Allowance("zed", "builds in 40 s", ("ap*",), TODAY + timedelta(days=30))


def test_an_allowance_lets_a_source_build_pass_and_nothing_worse() -> None:
    assert failing(matrix_of("source"), "all", allowances=[ALLOWANCE]) == []
    assert failing(matrix_of("blocker"), "all", allowances=[ALLOWANCE])
    assert failing(matrix_of("source", service="worker"), "all", allowances=[ALLOWANCE])


def test_an_allowance_ends() -> None:
    over = Allowance("zed", "builds in 40 s", expires=TODAY - timedelta(days=1))
    (gate,) = verdicts(matrix_of("source"), "all", allowances=[over], today=TODAY)
    assert gate.failed
    assert "that was allowed until 2027-02-28" in gate.text
    last_day = Allowance("zed", "builds in 40 s", expires=TODAY)
    assert failing(matrix_of("source"), "all", allowances=[last_day]) == []


@pytest.mark.parametrize(("days", "warned"), [(0, True), (30, True), (31, False), (-1, False)])
def test_the_end_of_an_allowance_is_announced(days: int, warned: bool) -> None:
    allowance = Allowance("zed", "r", expires=TODAY + timedelta(days=days))
    found = Assessment((matrix_of("source"),), "all", allowances=(allowance,), today=TODAY)
    assert any("soon over" in line for line in found.reminders()) is warned


def test_an_unused_allowance_is_told_only_when_everything_was_audited() -> None:
    for state, told in (("wheel", True), ("source", False), ("unknown", False)):
        found = Assessment((matrix_of(state),), "all", allowances=(ALLOWANCE,), today=TODAY)
        lines = [line for line in found.reminders() if "not needed" in line]
        assert bool(lines) is told, state


@pytest.mark.parametrize(
    "entry",
    [
        {"package": "zed"},
        {"reason": "r"},
        {"package": "zed", "reason": " "},
        {"package": "zed", "reason": "r", "until": date(2027, 1, 1)},
        {"package": "zed", "reason": "r", "expires": "2027-01-01"},
        {"package": "zed", "reason": "r", "services": "api"},
    ],
)
def test_an_allowance_without_sense_is_refused(entry: dict[str, object]) -> None:
    with pytest.raises(SettingsError) as caught:
        read_allowances({"allow-source": [entry]})
    assert is_plain_text(caught.value)


def test_there_is_no_other_policy() -> None:
    assert POLICIES == ("report", "new", "all")


def test_what_is_declared_to_stay_on_x86_may_have_no_wheel() -> None:
    (gate,) = verdicts(matrix_of("blocker"), "all", bounded=True, today=TODAY)
    assert (gate.failed, gate.text.splitlines()[0]) == (False, "zed 2.0 is blocker on t")


@pytest.mark.parametrize(("observed", "failed"), [("pure", []), ("source", ["arm64::api::docopt"])])
def test_pure_sources_fail_only_where_their_build_compiled_something(
    observed: str, failed: list[str]
) -> None:
    matrix = made.matrix(made.FROM_SOURCE)
    assert failing(matrix, "all") == []
    assert failing(matrix, "all", observed={"docopt": observed}) == failed
