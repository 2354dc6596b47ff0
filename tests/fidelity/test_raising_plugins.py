"""A plugin of the host that raises in a hook: its error ends the run, as it would natively."""

from __future__ import annotations

import pytest

from fidelity.harness import MakeCase
from fidelity.raising_plugin import ERRORS

FILES = {
    "test_it.py": """
        import warnings
        def test_a(): pass
        def test_b(): warnings.warn("careful")
        def test_c(): assert 0
    """
}
UNCOLLECTABLE = {**FILES, "test_broken.py": "1 / 0"}


HOOKS = (
    "pytest_runtest_logstart",
    "pytest_runtest_logfinish",
    "pytest_warning_recorded",
    "pytest_collectreport",
)
ERRORS_OF_LOGREPORT = sorted(ERRORS.keys() - {"Exit", "KeyboardInterrupt"})


@pytest.mark.parametrize(
    ("hook", "error"),
    [
        *((hook, "KeyError") for hook in HOOKS),
        *(("pytest_runtest_logreport", error) for error in ERRORS_OF_LOGREPORT),
    ],
)
def test_an_error_of_a_hook_is_an_internal_error(project: MakeCase, hook: str, error: str) -> None:
    case = project(
        UNCOLLECTABLE if hook == "pytest_collectreport" else FILES,
        junit=False,
        environment={"RAISING_HOOK": hook, "RAISING_ERROR": error},
    )
    native, mirrored = (
        case.native(["-p", "raising_plugin"]),
        case.mirrored(["-p", "raising_plugin"]),
    )
    assert mirrored.code == native.code
    assert _last(mirrored.text) == _last(native.text)
    if native.code == 3:
        assert "raise error" in mirrored.text
    assert mirrored.summary() == native.summary()


def _last(text: str) -> list[str]:
    """What pytest says of the error, less the frames of whoever called the hook."""
    lines = [line for line in text.splitlines() if line.startswith(("INTERNALERROR>", "ERROR:"))]
    return lines[-1:]


@pytest.mark.parametrize("error", ["Exit", "KeyboardInterrupt"])
@pytest.mark.parametrize("hook", ["pytest_runtest_logreport", "pytest_runtest_logstart"])
def test_a_hook_that_ends_the_session(project: MakeCase, hook: str, error: str) -> None:
    environment = {"RAISING_HOOK": hook, "RAISING_ERROR": error}
    case = project(FILES, junit=False, environment=environment)
    native, mirrored = (
        case.native(["-p", "raising_plugin"]),
        case.mirrored(["-p", "raising_plugin"]),
    )
    assert mirrored.code == native.code
    assert mirrored.summary() == native.summary()
    assert "collected and never reported" not in mirrored.text


SLOW_END = """
    import pathlib, time, pytest
    def pytest_sessionfinish():
        path = pathlib.Path(__file__).with_name("state.txt")
        path.write_text("")
        time.sleep(1)
        path.write_text("whole")
"""
LONG = "\n        import time\n        def test_long(): time.sleep(30)\n"


@pytest.mark.parametrize("tests", [FILES["test_it.py"], FILES["test_it.py"] + LONG])
@pytest.mark.parametrize("error", ["Exit", "KeyboardInterrupt", "KeyError"])
def test_what_the_session_writes_at_its_end_is_whole(
    project: MakeCase, error: str, tests: str
) -> None:
    case = project(
        {"test_it.py": tests, "conftest.py": SLOW_END},
        junit=False,
        environment={"RAISING_HOOK": "pytest_runtest_logreport", "RAISING_ERROR": error},
    )
    native, mirrored = (
        case.native(["-p", "raising_plugin"]),
        case.mirrored(["-p", "raising_plugin"]),
    )
    assert mirrored.code == native.code
    assert (case.project / "state.txt").read_text("utf-8") == "whole"
