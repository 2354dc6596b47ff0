"""The examples of ``docs/fixtures.md`` on ARM64."""

from __future__ import annotations

from pathlib import Path

from docker_cases import RunPytest, outcomes
from documented import examples


def test_the_documented_examples_of_fixtures_pass(run_pytest: RunPytest, tmp_path: Path) -> None:
    names = [name for name, text in examples("fixtures.md") if (tmp_path / name).write_text(text)]
    (tmp_path / "requirements.txt").write_text("markupsafe==3.0.2\n")
    (tmp_path / "requirements-test.txt").write_text("pytest\n")
    result = run_pytest(tmp_path, "--arm64", "--junitxml=junit.xml", *names)
    assert result.code == 0, result.out
    found = {name: outcome for (_, name), outcome in outcomes(tmp_path / "junit.xml").items()}
    latency = found.pop("test_latency")
    assert latency == ("skipped" if "aarch64 EMULATED" in result.out else "passed")
    assert set(found.values()) == {"passed"}, found
    assert len(found) == 6
