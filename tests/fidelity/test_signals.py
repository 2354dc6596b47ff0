"""Ctrl-C and SIGTERM end a run in every phase: soon, in a line, with everything closed."""

from __future__ import annotations

import signal
import time

import pytest

from fidelity.harness import Case, MakeCase

MOST_SECONDS = 10
STATUS = {signal.SIGINT: int(pytest.ExitCode.INTERRUPTED), signal.SIGTERM: 143}
PHASES = ("audit", "wheels", "environment", "results", "containers")


def ended(case: Case, number: signal.Signals, mode: str) -> tuple[int, str, float]:
    """Exit status, output and seconds of a run that gets a signal where it waits."""
    case.write()
    process = case.start(["-p", "waiting_place"], mode)
    deadline = time.monotonic() + 60
    while not (case.project / "running").exists():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.02)
    began = time.monotonic()
    process.send_signal(number)
    out, _ = process.communicate(timeout=45)
    return process.returncode, out, time.monotonic() - began


@pytest.mark.parametrize("number", STATUS)
@pytest.mark.parametrize("phase", PHASES)
def test_a_signal_ends_every_phase(project: MakeCase, phase: str, number: signal.Signals) -> None:
    case = project("def test_a(): pass\n", junit=False, environment={"WAITS": phase})
    status, out, seconds = ended(case, number, "--arm64")
    assert status == STATUS[number], out
    assert seconds < MOST_SECONDS
    assert "Traceback" not in out
    assert "INTERNALERROR" not in out
    if number == signal.SIGTERM:
        assert "terminated by SIGTERM" in out
    assert ("the place is closed" in out) == (phase in ("results", "containers"))


@pytest.mark.parametrize("phase", ["environment", "containers"])
def test_a_signal_ends_every_phase_of_marked_tests(project: MakeCase, phase: str) -> None:
    test = "import pytest\n@pytest.mark.arm64\ndef test_a(): pass\n"
    case = project(test, junit=False, environment={"WAITS": phase})
    status, out, seconds = ended(case, signal.SIGTERM, "--arm64-marked")
    assert status == STATUS[signal.SIGTERM], out
    assert seconds < MOST_SECONDS
    assert "Traceback" not in out
    assert "terminated by SIGTERM" in out
