"""Where a project lies, and who starts pytest in it: monorepos, namespaces, tox, nox, coverage."""

from __future__ import annotations

import sys

import pytest

from fidelity.harness import Case, MakeCase

MONOREPO = {
    ".git/HEAD": "ref: refs/heads/main",
    "libs/one/src/acme/one/__init__.py": "from acme.two import TWO\nONE = TWO - 1",
    "libs/one/tests/test_lib.py": "from acme.one import ONE\ndef test_one(): assert ONE == 1",
    "libs/two/src/acme/two/__init__.py": "TWO = 2",
    "libs/two/tests/test_lib.py": "from acme.two import TWO\ndef test_two(): assert TWO == 1",
    "services/shop/pytest.ini": """
        [pytest]
        pythonpath = . ../../libs/one/src ../../libs/two/src
        """,
    "services/shop/shop.py": "from acme.one import ONE",
    "services/shop/conftest.py": """
        import pytest
        @pytest.fixture
        def shared(pytestconfig): return pytestconfig.rootpath.parents[1] / "data"
    """,
    "services/shop/tests/test_shop.py": """
        import acme, shop
        def test_namespace(): assert len(acme.__path__) == 2 and shop.ONE == 1
        def test_data_of_the_repository(shared): assert shared.read_text() == "data"
        def test_writes(shared): (shared.parent / "written").write_text("x")
    """,
    "data": "data",
}


@pytest.mark.parametrize(
    "line",
    [
        "-v",
        "-v tests/test_shop.py::test_namespace",
        "--import-mode=importlib . ../../libs/one/tests ../../libs/two/tests",
        "--rootdir=../.. -c pytest.ini --import-mode=importlib ../../libs",
    ],
)
def test_service_of_a_monorepo(project: MakeCase, line: str) -> None:
    project(MONOREPO, cwd="services/shop").check(line.split(), [*line.split(), "--lf"])


NAMESPACES = {
    "acme/store/shelf.py": "SHELF = 1",
    "plugins/acme/till/till.py": "TILL = 2",
    "tests/store/test_same.py": """
        import sys
        sys.path.append("plugins")
        from acme.store.shelf import SHELF
        from acme.till import till
        def test_both(): assert SHELF + till.TILL == 4
    """,
    "tests/till/test_same.py": "def test_name(): assert __name__ == 'x'",
}


@pytest.mark.parametrize("mode", ["importlib", "prepend"])
def test_namespace_packages(project: MakeCase, mode: str) -> None:
    project(NAMESPACES, module=True).check(["-v", f"--import-mode={mode}"])


SEEN = """
    import os, sys
    def test_path(): assert [p for p in sys.path if "/pytest-arm64-" not in p] == []
    def test_name(): assert sys.argv == []
    def test_folder(): assert os.getcwd() == ""
"""


@pytest.mark.parametrize("module", [True, False])
def test_how_pytest_was_started(project: MakeCase, module: bool) -> None:
    """Each test fails, with what it has seen."""
    result = project({"tests/test_it.py": SEEN}, module=module).check(["-vv"])
    assert "3 failed" in result.text


SUITE = """
    import os
    def test_passes(): assert os.environ["SUITE"] == "under test"
    def test_fails(): assert 1 == 2
"""
TOX = """
    [tox]
    env_list = it
    no_package = true
    [testenv]
    pass_env = PYTHONPATH, COLUMNS, PYTEST_DEBUG_TEMPROOT, PYTHONUNBUFFERED, LOCAL_INSIDE
    set_env =
        SUITE = under test
        PYTHONHASHSEED = 0
        HOME = {env_tmp_dir}
    allowlist_externals = *
    commands = {env:SUITE_PYTHON} -m pytest {posargs}
"""
NOX = """
    import nox, os
    @nox.session(venv_backend="none")
    def tests(session):
        python = os.environ["SUITE_PYTHON"]
        session.run(python, "-m", "pytest", *session.posargs, env={"SUITE": "under test"})
"""


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [("tox.ini", TOX, ("-m", "tox", "-e", "it", "--")), ("noxfile.py", NOX, ("-m", "nox", "--"))],
)
def test_tox_and_nox(project: MakeCase, name: str, text: str, words: tuple[str, ...]) -> None:
    case = project(
        {"test_it.py": SUITE, name: text},
        launcher=(sys.executable, *words),
        environment={"SUITE_PYTHON": sys.executable, "VIRTUALENV_NO_PERIODIC_UPDATE": "1"},
    )
    result = case.check(["-rA"], text=False)
    assert result.code == 1
    assert "1 failed, 1 passed" in result.text
    assert "PASSED test_it.py::test_passes" in result.text


def test_coverage_run_says_that_it_measures_no_test(with_published: MakeCase) -> None:
    case: Case = with_published(
        "def test_it(): pass",
        launcher=(sys.executable, "-m", "coverage", "run", "-m", "pytest"),
        plugins=("pytest_cov",),
    )
    for launcher, told in ((case.launcher, True), ((), False)):
        case.launcher = launcher
        case.write()
        out, _ = case.start(["--cov=."], "--arm64").communicate(timeout=40)
        assert "1 passed" in out
        assert ("arm64: `coverage run` measures this process, in which no test" in out) == told
