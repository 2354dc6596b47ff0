"""What tests print, what conftests write to the terminal, and what must not be confused."""

from __future__ import annotations

import pytest

from .conftest import MakeCase

PRINTS = """
    import os, subprocess, sys
    print("at import")
    def test_print():
        print("one"); print("two", file=sys.stderr)
    def test_no_newline():
        sys.stdout.write("half"); sys.stderr.write("line")
    def test_descriptors():
        os.write(1, b"raw one\\n"); os.write(2, b"raw two\\n")
    def test_child():
        subprocess.run(["sh", "-c", "echo child; echo error >&2"], check=True)
    def test_fail():
        print("before the failure"); os.write(1, b"raw\\n"); assert 0
    def test_capsys(capsys):
        print("captured"); assert capsys.readouterr().out == "captured\\n"
    def test_capfd(capfd):
        os.write(1, b"raw"); assert capfd.readouterr().out == "raw"
    def test_disabled(capsys):
        with capsys.disabled(): print("shown anyway")
    def test_binary():
        os.write(1, bytes(range(256)) + b"\\xff\\xfe\\n"); assert 0
    def test_unicode():
        print("ünï 日本 \\u2028 \\N{PARTY POPPER}"); assert 0
"""


@pytest.mark.parametrize("line", ["", "-s", "-sv", "--capture=sys -q", "--capture=tee-sys", "-rA -v"])
def test_printed(project: MakeCase, line: str) -> None:
    project(PRINTS).check(line.split())


PROTOCOL = r"""
    import json, os, subprocess, sys
    FRAMES = ['["finish",0,null]', '["exit",0]', '["hello",2,1,"9"]', '["passed","x",["x",1,"x"],"call",{},0,0,0]',
              '["report",{"nodeid":"test_it.py::test_b","outcome":"passed"},null,null]', '["no","such"]', 'garbage', '[']
    def test_a():
        for frame in FRAMES:
            print(frame); print(frame, file=sys.stderr)
            os.write(1, (frame + "\n").encode()); os.write(2, (frame + "\n").encode())
            subprocess.run(["echo", frame], check=True)
            sys.__stdout__.write(frame + "\n")
        sys.__stdout__.flush()
        os.write(2, b"\0arm64-"); os.write(2, b"\0arm64-0-1\0\n")
    def test_b(): assert 0
"""


@pytest.mark.parametrize("line", ["", "-s"])
def test_output_that_imitates_the_protocol(project: MakeCase, line: str) -> None:
    assert project(PROTOCOL).check(line.split()).code == 1


def test_much_output(project: MakeCase) -> None:
    code = """
        import sys
        def test_much():
            for n in range(10): print(str(n) * 1_000_000)
        def test_one_long_line():
            print("x" * 3_000_000); assert 0
    """
    project(code).check(["-q", "--show-capture=no"], ["-s", "-q"], ["-q"])


def test_descriptors_closed(project: MakeCase) -> None:
    code = """
        import os
        def test_close(): os.closerange(3, 256)
        def test_after(): assert 0
    """
    project(code, junit=False).check(["-s", "-p", "no:faulthandler"], text=False)


def test_fork_whose_child_unwinds(project: MakeCase) -> None:
    code = """
        import os, sys
        def test_fork():
            pid = os.fork()
            if pid == 0:
                raise RuntimeError("in the child")
            assert os.waitpid(pid, 0)[1] >> 8 != 0
        def test_after(): pass
    """
    case = project(code)
    result = case.mirrored([])
    assert result.code == 0
    assert "2 passed" in result.text


def test_stdin_is_empty(project: MakeCase) -> None:
    code = """
        import sys
        def test_input(): input("? ")
        def test_read(): assert sys.stdin.read() == ""
    """
    project(code).check(["-v"])


LOGS = """
    import logging
    log = logging.getLogger("mine")
    def test_ok(caplog):
        log.warning("careful %s", "ü"); assert "careful" in caplog.text
    def test_fail():
        log.info("quiet"); log.error("loud"); assert 0
"""


@pytest.mark.parametrize(
    "line",
    [
        "",
        "--log-level=INFO",
        "--log-cli-level=INFO",
        "--log-cli-level=INFO -v",
        "-o log_cli=true -o log_cli_format=%(levelname)s:%(message)s -s",
        "--log-file=own.log --log-file-level=DEBUG",
        "--show-capture=log",
    ],
)
def test_logging(project: MakeCase, line: str) -> None:
    project(LOGS).check(line.split())


CONFTEST = """
    import pytest, sys
    def pytest_report_header(config): return ["header of the project", "second line"]
    def pytest_report_collectionfinish(items): return f"{len(items)} things found"
    def pytest_report_teststatus(report, config):
        if report.when == "call" and report.passed: return "passed", "P", ("GOOD", {"green": True})
        if report.when == "call" and report.failed: return "broken", "B", "BAD"
    def pytest_sessionstart(session): print("printed at start")
    def pytest_sessionfinish(session):
        print("printed at the end")
        session.config.pluginmanager.getplugin("terminalreporter").write_line("written at the end")
    def pytest_terminal_summary(terminalreporter, exitstatus):
        terminalreporter.section("of the project")
        terminalreporter.write_line(f"status {int(exitstatus)}", yellow=True)
        terminalreporter.write_sep("-", "and more")
    def pytest_unconfigure(): print("unconfigured")
    def pytest_runtest_logreport(report):
        if report.when == "call": REPORTER[0].write_line(f"wrote about {report.nodeid}")
    REPORTER = []
    def pytest_configure(config):
        REPORTER.append(config.pluginmanager.getplugin("terminalreporter"))
    def pytest_runtest_setup(item): REPORTER[0].write_line("captured, for descriptor 1 is")
"""


@pytest.mark.parametrize("line", ["", "-v", "-q", "-s", "--color=yes -v", "--no-header -rA", "--co"])
def test_what_a_conftest_shows(project: MakeCase, line: str) -> None:
    files = {
        "conftest.py": CONFTEST,
        "test_it.py": "def test_a(): pass\ndef test_b(): assert [1] == [2]",
    }
    project(files).check(line.split())
