"""Reports and warnings by way of JSON."""

from __future__ import annotations

import json
import warnings
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.inside.frames import PhasePassed, ReportDetails, WarningRecorded
from pytest_arm64.mirror.reports import passed_report, rebuilt_report, rebuilt_warning
from unit.mirror.scripted import NO_DETAILS

SECTIONS = st.lists(st.tuples(st.text(), st.text()), max_size=3)
LOCATION = st.tuples(st.text(), st.none() | st.integers(0, 99), st.text())


@pytest.fixture(scope="module")
def config(request: pytest.FixtureRequest) -> pytest.Config:
    return request.config


@pytest.mark.parametrize("longrepr", [None, "text", ("a.py", 3, "Skipped: why")])
@given(sections=SECTIONS, location=LOCATION, properties=SECTIONS)
def test_a_report_there_and_back(
    config: pytest.Config, longrepr: Any, sections: Any, location: Any, properties: Any
) -> None:
    report = pytest.TestReport(
        "t.py::test",
        location,
        {"word": 1},
        "failed",
        longrepr,
        "call",
        sections,
        duration=0.5,
        user_properties=properties,
    )
    data = config.hook.pytest_report_to_serializable(config=config, report=report)
    back = rebuilt_report(config, json.loads(json.dumps(data)), NO_DETAILS)
    for name in ("nodeid", "location", "outcome", "longrepr", "when", "sections", "duration"):
        assert getattr(back, name) == getattr(report, name)
    assert back.user_properties == properties
    assert type(back.longrepr) is type(longrepr)


def test_a_type_unknown_here_becomes_a_plain_report(config: pytest.Config) -> None:
    data = {"$report_type": "FromTheFuture", "nodeid": "t.py::a", "outcome": "failed"}
    report = rebuilt_report(
        config, {**data, "longrepr": {"reprcrash": "broken"}, "when": "call"}, NO_DETAILS
    )
    assert isinstance(report, pytest.TestReport)
    assert (report.nodeid, report.outcome, report.longrepr) == ("t.py::a", "failed", "broken")


def test_a_worker_is_named_as_pytest_names_it(config: pytest.Config) -> None:
    data = {"nodeid": "t.py::a", "outcome": "passed", "when": "call"}
    report = rebuilt_report(config, dict(data), ReportDetails(("gw1", "[gw1] linux"), None, []))
    assert report.node.gateway.id == "gw1"
    assert hash(report.node) == hash(report.node)


def test_a_plain_phase() -> None:
    started = ("t.py", 3, "a")
    frame = PhasePassed("t.py::a", None, "call", None, 0.5, 1, 2)
    report = passed_report(frame, started, {"a": 1})
    assert (report.nodeid, report.location, report.outcome) == (
        "t.py::a",
        ("t.py", 3, "a"),
        "passed",
    )


def _warning(bases: list[tuple[str, str]], message: str) -> warnings.WarningMessage:
    return rebuilt_warning(
        WarningRecorded(bases, message, "a.py", 3, "runtest", "t.py::a", None, "x = 1", False)
    )


def test_known_categories_are_themselves() -> None:
    category = _warning([("builtins", "DeprecationWarning")], "old").category
    assert category is DeprecationWarning
    category = _warning([("pytest", "PytestConfigWarning")], "config").category
    assert category is pytest.PytestConfigWarning


def test_another_category_has_its_name_and_the_nearest_known_base() -> None:
    bases = [("lib", "Own"), ("builtins", "FutureWarning"), ("builtins", "Warning")]
    warning = _warning(bases, "of its own")
    assert (warning.category.__name__, warning.category.__module__) == ("Own", "lib")
    assert issubclass(warning.category, FutureWarning)
    assert str(warning.message) == "of its own"


def test_a_name_that_is_no_warning_is_never_called() -> None:
    warning = _warning([("builtins", "exit"), ("builtins", "print")], "odd")
    assert warning.category is UserWarning
