"""Outcomes of tests of every kind, and where each was raised."""

from __future__ import annotations

from fidelity.harness import MakeCase

OUTCOMES = """
    import pytest
    import unittest

    @pytest.fixture
    def broken_setup():
        raise RuntimeError("in setup")

    @pytest.fixture
    def broken_teardown():
        yield 1
        raise RuntimeError("in teardown")

    def test_pass(): pass
    def test_fail():
        left = {"a": [1, 2, 3], "b": "x" * 30}
        assert left == {"a": [1, 2, 4], "b": "x" * 31}, "with a message"
    def test_error_in_setup(broken_setup): pass
    def test_error_in_teardown(broken_teardown): pass
    def test_fail_and_error(broken_teardown): assert 0
    @pytest.mark.skip(reason="by mark")
    def test_skip_mark(): pass
    @pytest.mark.skipif(1 < 2, reason="by condition")
    def test_skipif(): pass
    def test_skip_imperative(): pytest.skip("in the test")
    def test_skip_old(): raise unittest.SkipTest("the old way")
    def test_importorskip(): pytest.importorskip("no_such_module_anywhere")
    @pytest.mark.xfail(reason="known")
    def test_xfail(): assert 0
    @pytest.mark.xfail
    def test_xpass(): pass
    @pytest.mark.xfail(strict=True, reason="must fail")
    def test_xpass_strict(): pass
    @pytest.mark.xfail(raises=KeyError)
    def test_xfail_other_exception(): raise ValueError("not that one")
    @pytest.mark.xfail(run=False, reason="would hang")
    def test_xfail_norun(): assert 0
    def test_xfail_imperative(): pytest.xfail("in the test")
    def test_fail_imperative(): pytest.fail("said so", pytrace=False)
    def test_print():
        import sys
        print("to stdout"); print("to stderr", file=sys.stderr)
        raise ValueError("ünï\\u2028code \\ud800")
    def test_chain():
        try:
            {}["k"]
        except KeyError as error:
            raise ValueError("outer") from error
    def test_group():
        try:
            raise BaseExceptionGroup("several", [ValueError("a"), KeyError("b")])
        except NameError:
            raise ValueError("no groups in this Python")
    def test_recursion():
        def again(n): return again(n)
        again(1)
    class TestClass:
        class TestNested:
            def test_inner(self): assert [] == [1]
        def setup_method(self): self.x = 1
        def test_method(self): assert self.x == 2
"""


def test_all_outcomes(project: MakeCase) -> None:
    result = project(OUTCOMES).check(["-rA"])
    assert result.code == 1


def test_module_level_skip_and_importorskip(project: MakeCase) -> None:
    project(
        {
            "test_a.py": "import pytest; pytest.skip('whole module', allow_module_level=True)",
            "test_b.py": "import pytest; pytest.importorskip('no_such_module_anywhere')",
            "test_c.py": "def test_it(): pass",
        }
    ).check(["-ra"])


def test_everything_passes(project: MakeCase) -> None:
    result = project("def test_a(): pass\ndef test_b(): pass").check()
    assert result.code == 0


def test_nothing_to_run(project: MakeCase) -> None:
    result = project("x = 1").check()
    assert result.code == 5
