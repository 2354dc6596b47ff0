"""Command-line options over one suite: each must select, stop, show and cache the same."""

from __future__ import annotations

import sys

import pytest

from fidelity.harness import MakeCase

SUITE = {
    "test_a.py": """
        import pytest
        def test_one(): pass
        def test_two(): assert 1 == 2
        @pytest.mark.slow
        def test_three(): print("printed"); assert [1, 2] == [1, 3]
        class TestMore:
            def test_four(self): pass
            @pytest.mark.skip(reason="not now")
            def test_five(self): pass
    """,
    "sub/test_b.py": """
        import pytest
        @pytest.fixture
        def thing(): yield 1
        def test_six(thing): pass
        @pytest.mark.xfail(reason="known")
        def test_seven(): assert 0
        @pytest.mark.slow
        @pytest.mark.parametrize("n", [1, 2, 3])
        def test_eight(n): assert n != 2
        @pytest.fixture
        def broken(): raise OSError("broken")
        def test_nine(broken): pass
    """,
    "pytest.ini": "[pytest]\nmarkers = slow: takes long\n",
    "other.ini": "[pytest]\nmarkers = slow: takes long\naddopts = -q -rA\n",
}

LINES = [
    "-v",
    "-vv",
    "-q",
    "-qq",
    "-k two or eight",
    "-m slow -v",
    "-m not_a_mark",
    "-k nothing_has_this_name",
    "-x",
    "--maxfail=2",
    "--deselect=test_a.py::test_two --deselect sub",
    "--ignore=sub",
    "--ignore-glob=*_b.py -v",
    "--tb=short",
    "--tb=line",
    "--tb=no",
    "--tb=native",
    "--tb=long --showlocals",
    "-l -vv",
    "-rA",
    "-ra",
    "-rN",
    "-p no:terminal",
    "-p no:cacheprovider",
    "-p no:junitxml",
    "-c other.ini",
    "--rootdir=sub sub",
    "--basetemp=own",
    "--import-mode=importlib",
    "--import-mode=append",
    "-o console_output_style=count",
    "-o console_output_style=classic",
    "-o console_output_style=times",
    "--color=yes",
    "--color=yes -vv --tb=short",
    "--code-highlight=no --color=yes",
    "--disable-warnings",
    "--no-header",
    "--no-summary",
    "--show-capture=no",
    "--capture=sys",
    "--strict-markers",
    "--junit-prefix=pre",
    "-o junit_family=xunit1",
    "-o junit_logging=all",
    "test_a.py::TestMore sub/test_b.py::test_eight[2]",
    "test_a.py::test_one test_a.py::test_one",
    "test_a.py::test_one test_a.py",
    "sub test_a.py",
    "test_a.py::test_none",
    "missing.py",
    "test_a.py missing.py",
    "--lf missing.py::test_x",
    "--sw -v sub/missing.py",
    "--no-such-option",
    "--maxfail=word",
    "-k (",
    "--setup-show -k six",
    "--setup-only",
    "--co",
    "--co -q",
    "--co -qq",
    "--collect-only -k two",
    "--verbosity=2",
    "--lf",
    "--stepwise",
    "--durations=3 --durations-min=100",
    "--pyargs test_a",
]


@pytest.mark.parametrize("line", LINES)
def test_option(project: MakeCase, line: str) -> None:
    project(SUITE).check(_split(line))


def _split(line: str) -> list[str]:
    for option in ("-k", "-m"):
        if line.startswith(option + " "):
            words = line[3:].partition(" -")
            return [option, words[0], *("-" + words[2]).split()] if words[1] else [option, words[0]]
    return line.split()


HISTORIES = [
    ["", "--lf"],
    ["", "--ff -v"],
    ["test_a.py", "--nf -v"],
    ["--sw", "--sw"],
    ["--sw", "--sw --sw-skip"],
    ["", "--lf --lfnf=none -k one"],
    ["-x", "--lf -x"],
    ["", "--cache-show"],
    ["", "--cache-clear --lf"],
    ["test_a.py::test_one", "--lf test_a.py::test_one"],
]


@pytest.mark.parametrize("history", HISTORIES, ids=" then ".join)
def test_what_the_cache_remembers(project: MakeCase, history: list[str]) -> None:
    project(SUITE).check(*(line.split() for line in history))


def test_addopts_of_the_project(project: MakeCase) -> None:
    ini = "[pytest]\naddopts = -v --tb=short -rA -x\nmarkers = slow\n"
    project({**SUITE, "pytest.ini": ini}).check()


def test_addopts_of_the_environment(project: MakeCase) -> None:
    project(SUITE, environment={"PYTEST_ADDOPTS": "-v --maxfail=2 --tb=line"}).check(["sub"])


def test_options_of_a_conftest(project: MakeCase) -> None:
    case = project(
        {
            "conftest.py": """
                import pytest
                def pytest_addoption(parser):
                    parser.addoption("--mine", type=int, default=0, help="a number")
                    parser.addoption("--loud", action="store_true")
                    parser.addini("my_key", "an ini key of this project", default="none")
                @pytest.fixture
                def mine(request): return request.config.getoption("--mine")
            """,
            "test_it.py": """
                def test_mine(mine): assert mine == 3
                def test_ini(pytestconfig): assert pytestconfig.getini("my_key") == "some"
                def test_loud(pytestconfig): assert pytestconfig.getoption("loud")
            """,
            "pytest.ini": "[pytest]\nmy_key = some\n",
        }
    )
    for line in (["--mine", "3", "--loud"], ["--mine=3"], ["--loud", "--mine", "3", "test_it.py"]):
        case.check(line)


def test_arguments_that_only_look_like_options(project: MakeCase) -> None:
    project(SUITE).check(["-v", "--", "test_a.py"])


def test_python_m_pytest_puts_the_folder_on_the_path(project: MakeCase) -> None:
    files = {"lib.py": "x = 1", "tests/test_it.py": "import sys, lib\ndef test(): assert lib.x"}
    assert project(files).check(["--import-mode=importlib"]).code == 2
    assert project(files, module=True).check(["--import-mode=importlib"]).code == 0


def test_arguments_of_the_command_are_what_the_project_sees(project: MakeCase) -> None:
    code = """
        import sys
        def test_argv(pytestconfig):
            assert sys.argv[1:] == list(pytestconfig.invocation_params.args)
            assert not any("arm64" in word for word in sys.argv)
    """
    project(code).check(["-v"])


def test_working_directory_below_the_root(project: MakeCase) -> None:
    project(SUITE, cwd="sub").check(["-v"], ["-v", ".."])


def test_same_interpreter(project: MakeCase) -> None:
    project(f"import sys\ndef test(): assert sys.executable == {sys.executable!r}").check()
