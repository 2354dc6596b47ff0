"""Why a session inside stopped, as it is told here."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_arm64.mirror.stops import Stop

REFUSED = "usage: pytest [options]\npytest: error: unrecognized arguments: {}\n  inifile: None"


def told(message: str) -> str:
    session: Any = None
    with pytest.raises(pytest.UsageError) as caught:
        Stop.of(["UsageError", [message], None, None, ""]).raise_here(session, None)
    return str(caught.value)


def test_the_plugin_that_an_unknown_option_belongs_to_is_named() -> None:
    found = told(REFUSED.format("-n --cov=shop"))
    assert found.startswith(REFUSED.format("-n --cov=shop"))
    assert "next step: have pytest-xdist and pytest-cov among the packages of the tests" in found


@pytest.mark.parametrize("message", [REFUSED.format("--of-nobody -x"), "-n: expected a number"])
def test_any_other_mistake_is_told_as_it_was(message: str) -> None:
    assert told(message) == message
