"""Sessions that end before their time: told the same way, with the same exit status."""

from __future__ import annotations

import pytest

from .conftest import MakeCase

AROUND = "def test_before(): pass\n{}\ndef test_after(): pass\n"

STOPS = {
    "exit in a test": "import pytest\ndef test_x(): pytest.exit('enough', returncode=7)",
    "exit without a code": "import pytest\ndef test_x(): pytest.exit('enough')",
    "exit in a fixture": (
        "import pytest\n@pytest.fixture\ndef f(): pytest.exit('in fixture', 9)\ndef test_x(f): pass"
    ),
    "exit at import": "import pytest\npytest.exit('at import', returncode=6)",
    "interrupt in a test": "def test_x(): raise KeyboardInterrupt('by hand')",
    "interrupt at import": "raise KeyboardInterrupt()",
    "system exit in a test": "def test_x(): raise SystemExit(3)",
    "generator exit": "def test_x(): raise GeneratorExit()",
    "base exception": "class Odd(BaseException): pass\ndef test_x(): raise Odd('odd')",
}


@pytest.mark.parametrize("name", STOPS)
@pytest.mark.parametrize("line", ["", "-v"])
def test_stop(project: MakeCase, name: str, line: str) -> None:
    project(AROUND.format(STOPS[name])).check(line.split())


CONFTESTS = {
    "exit at import": "import pytest; pytest.exit('from conftest', returncode=8)",
    "exit in configure": "import pytest\ndef pytest_configure(): pytest.exit('configure', 8)",
    "exit in sessionstart": "import pytest\ndef pytest_sessionstart(): pytest.exit('start', 8)",
    "exit in collection": (
        "import pytest\ndef pytest_collection_modifyitems(): pytest.exit('collected', 8)"
    ),
    "exit in sessionfinish": "import pytest\ndef pytest_sessionfinish(): pytest.exit('finish', 8)",
    "usage error in configure": (
        "import pytest\ndef pytest_configure(): raise pytest.UsageError('not like this')"
    ),
    "usage error in sessionstart": (
        "import pytest\ndef pytest_sessionstart(): raise pytest.UsageError('not like this')"
    ),
    "usage error in collection": (
        "import pytest\n"
        "def pytest_collection_modifyitems(): raise pytest.UsageError('not', 'like this')"
    ),
    "own exit status": "def pytest_sessionfinish(session): session.exitstatus = 42",
    "turned green": "def pytest_sessionfinish(session): session.exitstatus = 0",
    "should stop": (
        "def pytest_runtest_logfinish(nodeid):\n"
        "    SESSION[0].shouldstop = 'enough seen'\n"
        "SESSION = []\n"
        "def pytest_sessionstart(session): SESSION.append(session)"
    ),
    "error in a hook of the loop": "def pytest_runtest_logstart(): raise ValueError('in a hook')",
    "error in collection": "def pytest_collection_modifyitems(): raise ValueError('in a hook')",
    "error in configure": "def pytest_configure(): raise ValueError('in a hook')",
    "error in sessionstart": "def pytest_sessionstart(): raise ValueError('in a hook')",
}
# Their tracebacks go through the frames of whoever runs the session.
WITH_FRAMES = ("error in", "exit at import", "exit in configure")


@pytest.mark.parametrize("name", CONFTESTS)
def test_stop_by_a_conftest(project: MakeCase, name: str) -> None:
    files = {"conftest.py": CONFTESTS[name], "test_it.py": AROUND.format("def test_x(): assert 0")}
    plain = not name.startswith(WITH_FRAMES)
    project(files, junit=plain).check(text=plain)


def test_internal_error_is_told(project: MakeCase) -> None:
    conftest = CONFTESTS["error in a hook of the loop"]
    result = project({"conftest.py": conftest, "test_it.py": "def test(): pass"}).mirrored([])
    assert result.code == 3
    assert "INTERNALERROR> ValueError: in a hook" in result.text
