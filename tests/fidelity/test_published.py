"""Plugins as they are published: what they show, count, write and decide is the same."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest

from fidelity.harness import MakeCase, Result

MEASURED = {
    "pkg/__init__.py": "",
    "pkg/a.py": """
        def sign(n):
            if n < 0:
                return -1
            return 1
    """,
    "pkg/b.py": "def unused():\n    return 1\n",
    "child.py": "import sys\nfrom pkg.b import unused\nunused()\n",
    "test_it.py": """
        from pkg.a import sign
        def test_sign(): assert sign(3) == 1
        def test_fails(): assert sign(4) == 2
    """,
}


@pytest.mark.parametrize(
    "line",
    [
        "--cov=. --cov-report=term-missing",
        "--cov=pkg --cov-branch --cov-report=xml --cov-report=term:skip-covered",
        "--cov=pkg --cov-report=",
        "--cov=pkg --cov-fail-under=100 -k sign",
        "--cov=pkg --cov-fail-under=10 -k sign -v",
        "--cov=pkg --no-cov",
        "--cov=pkg --cov-context=test",
        "--cov=pkg --no-cov-on-fail",
    ],
)
def test_cov(with_published: MakeCase, line: str) -> None:
    case = with_published(MEASURED, plugins=("pytest_cov",))
    case.check(line.split())
    assert (measured(case.project) == {}) == ("--no-cov" in line.split())


def test_cov_data_of_several_runs_and_workers(with_published: MakeCase) -> None:
    """The data files themselves: what was measured inside and outside is the same."""
    case = with_published(MEASURED, plugins=("pytest_cov",))
    found = []
    for lines in (
        [["--cov=pkg", "-k", "sign"], ["--cov=pkg", "--cov-append"]],
        [["--cov=pkg", "--cov-branch", "-n2"]],
    ):
        native = case.native(*lines)
        here = measured(case.project)
        mirrored = case.mirrored(*lines)
        assert measured(case.project) == here
        assert mirrored.codes == native.codes
        assert mirrored.files == native.files
        assert totals(mirrored) == totals(native)
        found.append(here)
    assert all("a.py" in data for data in found)


def totals(result: Result) -> list[str]:
    return re.findall(r"(?m)^(?:pkg/|TOTAL).*$", "\n".join(result.texts))


def measured(folder: Path) -> dict[str, bytes]:
    """Which lines the data file says ran, by file name."""
    path = folder / ".coverage"
    if not path.exists():
        return {}
    with sqlite3.connect(path) as connection:
        rows = connection.execute(
            "SELECT path, numbits FROM file JOIN line_bits ON file.id = file_id "
            "UNION SELECT path, fromno || '-' || tono FROM file JOIN arc ON file.id = file_id"
        ).fetchall()
    connection.close()
    return {Path(path).name: bits for path, bits in rows}


ASYNC = """
    import asyncio, pytest
    @pytest.mark.asyncio
    async def test_sleeps(): await asyncio.sleep(0)
    @pytest.mark.asyncio
    async def test_fails():
        await asyncio.sleep(0); assert 0
    async def test_plain(): pass
    @pytest.fixture
    async def thing():
        yield 1
    @pytest.mark.parametrize("n", [1, 2])
    async def test_fixture(thing, n): assert n == thing
"""
RANDOM = """
    import random, pytest
    @pytest.mark.parametrize("n", range(20))
    def test_n(n): assert random.random() < 0.9
    class TestMore:
        def test_one(self): pass
        def test_two(self): pass
"""
MOCK = """
    import os, pytest
    def test_patch(mocker):
        mocker.patch("os.getcwd", return_value="nowhere")
        assert os.getcwd() == "nowhere"
    def test_called(mocker):
        stub = mocker.stub("stub"); stub(1, a=2)
        stub.assert_called_once_with(1, a=3)
    def test_spy(mocker):
        spy = mocker.spy(os.path, "join"); os.path.join("a", "b"); assert spy.call_count == 1
"""
TIMEOUT = """
    import time, pytest
    @pytest.mark.timeout(0.3)
    def test_hangs(): time.sleep(20)
    def test_quick(): pass
"""
RERUN = """
    import pytest
    DONE = []
    @pytest.mark.flaky(reruns=2)
    def test_flaky(): DONE.append(1); assert len(DONE) == 2
    @pytest.mark.flaky(reruns=1)
    def test_never(): print("again"); assert 0
    def test_ok(): pass
"""
SUBTESTS = """
    def test_sub(subtests):
        for n in range(3):
            with subtests.test(msg="n", n=n): assert n != 1
"""
PUBLISHED_LINES = [
    ("asyncio", ASYNC, ""),
    ("asyncio", ASYNC, "-o asyncio_mode=auto -v"),
    ("randomly", RANDOM, "-v --randomly-seed=7"),
    ("randomly", RANDOM, "--randomly-seed=7 --randomly-dont-reorganize"),
    ("pytest_mock", MOCK, "-v"),
    ("timeout", TIMEOUT, ""),
    ("timeout", TIMEOUT, "--timeout=5 --timeout-method=signal -v"),
    ("rerunfailures", RERUN, ""),
    ("rerunfailures", RERUN, "-v -rR"),
    ("rerunfailures", RERUN, "--reruns=1 --only-rerun=Nothing"),
    ("subtests", SUBTESTS, "-v"),
]


@pytest.mark.parametrize(
    ("plugin", "code", "line"),
    PUBLISHED_LINES,
    ids=[f"{plugin} {line}" for plugin, _, line in PUBLISHED_LINES],
)
def test_plugin(with_published: MakeCase, plugin: str, code: str, line: str) -> None:
    result = with_published(code, plugins=(plugin,)).check(line.split())
    assert " passed" in result.text or "n=0" in result.text


def test_randomly_rolls_the_same_dice_again(with_published: MakeCase) -> None:
    """Without a seed of the user's the two runs differ, but for the header's word of which."""
    case = with_published(RANDOM, plugins=("randomly",))
    seed = re.search(r"--randomly-seed=(\d+)", case.mirrored(["-v"]).text)
    assert seed is not None
    case.check([*["-v", "-p", "randomly", f"--randomly-seed={seed[1]}"][:1], seed[0]])


def test_timeout_by_a_thread_ends_the_process(with_published: MakeCase) -> None:
    """Natively that is the end of the run; here the test fails and the others go on."""
    case = with_published(TIMEOUT, plugins=("timeout",))
    result = case.mirrored(["--timeout-method=thread"])
    assert result.code == 1
    assert "1 failed, 1 passed" in result.text
    assert "the process that ran this test died" in result.text
    assert "Timeout" in result.text


def test_html(with_published: MakeCase) -> None:
    """The report is the one that was made inside, with what plugins added there."""
    files = {
        "conftest.py": """
            import pytest
            @pytest.hookimpl(hookwrapper=True)
            def pytest_runtest_makereport(item, call):
                report = (yield).get_result()
                report.extras = [{"format_type": "text", "name": "extra-of-the-test",
                                  "content": "x", "mime_type": None, "extension": None}]
        """,
        "test_it.py": "def test_a(): pass\ndef test_b(): print('printed ü'); assert 0\n",
    }
    case = with_published(files, plugins=("html", "metadata"))
    found = []
    for run in (case.native, case.mirrored):
        result = run(["--html=report.html", "--self-contained-html"])
        assert result.code == 1
        text = (case.project / "report.html").read_text("utf-8")
        found.append((len(re.findall("extra-of-the-test", text)), "printed ü" in text))
        assert "Generated html report" in result.text
    assert found[0] == found[1]
