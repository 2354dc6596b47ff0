"""The backlog: what frees most comes first, and what nobody knows a way for comes last."""

from __future__ import annotations

from dataclasses import replace

from pytest_arm64.audit.matrix import Row
from pytest_arm64.decide.backlog import WorkItem, backlog
from pytest_arm64.decide.evidence import ServiceEvidence
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
    return backlog(services, [decide(service, TODAY) for service in services])


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
