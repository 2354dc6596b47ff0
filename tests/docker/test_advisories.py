"""Reproducers of the shipped advisories, in cells."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_arm64.advisories.database import shipped_advisories
from pytest_arm64.engine.endpoint import Engine

HOURS = 3600.0


@pytest.mark.long
def test_every_advisory_that_can_be_verified_is_reproduced(
    tmp_path: Path,
    engine: Engine,
) -> None:
    command = [sys.executable, "-m", "pytest_arm64", "advisories", "verify", "--all"]
    done = subprocess.run(
        [*command, "--format", "json"],
        check=False,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        timeout=2 * HOURS,
    )
    reproductions = json.loads(done.stdout)["reproductions"]
    failed = [r for r in reproductions if r["state"] in ("differs", "unknown")]
    assert (done.returncode, failed) == (0, [])
    wanted = {e.id for e in shipped_advisories().entries if e.verification is not None}
    assert {r["id"] for r in reproductions if r["state"] == "reproduced"} == wanted
