"""A process that dies: its test is named and the rest goes on. Natively the run would be over."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from fidelity.harness import MakeCase, Result

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
    time.sleep(1)  # the host follows the session inside by now, on a busy machine too


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


def _text_of(result: Result, test: str) -> str:
    """What the JUnit file says of the failure of *test*."""
    found = [
        element[3][0][2]
        for element in _cases(result.junit)
        if element[1]["name"] == test and element[3]
    ]
    assert len(found) == 1
    return str(found[0])


def _cases(tree: Any) -> list[Any]:
    own = [tree] if tree[0] == "testcase" else []
    return own + [case for child in tree[3] for case in _cases(child)]


WAYS = """
    import ctypes, os, signal, subprocess, sys, time
    import pytest
    def test_first(): pass
    SIGNALS = "SIGILL", "SIGSEGV", "SIGBUS", "SIGABRT", "SIGFPE", "SIGKILL"
    @pytest.mark.parametrize("name", SIGNALS)
    def test_signal(name): os.kill(os.getpid(), getattr(signal, name))
    def test_leaves(): os._exit(5)
    def test_hangs(): time.sleep(60)
    @pytest.mark.xfail(reason="not yet")
    def test_expected(): os.kill(os.getpid(), signal.SIGSEGV)
    @pytest.mark.xfail(sys.version_info < (3, 0), reason="never")
    def test_not_expected(): os._exit(6)
    @pytest.mark.parametrize("number", range(4))
    def test_passes(number): pass
"""
TOLD = {
    "test_signal[SIGILL]": "killed by SIGILL",
    "test_signal[SIGSEGV]": "killed by SIGSEGV",
    "test_signal[SIGBUS]": "killed by SIGBUS",
    "test_signal[SIGABRT]": "killed by SIGABRT",
    "test_signal[SIGFPE]": "killed by SIGFPE",
    "test_signal[SIGKILL]": "killed by SIGKILL",
    "test_leaves": "exit code 5",
    "test_hangs": "it took longer than --arm64-timeout allows, 2 s",
    "test_not_expected": "exit code 6",
}


@pytest.mark.parametrize("line", ["", "-n2"])
def test_every_way_to_die(project: MakeCase, line: str) -> None:
    extra = [*line.split(), "--max-worker-restart=20"] if line else []
    result = project(WAYS).mirrored(["--arm64-timeout", "2", "-v", *extra])
    assert result.code == 1
    # Ten deaths would end the run; the expected one is none of them.
    assert "9 failed, 5 passed, 1 xfailed" in result.text
    for test, told in TOLD.items():
        name = test if not line else f"test_it.py::{test}"
        assert f"FAILED test_it.py::{test}" in result.text
        if not line:
            assert told in _text_of(result, name)
            assert "(this machine)" in _text_of(result, name)
        else:
            assert f"the process that ran this test died: {told}" in result.text


def test_where_a_test_hangs_is_told_once(project: MakeCase) -> None:
    result = project("import time\ndef test_hangs():\n    time.sleep(60)\n").mirrored(
        ["--arm64-timeout", "1", "-s"]
    )
    assert result.text.count("line 3 in test_hangs") == 1
    assert "line 3 in test_hangs" in _text_of(result, "test_hangs")
    assert re.search(r"… \d+ frames of the test runner", result.text)


def test_a_hang_that_the_watch_inside_cannot_end(project: MakeCase) -> None:
    code = "import os, signal\ndef test_stops(): os.kill(os.getpid(), signal.SIGSTOP)\n"
    result = project(code + "def test_after(): pass\n").mirrored(["--arm64-timeout", "1"])
    assert "1 failed, 1 passed" in result.text
    assert "it took longer than --arm64-timeout allows" in _text_of(result, "test_stops")


STOPS_THE_RELAY = "import os, signal\ndef test_stops(): os.kill(os.getppid(), signal.SIGSTOP)\n"


def test_a_relay_that_a_test_has_stopped_goes_on(project: MakeCase) -> None:
    result = project(STOPS_THE_RELAY + "def test_after(): pass\n").mirrored([])
    assert (result.code, "2 passed" in result.text) == (0, True), result.text


def test_a_test_that_stops_the_relay_and_itself_is_ended(project: MakeCase) -> None:
    both = STOPS_THE_RELAY.rstrip() + "; os.kill(os.getpid(), signal.SIGSTOP)\n"
    result = project(both + "def test_after(): pass\n").mirrored(["--arm64-timeout", "1"])
    assert "1 failed, 1 passed" in result.text
    assert "it took longer than --arm64-timeout allows" in _text_of(result, "test_stops")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_run_whose_relay_is_stopped(
    project: MakeCase, number: signal.Signals
) -> None:
    stop = "import os, signal; os.kill(os.getppid(), signal.SIGSTOP); time.sleep(60)"
    case = project(SLOW.format(stop), junit=False)
    case.write()
    process = case.start([], "--arm64")
    _running(process, case.project)
    began = time.monotonic()
    process.send_signal(number)
    out, _ = process.communicate(timeout=30)
    assert time.monotonic() - began < 10, out
    assert process.returncode in (2, 128 + signal.SIGTERM)


def test_in_time(project: MakeCase) -> None:
    code = "import time\n" + "".join(f"def test_{n}(): time.sleep(.4)\n" for n in range(4))
    assert "4 passed" in project(code).mirrored(["--arm64-timeout", "1"]).text


def test_a_stack_that_is_no_death_is_shown(project: MakeCase) -> None:
    code = (
        "import faulthandler, sys\n"
        "def test_it():\n"
        "    print('Fatal Python error: not at all', file=sys.__stderr__, flush=True)\n"
        "    print('and more', file=sys.__stderr__, flush=True)\n"
    )
    result = project(code).mirrored(["-s"])
    assert result.code == 0
    assert "Fatal Python error: not at all\nand more\n" in result.text


def test_death_in_collection_names_the_file(project: MakeCase) -> None:
    files = {
        "test_a_quite_long_name.py": "def test_a(): pass",
        "test_b.py": "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)",
        "test_c.py": "def test_c(): pass",
    }
    result = project(files).mirrored([])
    assert result.code == 1
    assert "died while it collected test_b.py: killed by SIGSEGV" in result.text
    assert "line 2 in <module>" in result.text


def test_a_session_fixture_that_kills_every_test(project: MakeCase) -> None:
    code = """
        import os, pytest
        @pytest.fixture(scope="session", autouse=True)
        def database(): os._exit(7)
        @pytest.mark.parametrize("number", range(30))
        def test_it(number): pass
    """
    result = project(code).mirrored([])
    assert result.code == 1
    assert "10 tests have killed their process; the run ends here" in result.text


def test_terminated(project: MakeCase) -> None:
    case = project(SLOW.format("time.sleep(60)"))
    case.write()
    process = case.start(["-v"], "--arm64")
    _running(process, case.project)
    process.terminate()
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 143
    assert "test_it.py::test_first PASSED" in out
    assert "1 passed" in out
    assert (case.folder / "junit.xml").exists()


def test_terminated_and_the_test_goes_on(project: MakeCase) -> None:
    stubborn = "signal.signal(signal.SIGINT, signal.SIG_IGN); time.sleep(60)"
    case = project("import signal\n" + dedent(SLOW.format(stubborn)))
    case.write()
    process = case.start(["-v"], "--arm64")
    _running(process, case.project)
    began = time.monotonic()
    process.terminate()
    out, _ = process.communicate(timeout=20)
    assert time.monotonic() - began < 12
    assert process.returncode == 143
    assert "incomplete run" in out
    assert "the run was interrupted, and would not stop in test_it.py::test_slow" in out
    # It was ended from outside: that is no failure of it, nor of those that it did not come to.
    assert " failed" not in out


CRASHING = """
    import os, signal
    OTHER = os.environ["QEMU_CPU"] != "neoverse-n1"  # graviton2's, on which it runs first
    def crash(name): os.kill(os.getpid(), getattr(signal, name))
    {}
    def test_after(): pass
"""
AGAIN = {
    'def test_it(): OTHER or crash("SIGSEGV")': (
        "MAYBE THE EMULATOR: repeated once on graviton3, also emulated: it passed"
    ),
    "def test_it(): os.abort()": "it died again, so the emulator is less likely the cause",
    'def test_it(): OTHER and 1 / 0 or crash("SIGSEGV")': "it failed and did not die",
}


@pytest.mark.parametrize(("test", "told"), AGAIN.items(), ids=["passes", "dies", "fails"])
def test_a_crash_under_emulation_is_repeated_on_another_core(
    project: MakeCase, test: str, told: str
) -> None:
    result = project(CRASHING.format(test)).mirrored(["-p", "cores_place", "-v"])
    assert result.code == 1
    assert "1 failed, 1 passed" in result.text
    assert told in _text_of(result, "test_it")
    assert "arm64: repeat" not in result.text


def test_another_signal_or_an_arm_machine_repeats_nothing(
    project: MakeCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = project(CRASHING.format('def test_it(): crash("SIGBUS")'))
    result = other.mirrored(["-p", "cores_place", "-v"])
    assert "1 failed, 1 passed" in result.text
    assert "repeated once" not in result.text
    monkeypatch.setenv("CORES_PLACE", "native")
    result = project(CRASHING.format("def test_it(): os.abort()")).mirrored(
        ["-p", "cores_place", "-v"]
    )
    assert "1 failed, 1 passed" in result.text
    assert "repeated once" not in result.text
