"""A process that dies: its test is named and the rest goes on. Natively the run would be over."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import pytest

from fidelity.harness import MakeCase

DYING = """
    import os, signal, sys
    def test_before(): pass
    def test_fails(): assert 0
    def test_dies():
        print("last words", file=sys.__stderr__, flush=True)
        {}
    def test_after(): pass
    def test_last(): pass
"""


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("os._exit(3)", "exit code 3"),
        ("os._exit(0)", "exit code 0"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "SIGSEGV"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "SIGKILL"),
        ("os.abort()", "SIGABRT"),
    ],
)
def test_death_in_a_test(project: MakeCase, how: str, told: str) -> None:
    result = project(DYING.format(how)).mirrored(["-s", "-v"])
    assert result.code == 1
    assert "2 failed, 3 passed" in result.text
    assert "FAILED test_it.py::test_dies" in result.text
    assert "the process that ran this test died: " in result.text
    assert told in result.text.partition("died: ")[2].splitlines()[0]
    assert "last words" in result.text.partition("died: ")[2]
    assert set(result.cache["lastfailed"]) == {"test_it.py::test_fails", "test_it.py::test_dies"}  # type: ignore[call-overload]


def test_death_in_a_teardown_spares_the_outcome_of_its_test(project: MakeCase) -> None:
    code = """
        import os, pytest
        @pytest.fixture
        def dying(): yield; os._exit(3)
        def test_dies(dying): pass
        def test_after(): pass
    """
    result = project(code).mirrored([])
    assert result.code == 1
    assert "2 passed, 1 error" in result.text
    assert "ERROR test_it.py::test_dies" in result.text


def test_death_of_the_last_test(project: MakeCase) -> None:
    result = project("import os\ndef test_a(): pass\ndef test_b(): os._exit(0)").mirrored([])
    assert result.code == 1
    assert "1 failed, 1 passed" in result.text


def test_a_death_counts_for_maxfail(project: MakeCase) -> None:
    for option, outcome in (("-x", "1 failed in"), ("--maxfail=2", "2 failed in")):
        code = "import os\ndef test_a(): os._exit(9)\ndef test_b(): assert 0\ndef test_c(): pass"
        result = project(code).mirrored([option])
        assert result.code == 1
        assert outcome in result.text
        assert "stopping after" in result.text


def test_ten_deaths_end_the_run(project: MakeCase) -> None:
    code = (
        "import os, pytest\n"
        "@pytest.mark.parametrize('n', range(14))\n"
        "def test_dies(n): os._exit(1)\n"
    )
    result = project(code).mirrored([])
    assert result.code == 1
    assert "10 tests have killed their process; the run ends here" in result.text
    assert "test_dies[9]" in result.text


@pytest.mark.parametrize(
    "files",
    [
        {"test_it.py": "import os\nos._exit(0)\ndef test_a(): pass"},
        {"conftest.py": "import os\nos._exit(0)", "test_it.py": "def test_a(): pass"},
        {
            "conftest.py": "import os\ndef pytest_sessionstart(): os._exit(0)",
            "test_it.py": "def test_a(): pass",
        },
        {
            "conftest.py": "import os\ndef pytest_sessionfinish(): os._exit(0)",
            "test_it.py": "def test_a(): pass",
        },
        {
            "conftest.py": "import os, atexit\natexit.register(os._exit, 0)",
            "test_it.py": "def test_a(): assert 0",
        },
    ],
    ids=["module", "conftest", "sessionstart", "sessionfinish", "atexit"],
)
def test_death_outside_of_tests(project: MakeCase, files: dict[str, str]) -> None:
    result = project(files).mirrored([])
    assert result.code == 1
    assert "died" in result.text or "1 failed" in result.text


def test_death_in_a_session_fixture(project: MakeCase) -> None:
    code = """
        import os, pytest
        @pytest.fixture(scope="session")
        def database(): os._exit(7)
        def test_a(database): pass
        def test_b(): pass
    """
    result = project(code).mirrored([])
    assert result.code == 1
    assert "1 failed, 1 passed" in result.text
    assert "exit code 7" in result.text


SLOW = """
    import time, pathlib
    def test_first(): pass
    def test_slow():
        pathlib.Path("running").touch()
        {}
    def test_never(): pass
"""


def _running(process: subprocess.Popen[str], folder: Path) -> None:
    deadline = time.monotonic() + 30
    while not (folder / "running").exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    time.sleep(0.1)


def test_interrupted_once(project: MakeCase) -> None:
    texts = []
    for ours in ((), ("--arm64",)):
        case = project(SLOW.format("time.sleep(60)"), junit=False)
        case.write()
        process = case.start(["-v"], *ours)
        _running(process, case.project)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=20)
        assert process.returncode == 2
        texts.append(
            [line for line in out.splitlines() if line.startswith(("test_it", "!!!", "E "))]
        )
    assert texts[0] == texts[1]
    assert any("KeyboardInterrupt" in line for line in texts[1])


def test_interrupted_twice(project: MakeCase) -> None:
    stubborn = """
        while True:
            try: time.sleep(60)
            except KeyboardInterrupt: pass
    """.replace("\n", "\n    ")
    case = project(SLOW.format(stubborn.strip()), junit=False)
    case.write()
    process = case.start(["-v"], "--arm64")
    _running(process, case.project)
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 2
    assert "test_it.py::test_first PASSED" in out
