"""Why a session inside stopped, as it is told here."""

from __future__ import annotations

from typing import cast

import pytest

from pytest_arm64.inside.frames import StopReason
from pytest_arm64.mirror.stops import raise_here

REFUSED = "usage: pytest [options]\npytest: error: unrecognized arguments: {}\n  inifile: None"


def refused(message: str) -> str:
    stop = StopReason("UsageError", "", None, None, "", [message])
    with pytest.raises(pytest.UsageError) as caught:
        raise_here(stop, cast("pytest.Session", None), None)
    return str(caught.value)


def test_the_plugin_that_an_unknown_option_belongs_to_is_named() -> None:
    text = refused(REFUSED.format("-n --cov=shop"))
    assert text.startswith(REFUSED.format("-n --cov=shop"))
    assert "next step: have pytest-xdist and pytest-cov among the packages of the tests" in text


@pytest.mark.parametrize("message", [REFUSED.format("--of-nobody -x"), "-n: expected a number"])
def test_any_other_mistake_is_told_as_it_was(message: str) -> None:
    assert refused(message) == message
