"""``--arm64-marked``: one session, whose marked tests ran elsewhere and nobody can tell."""

from __future__ import annotations

import re

import pytest

from fidelity.harness import MakeCase

SUITE = {
    "test_a.py": """
        import os, pytest
        INSIDE = "PYTEST_ARM64_FACTS" in os.environ
        def test_here(): assert not INSIDE
        @pytest.mark.arm64
        def test_there(): assert INSIDE
        @pytest.mark.arm64
        @pytest.mark.parametrize("n", [1, 2])
        def test_n(n): assert n == 1
        class TestMore:
            pytestmark = pytest.mark.arm64
            def test_one(self): assert INSIDE; print("ü")
            @pytest.mark.skip(reason="not now")
            def test_two(self): pass
        @pytest.fixture(scope="session")
        def thing():
            yield 1
        def test_fixture(thing): assert not INSIDE
        @pytest.mark.arm64
        def test_fixture_there(thing): assert INSIDE
    """,
    "sub/test_b.py": """
        import os, pytest, warnings
        pytestmark = pytest.mark.arm64
        warnings.warn("at import")
        def test_warns(): warnings.warn("in a test")
        @pytest.mark.xfail
        def test_known(): assert 0
    """,
}


def sorted_cases(junit: object) -> list[object]:
    """Test cases of a JUnit tree in an order of their own."""
    assert isinstance(junit, tuple)
    (suite,) = junit[3]
    return [suite[1], *sorted(suite[3], key=str)]


@pytest.mark.parametrize(
    "line",
    ["", "-v", "-k one or n", "-m arm64", "-m 'not arm64'", "sub", "test_a.py::test_there", "-rA"],
)
def test_the_same_outcomes(project: MakeCase, line: str) -> None:
    code = {name: text.replace("assert INSIDE", "pass") for name, text in SUITE.items()}
    arguments = [word.strip("'") for word in re.findall(r"'[^']*'|-k .*|\S+", line)]
    arguments = [part for word in arguments for part in re.split(r"(?<=-k) ", word)]
    native = project(code).native(arguments)
    marked = project(SUITE).marked(arguments)
    assert marked.codes == native.codes, marked.text
    assert sorted_cases(marked.junit) == sorted_cases(native.junit)
    assert marked.cache == native.cache
    assert marked.text.splitlines()[-1] == native.text.splitlines()[-1]
    assert sorted(marked.summary()) == sorted(native.summary())


def test_nothing_is_started_for_nothing(project: MakeCase) -> None:
    result = project("def test(): pass").marked(["-p", "no:local_place"])
    assert result.code == 0


def test_collect_only_shows_all(project: MakeCase) -> None:
    case = project(SUITE)
    assert case.marked(["--co", "-q"]).text == case.native(["--co", "-q"]).text


def test_a_failure_here_stops_before_the_container(project: MakeCase) -> None:
    code = """
        import pytest
        @pytest.mark.arm64
        def test_there(): pass
        def test_here(): assert 0
    """
    result = project(code).marked(["-x"])
    assert result.code == 1
    assert "1 failed in" in result.text


def test_marked_on_one_side_only(project: MakeCase) -> None:
    code = """
        import os, pytest
        INSIDE = "PYTEST_ARM64_FACTS" in os.environ
        maybe = pytest.mark.arm64 if {} else (lambda f: f)
        @maybe
        def test_one(): pass
        @pytest.mark.arm64
        def test_both(): pass
    """
    for condition, told in (
        ("INSIDE", "test_it.py::test_one is marked arm64 inside, and not here"),
        ("not INSIDE", "test_it.py::test_one is marked arm64 here, and was not collected inside"),
    ):
        result = project(code.format(condition)).marked([])
        assert result.code == 1
        assert told in result.text


def test_a_death_inside_fails_its_test(project: MakeCase) -> None:
    code = """
        import os, pytest
        def test_here(): pass
        @pytest.mark.arm64
        def test_dies(): os.abort()
        @pytest.mark.arm64
        def test_after(): pass
    """
    result = project(code).marked([])
    assert result.code == 1
    assert "1 failed, 2 passed" in result.text
    assert "killed by SIGABRT" in result.text


def test_facts_are_the_cells_on_both_sides(project: MakeCase) -> None:
    code = """
        import pytest
        def test_here(arm64_target): assert arm64_target["target"] == "here"
        @pytest.mark.arm64
        def test_there(arm64_target): assert arm64_target["target"] == "here"
    """
    assert project(code).marked([]).code == 0


def test_workers_of_this_machine_are_refused(project: MakeCase) -> None:
    result = project(SUITE).marked(["-n2"])
    assert result.code == 4
    assert "-n does not work with --arm64-marked" in result.text


def test_coverage_of_both_sides_is_merged(with_published: MakeCase) -> None:
    files = {
        "pkg.py": "def here():\n    return 1\n\n\ndef there():\n    return 2\n",
        "test_it.py": """
            import pkg, pytest
            def test_here(): pkg.here()
            @pytest.mark.arm64
            def test_there(): pkg.there()
        """,
    }
    case = with_published(files, plugins=("pytest_cov",))
    line = ["--cov=pkg", "--cov-fail-under=90"]
    native, marked = case.native(line), case.marked(line)
    assert marked.codes == native.codes == (0,), marked.text
    assert "100%" in marked.text
    assert marked.files == native.files
