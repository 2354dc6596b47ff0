"""The backlog: what frees most comes first, and what nobody knows a way for comes last."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_arm64.audit.matrix import Remedy, Row
from pytest_arm64.decide.backlog import WorkItem, backlog
from pytest_arm64.decide.evidence import (
    Finding,
    Incident,
    ServiceEvidence,
    TestOutcome,
    TestRun,
)
from pytest_arm64.decide.runtime import GoldenResult
from pytest_arm64.decide.verdict import decide
from unit.decide import made
from unit.decide.made import TODAY


def tasks(**services: tuple[Row, ...]) -> tuple[WorkItem, ...]:
    found = [
        replace(made.service(*rows, runs=(), installs=()), name=name, monthly_cost=10.0)
        for name, rows in services.items()
    ]
    return ranked(found)


def ranked(services: list[ServiceEvidence]) -> tuple[WorkItem, ...]:
    return backlog(services, [decide(service, TODAY) for service in services], TODAY)


def test_what_frees_services_alone_comes_before_what_needs_more() -> None:
    other = replace(made.MOVABLE, name="psutil", version="5.9.8")
    found = tasks(
        a=(made.MOVABLE,), b=(made.MOVABLE, made.WHEEL), c=(made.MOVABLE, other), d=(other,)
    )
    assert [(task.package, task.services, task.frees) for task in found] == [
        ("triton", ("a", "b", "c"), ("a", "b")),
        ("psutil", ("c", "d"), ("d",)),
    ]
    assert found[0].monthly_cost == 20.0


def test_money_decides_between_equals() -> None:
    other = replace(made.MOVABLE, name="aaa")
    cheap = replace(made.service(other), name="cheap", monthly_cost=1.0)
    dear = replace(made.service(made.MOVABLE), name="dear", monthly_cost=900.0)
    assert [task.package for task in ranked([cheap, dear])] == ["triton", "aaa"]


def test_what_has_no_certain_way_is_last_whatever_it_would_free() -> None:
    found = tasks(a=(made.BLOCKER,), b=(made.BLOCKER,), c=(made.HELD,), d=(made.MOVABLE,))
    assert [(task.package, task.certain) for task in found] == [
        ("triton", True),
        ("decord", False),
        ("triton", False),
    ]


def test_a_declared_boundary_and_a_green_service_are_no_work() -> None:
    bounded = made.service(made.BLOCKER, boundary=made.BOUNDARY)
    assert ranked([bounded, replace(made.service(), name="green")]) == ()


def broken(path: str, package: str, remedy: str = "install a build for aarch64") -> Finding:
    text = f"wrong-architecture: {path}: it is for x86-64"
    return Finding(
        "abi", text, True, made.EMULATED, package, remedy, cause="wrong-architecture", path=path
    )


def test_what_was_seen_comes_before_what_the_matrix_predicts() -> None:
    tests = (
        TestOutcome("t.py::test_fails", "failed"),
        TestOutcome("t.py::test_dies", "failed", died=True),
        TestOutcome("t.py::test_value", "failed"),
        TestOutcome("t.py::test_fine", "passed"),
    )
    files = [broken(f"torch/lib{number}.so", "torch") for number in range(143)]
    service = replace(
        made.service(made.MOVABLE, made.SOURCE),
        runs=(TestRun(made.EMULATED, tests),),
        findings=(*files, broken("other/_c.so", "other")),
        goldens=(GoldenResult("t.py::test_value", "0", "integer/cast", False, made.EMULATED),),
    )
    items = ranked([service])
    assert [(item.kind, item.package, item.count) for item in items[:5]] == [
        ("files", "torch", 143),
        ("files", "other", 1),
        ("tests", "", 1),
        ("deaths", "", 1),
        ("goldens", "", 1),
    ]
    assert {item.kind for item in items[5:]} == {"package"}
    assert items[0].action.startswith("143 compiled files cannot be loaded: wrong-architecture: ")
    assert items[0].action.endswith("install a build for aarch64")
    assert items[2].action == "1 test fails on ARM64: t.py::test_fails"
    assert items[3].title == "tests that killed their process"
    assert items[4].action == "1 test computes other values than on x86: t.py::test_value"


@pytest.mark.parametrize("package", ["triton-3.1.0", "Triton-3.1.0", "triton"])
def test_files_of_a_package_that_the_matrix_has_a_change_for_are_one_entry_with_it(
    package: str,
) -> None:
    """A finding has the package as its folder of metadata does: ``name-version``."""
    service = replace(made.service(made.MOVABLE), findings=(broken("triton/a.so", package),))
    (item,) = ranked([service])
    assert (item.kind, item.package, item.version) == ("files", "triton", "3.1.0")
    assert item.frees == ("api",)
    assert item.action == (
        "1 compiled file cannot be loaded: wrong-architecture: triton/a.so: it is for x86-64: "
        "triton 3.5.0 has a usable wheel: change triton==3.1.0"
    )


def test_files_of_a_package_with_a_dash_have_its_name_and_version() -> None:
    service = replace(made.service(), findings=(broken("zed/a.so", "zed_core-1.0"),))
    (item,) = ranked([service])
    assert (item.package, item.version) == ("zed-core", "1.0")


def test_a_package_of_several_services_is_one_entry() -> None:
    services = [
        replace(made.service(), name=name, findings=(broken("torch/a.so", "torch"),))
        for name in ("a", "b")
    ]
    (item,) = ranked(services)
    assert (item.package, item.services, item.count) == ("torch", ("a", "b"), 1)


def test_two_releases_of_a_package_are_one_entry_with_both_changes() -> None:
    older = replace(
        made.MOVABLE,
        version="3.0.0",
        remedy=Remedy("change triton==3.0.0 (b.txt:1)", "3.5.0", own=True),
    )
    (item,) = tasks(a=(made.MOVABLE,), b=(older,), c=(older,))
    assert (item.package, item.version) == ("triton", "3.1.0, 3.0.0")
    assert (item.services, item.frees, item.monthly_cost) == (*2 * (("a", "b", "c"),), 30.0)
    assert item.action == (
        "triton 3.5.0 has a usable wheel: change triton==3.1.0; change triton==3.0.0 (b.txt:1)"
    )


def test_many_failing_tests_are_one_entry() -> None:
    tests = tuple(TestOutcome(f"t.py::test_{number}", "failed") for number in range(168))
    (item,) = ranked([replace(made.service(), runs=(TestRun(made.EMULATED, tests),))])
    assert item.action == (
        "168 tests fail on ARM64: t.py::test_0, t.py::test_1, t.py::test_2 and 165 more"
    )


@pytest.mark.parametrize(
    ("tests", "kinds", "frees"),
    [((), ["incomplete"], ("api",)), (("failed",), ["tests", "incomplete"], ())],
)
def test_files_that_cannot_be_imported_are_an_entry_also_beside_failing_tests(
    tests: tuple[str, ...], kinds: list[str], frees: tuple[str, ...]
) -> None:
    incidents = tuple(
        Incident("collection-error", "ModuleNotFoundError: moto", f"t/test_{number}.py")
        for number in range(4)
    )
    run = made.run(made.EMULATED, "passed", *tests, incidents=incidents)
    found = ranked([made.service(runs=(run,))])
    assert [item.kind for item in found] == kinds
    last = found[-1]
    assert (last.frees, last.count) == (frees, 4)
    assert "t/test_0.py: ModuleNotFoundError: moto" in last.action
    assert last.action.endswith(" and 1 more")


def test_files_and_tests_behind_a_boundary_are_no_work() -> None:
    bounded = replace(
        made.service(made.BLOCKER, boundary=made.BOUNDARY),
        findings=(broken("torch/a.so", "torch"),),
        runs=(TestRun(made.EMULATED, (TestOutcome("t.py::test_it", "failed"),)),),
    )
    assert ranked([bounded]) == ()
