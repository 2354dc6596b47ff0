"""Reproducers of advisories: the repository that runs them, and what comes of each."""

from __future__ import annotations

import ast
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from pytest_arm64.advisories.database import shipped_advisories
from pytest_arm64.advisories.entries import Advisory, read_advisories
from pytest_arm64.config._toml import loads
from pytest_arm64.errors import SettingsError
from pytest_arm64.run.reproductions import (
    DIFFERS,
    NOT_HERE,
    REPRODUCED,
    TARGET,
    UNKNOWN,
    counted,
    repository,
    reproduce,
)
from unit.advisories.made_advisories import entry

VERIFY = {"affected": "2.1", "passes": "3.0", "with": ["numpy==1.26.4"]}


def advisory(
    identity: str = "ARM-2026-0001", *, code: str = "import zed\n", **changes: Any
) -> Advisory:
    data = entry(identity, **changes)
    data["database_specific"] |= {"reproducer": code, "verify": VERIFY}
    return read(data)


def read(data: Mapping[str, Any]) -> Advisory:
    (advisory,) = read_advisories(json.dumps(data).encode(), "made.json")
    return advisory


def test_each_advisory_has_a_service_for_both_releases() -> None:
    files = repository([advisory(), read(entry("ARM-2026-0002"))])
    services = loads(files["pyproject.toml"])["tool"]["pytest-arm64"]["service"]
    assert set(services) == {"arm-2026-0001-affected", "arm-2026-0001-passes"}
    assert files["arm-2026-0001-affected/requirements.txt"] == "zed==2.1\nnumpy==1.26.4\n"
    assert files["arm-2026-0001-passes/requirements.txt"] == "zed==3.0\nnumpy==1.26.4\n"
    for service in services.values():
        assert {service["requirements"], service["test-requirements"]} <= set(files)
    for path, text in files.items():
        if path.endswith(".py"):
            ast.parse(text)


def test_each_target_has_a_session_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    sessions: list[tuple[str, list[str]]] = []

    def main(*_: object, **__: object) -> int:
        settings = loads(Path("pyproject.toml").read_text("utf-8"))["tool"]["pytest-arm64"]
        sessions.append((settings["target"], sorted(settings["service"])))
        return 0

    monkeypatch.setattr(pytest, "main", main)
    data = entry("ARM-2026-0002")
    verify = {**VERIFY, "target": "lambda-python3.11"}
    data["database_specific"] |= {"reproducer": "import zed\n", "verify": verify}
    reproduce([read(data), advisory(), advisory("ARM-2026-0003")])
    assert [(target, len(services)) for target, services in sessions] == [
        ("lambda-python3.11", 2),
        (TARGET, 4),
    ]


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Callable[[Mapping[str, str]], None]:
    """Plays a session in which the tests of these services end so; the others do not run."""

    def play(ends: Mapping[str, str]) -> None:
        def main(arguments: Sequence[str], plugins: Sequence[Any]) -> int:
            assert list(arguments[:3]) == ["--arm64", "--arm64-gate", "report"]
            assert (Path.cwd() / "pyproject.toml").exists()
            for service, outcome in ends.items():
                text = "header\nE   it ended with 0: no\n" if outcome == "failed" else ""
                report = pytest.TestReport(
                    f"{service}/test_x.py::test_reproducer",
                    ("x", 1, "x"),
                    {},
                    outcome,  # type: ignore[arg-type]  # a word of a table
                    ("x", 1, "Skipped: not emulated") if outcome == "skipped" else text or None,
                    "call",
                )
                plugins[0].pytest_runtest_logreport(report)
            return 0

        monkeypatch.setattr(pytest, "main", main)

    return play


AFFECTED, PASSES = "arm-2026-0001-affected", "arm-2026-0001-passes"


@pytest.mark.parametrize(
    ("ends", "state", "text"),
    [
        ({AFFECTED: "passed", PASSES: "passed"}, REPRODUCED, "fails with zed 2.1, passes with 3.0"),
        ({AFFECTED: "failed", PASSES: "passed"}, DIFFERS, "it ended with 0: no"),
        ({AFFECTED: "passed", PASSES: "failed"}, DIFFERS, "it ended with 0: no"),
        ({AFFECTED: "passed"}, UNKNOWN, "could not be installed"),
        ({}, UNKNOWN, "could not be installed"),
        ({AFFECTED: "skipped", PASSES: "skipped"}, NOT_HERE, "Skipped: not emulated"),
    ],
)
def test_what_comes_of_an_advisory(
    session: Callable[[Mapping[str, str]], None], ends: Mapping[str, str], state: str, text: str
) -> None:
    session(ends)
    here = Path.cwd()
    (reproduction,) = reproduce([advisory()])
    assert reproduction.state == state
    assert text in reproduction.text
    assert Path.cwd() == here


def test_what_cannot_be_shown_says_why_and_starts_no_session(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pytest, "main", lambda *_, **__: pytest.fail("it ran"))
    data = entry()
    data["database_specific"]["reproduced"] = "not reproduced here: pages have 4 KiB"
    assert reproduce([read(data)])[0].text == "pages have 4 KiB"
    assert reproduce([read(entry())])[0].text == "there is no reproducer"
    assert list(counted(reproduce([read(data)]))) == ["1 not reproduced here"]


CODES = {
    "sigill": f"import os; os.kill(os.getpid(), {int(signal.SIGILL)})",
    "segmentation": f"import os; os.kill(os.getpid(), {int(signal.SIGSEGV)})",
    "assertion": "assert 1 == 2",
    "error": "import ctypes; ctypes.CDLL('libnothing.so')",
    "passes": "pass",
    "absent": "import certainly_nothing",
    "chained": "try:\n    import nothing_at_all\nexcept ImportError:\n    raise OSError('no')",
}
SHOWS = {
    "illegal-instruction": {"sigill"},
    "wrong-result": {"assertion"},
    "abort": {"sigill", "segmentation", "assertion", "error", "chained"},
    "missing-feature": {"sigill", "segmentation", "assertion", "error", "chained"},
}


def test_only_the_effect_that_is_described_counts(tmp_path: Path) -> None:
    for effect in SHOWS:
        for code, program in CODES.items():
            data = entry(package="pytest", effect=effect, versions=[version("pytest")])
            data["database_specific"] |= {
                "reproducer": program,
                "verify": {"affected": version("pytest"), "passes": "1.0"},
            }
            files = repository([read(data)])
            text = files[f"{AFFECTED}/test_{AFFECTED.replace('-', '_')}.py"]
            (tmp_path / f"test_{effect}_{code}.py").write_text(text)
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider"]
    done = subprocess.run(command, check=False, cwd=tmp_path, capture_output=True, text=True)
    lines = done.stdout.splitlines()
    passed = {line.partition("::")[0] for line in lines if line.startswith("PASSED")}
    shown = {f"PASSED test_{effect}_{code}.py" for effect in SHOWS for code in SHOWS[effect]}
    assert passed == shown, done.stdout


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"affected": "3.0"}, "3.0 is not affected"),
        ({"passes": "2.5"}, "2.5 is"),
        ({"passes": None}, "is not a version"),
        ({"core": "max; rm"}, "is not a name such as"),
        ({"core": 7}, "core is not a text"),
        ({"with": ["-r secrets.txt"]}, "is not a requirement"),
        ({"with": ["zed @ https://example.org/z.whl"]}, "has an address"),
        ({"with": "numpy"}, "is not a list"),
        ({"python": "3.9"}, "unknown key 'python'"),
    ],
)
def test_a_verification_that_cannot_be_used_is_refused(
    change: Mapping[str, Any], reason: str
) -> None:
    data = entry()
    data["database_specific"] |= {"reproducer": "pass", "verify": {**VERIFY, **change}}
    with pytest.raises(SettingsError, match=reason):
        read(data)


def test_a_verification_without_a_reproducer_is_refused() -> None:
    data = entry()
    data["database_specific"]["verify"] = VERIFY
    with pytest.raises(SettingsError, match="needs a reproducer"):
        read(data)


def test_every_shipped_advisory_is_reproduced_or_says_why_not() -> None:
    for shipped in shipped_advisories().entries:
        unseen = shipped.reproduced.startswith("not reproduced here")
        assert not (unseen and shipped.verification), shipped.id
        assert not unseen or shipped.reproduced.startswith("not reproduced here: "), shipped.id
