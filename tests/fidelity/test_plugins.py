"""Plugins: pytest-xdist and hypothesis, the subtests fixture, and projects that need the inside."""

from __future__ import annotations

import re

import pytest

from fidelity.harness import PYTEST_VERSION, MakeCase

MANY = """
    import pytest
    @pytest.mark.parametrize("n", range(12))
    def test_n(n): assert n != 7
    def test_print(): print("ü"); assert 0
    def test_skip(): pytest.skip("not here")
"""


@pytest.mark.parametrize("line", ["-n2", "-n2 -q", "-n 2 -v", "-n2 -x"])
def test_xdist(project: MakeCase, line: str) -> None:
    case = project({"test_it.py": MANY, "test_b.py": "def test_b(): pass"})
    native, mirrored = case.native(line.split()), case.mirrored(line.split())
    assert mirrored.codes == native.codes
    assert mirrored.files == native.files
    assert _unordered(mirrored.text, line) == _unordered(native.text, line)


def _unordered(text: str, line: str) -> list[str]:
    """Workers race: the same lines, in any order; with ``-x`` any number of tests may be done."""
    text = re.sub(r"gw\d", "gw", text)
    text = re.sub(r"\[ *\d+%\]", "[%]", text)
    if "-x" in line:
        text = re.sub(r"\d+ (passed|failed|skipped|failures)", r"N \1", text)
        return sorted(set(re.findall(r"!!.*|^created.*|^\d workers.*", text)))
    return sorted(
        "".join(sorted(row)) if set(row) <= set(".Fs [%]") else row for row in text.splitlines()
    )


def test_xdist_by_addopts(project: MakeCase) -> None:
    files = {"test_it.py": MANY, "pytest.ini": "[pytest]\naddopts = -n 2\n"}
    result = project(files).mirrored([])
    assert "2 failed, 11 passed, 1 skipped" in result.text
    assert result.code == 1


def test_xdist_worker_dies(project: MakeCase) -> None:
    code = "import os\ndef test_a(): os._exit(1)\ndef test_b(): pass"
    case = project(code, junit=False)
    native, mirrored = case.native(["-n1"]), case.mirrored(["-n1"])
    assert mirrored.codes == native.codes
    assert mirrored.summary()[-1] == native.summary()[-1]
    assert "the process that ran this test died: exit code 1" in mirrored.text


HYPOTHESIS = """
    from hypothesis import given, settings, strategies as st, Phase
    @settings(derandomize=True, database=None, max_examples=20)
    @given(st.integers())
    def test_property(n): assert n < 100
    @settings(derandomize=True, database=None, max_examples=5)
    @given(st.text())
    def test_text(text): assert text == text
"""


@pytest.mark.parametrize("line", ["", "--hypothesis-show-statistics", "--hypothesis-seed=3 -v"])
def test_hypothesis(project: MakeCase, line: str) -> None:
    case = project(HYPOTHESIS, plugins=("hypothesispytest",))
    native, mirrored = case.native(line.split()), case.mirrored(line.split())
    assert mirrored.codes == native.codes
    assert mirrored.summary() == native.summary()
    told = "Typical runtimes|Stopped because|Falsifying|hypothesis profile|hypothesis-seed"
    for text in (native.text, mirrored.text):
        assert text.count("hypothesis profile") <= 1
    assert _matching(told, mirrored.text) == _matching(told, native.text)


def _matching(pattern: str, text: str) -> list[str]:
    lines = (re.sub(r"[~<]? ?[\d.-]+ ?ms.*", "", line) for line in text.splitlines())
    return [line for line in lines if re.search(pattern, line)]


SUBTESTS = """
    import unittest
    def test_sub(subtests):
        for n in range(4):
            with subtests.test("message ü", n=n, what=[n]):
                print("printed", n); assert n % 2 == 0
        assert 1
    class Case(unittest.TestCase):
        def test_sub(self):
            with self.subTest("first"): pass
            with self.subTest(n=1): self.fail("second")
"""


@pytest.mark.parametrize("line", ["", "-v", "-q -rA"])
def test_subtests(project: MakeCase, line: str) -> None:
    """Where pytest has no such fixture, its absence must be reported the same."""
    case = project(SUBTESTS)
    assert (PYTEST_VERSION >= (9, 0)) == (
        "fixture 'subtests' not found" not in case.check(line.split()).text
    )


def test_a_report_given_twice(project: MakeCase) -> None:
    """As plugins do that run a test again."""
    conftest = """
        import pytest
        from _pytest.runner import runtestprotocol
        @pytest.hookimpl(tryfirst=True)
        def pytest_runtest_protocol(item, nextitem):
            item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
            for attempt in range(2):
                reports = runtestprotocol(item, nextitem=nextitem, log=False)
                for report in reports:
                    if attempt == 0 and report.failed:
                        report.outcome = "rerun"
                    item.ihook.pytest_runtest_logreport(report=report)
                if attempt or all(r.passed for r in reports): break
            item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
            return True
        def pytest_report_teststatus(report):
            if report.outcome == "rerun": return "rerun", "R", ("RERUN", {"yellow": True})
    """
    code = """
        DONE = []
        def test_flaky():
            DONE.append(1)
            assert len(DONE) == 2
        def test_ok(): pass
    """
    case = project({"conftest.py": conftest, "test_it.py": code})
    assert "1 rerun" in case.check(["-v"], []).text


INSIDE = {
    "conftest.py": """
        import os
        facts = os.environ["PYTEST_ARM64_FACTS"]
        import only_inside
        def pytest_addoption(parser):
            parser.addoption("--mine", type=int)
            parser.addini("my_key", "of the project", type="linelist", default=[])
    """,
    "inside/only_inside.py": "value = 5",
    "test_it.py": """
        import only_inside
        def test_mine(request): assert request.config.getoption("mine") == 3
        def test_key(pytestconfig): assert pytestconfig.getini("my_key") == ["a", "b"]
        def test_facts(arm64_target): assert arm64_target["target"] == "here"
    """,
    "pytest.ini": "[pytest]\nmy_key =\n    a\n    b\naddopts = --strict-config --strict-markers\n",
}


@pytest.mark.parametrize("line", ["--mine 3", "--mine=3 -v", "-k facts --mine 3"])
def test_what_exists_inside_only(project: MakeCase, line: str) -> None:
    files = dict(INSIDE)
    files["conftest.py"] = files["conftest.py"].replace(
        "import only_inside", "import sys; sys.path.append('inside'); import only_inside"
    )
    result = project(files).mirrored(line.split())
    assert result.code == 0
    assert project(files).native(line.split()).code == 4


@pytest.mark.parametrize("option", ["--trace", "--fixtures", "--setup-plan"])
def test_refused_with_a_reason(project: MakeCase, option: str) -> None:
    result = project("def test(): pass").mirrored([option])
    assert result.code == 4
    assert f"{option} does not work with --arm64" in result.text
