"""Evidence from records: which builds count, and what a failed installation says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_arm64.decide.collect import builds_of, install_failure
from pytest_arm64.decide.verdict import READY, UNDECIDED, decide
from pytest_arm64.environment.record import Installed, InstallRecord
from pytest_arm64.errors import InstallError
from unit.decide import made

BUILT = Installed("HNSWlib", "0.8.0", "deploy", "source", "h.tar.gz", "", "", True, seconds=40.0)
RECORD = InstallRecord((BUILT,), "the plan", "2026-11-20T10:00:00+00:00", 50.0)


def test_a_build_is_told_with_its_time_and_when_it_was() -> None:
    (build,) = builds_of(RECORD, made.NATIVE)
    assert (build.package, build.version, build.seconds) == ("hnswlib", "0.8.0", 40.0)
    assert build.where == replace(made.NATIVE, when=RECORD.made_at)


@pytest.mark.parametrize("how", [{"kept": True}, {"scope": "test"}, {"state": "wheel"}])
def test_what_was_not_built_now_for_deployment_is_no_build(how: dict[str, object]) -> None:
    record = replace(RECORD, packages=(replace(BUILT, **how),))  # type: ignore[arg-type]
    assert list(builds_of(record, made.NATIVE)) == []


@pytest.mark.parametrize(
    ("log", "verdict"),
    [
        ("error: command 'gcc' failed: No such file or directory: 'gcc'", UNDECIDED),
        ("", UNDECIDED),
        ("Failed to establish a new connection: Network is unreachable", READY),
        ("OSError: [Errno 28] No space left on device", READY),
    ],
)
def test_an_installation_that_fails_speaks_against_its_service_and_an_outage_does_not(
    log: str, verdict: str
) -> None:
    error = InstallError("it could not be installed", next_step="read the log", log=log)
    finding = install_failure(error, made.NATIVE)
    found = decide(made.service(runs=(), installs=(), findings=(finding,)), made.TODAY)
    assert found.verdict == verdict
    if verdict == UNDECIDED:
        assert found.reasons == ("install: it could not be installed",)
