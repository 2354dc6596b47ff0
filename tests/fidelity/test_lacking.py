"""A variable that only the host has is named where a test fails for want of it, and only there."""

from __future__ import annotations

import pytest

from fidelity.harness import Case, MakeCase

SECTION = "set on this machine but not in the container: "


@pytest.fixture
def lacking(project: MakeCase) -> MakeCase:
    def make(code: str, **more: str) -> Case:
        files = {"test_it.py": code, **more}
        environment = {"SHOP_TOKEN": "secret-value", "LOCAL_PLACE_HIDES": "SHOP_TOKEN"}
        return project(files, environment=environment)

    return make


READERS = {
    "subscript": "def test(): os.environ['SHOP_TOKEN']",
    "get": "def test(): assert os.environ.get('SHOP_TOKEN')",
    "getenv": "def test(): assert os.getenv('SHOP_TOKEN')",
    "at import": "TOKEN = os.getenv('SHOP_TOKEN')\ndef test_a(): pass\ndef test(): assert TOKEN",
    "bytes": "def test(): assert os.environb.get(b'SHOP_TOKEN')",
    "in a fixture": (
        "import pytest\n@pytest.fixture(scope='session')\n"
        "def token(): return os.getenv('SHOP_TOKEN')\n"
        "def test_a(token): pass\ndef test(token): assert token"
    ),
    "while it is collected": "os.environ['SHOP_TOKEN']\ndef test(): pass",
}


@pytest.mark.parametrize("reader", READERS)
def test_it_is_named(lacking: MakeCase, reader: str) -> None:
    result = lacking(f"import os\n{READERS[reader]}").mirrored([])
    assert result.code == (2 if reader == "while it is collected" else 1)
    assert result.text.count(SECTION + "SHOP_TOKEN") == 1
    assert 'env = ["SHOP_TOKEN"]' in result.text
    assert "secret-value" not in result.text


@pytest.mark.parametrize(
    "files",
    [
        {"conftest.py": "import os\nos.environ['SHOP_TOKEN']\n"},
        {
            "conftest.py": "import settings\n",
            "settings.py": "import os\nos.environ['SHOP_TOKEN']\n",
        },
        {"conftest.py": "import os\nassert os.getenv('SHOP_TOKEN'), 'set it'\n"},
    ],
    ids=["in it", "in a module of its own", "with a message of its own"],
)
def test_it_is_named_where_conftest_cannot_be_imported(
    lacking: MakeCase, files: dict[str, str]
) -> None:
    case = lacking("def test(): pass\n", **files)
    result = case.mirrored(["-p", "no:cacheprovider"])
    assert result.code == 4, result.text
    assert result.text.count(SECTION + "SHOP_TOKEN") == 1
    assert 'env = ["SHOP_TOKEN"]' in result.text
    assert "secret-value" not in result.text


def test_a_variable_that_is_not_needed_is_not_named_at_the_start(lacking: MakeCase) -> None:
    files = {"conftest.py": "import os\nos.getenv('NOBODY_HAS_IT')\nimport nosuch\n"}
    result = lacking("def test(): pass\n", **files).mirrored([])
    assert result.code == 4
    assert SECTION not in result.text


@pytest.mark.parametrize(
    "code",
    [
        "def test_a(): os.environ.get('SHOP_TOKEN')",
        "def test_a(): assert os.environ.get('NOBODY_HAS_IT')",
        "def test_a(): assert os.environ.get('TERM') == 1",
        "def test_a(): assert 0",
        "def test_a(monkeypatch):\n    monkeypatch.setenv('SHOP_TOKEN', 'x')\n    assert 0",
    ],
)
def test_it_is_not_named(lacking: MakeCase, code: str) -> None:
    assert SECTION not in lacking(f"import os\n{code}").mirrored([]).text


def test_what_is_read_in_one_test_does_not_explain_another(lacking: MakeCase) -> None:
    code = """
        import os, sys
        sys.path.append("site-packages")
        import lib
        def test_a(): lib.read()
        def test_b(): assert 0
    """
    library = "import os\ndef read(): return os.getenv('SHOP_TOKEN')"
    case = lacking(code, **{"site-packages/lib.py": library})
    assert SECTION not in case.mirrored([]).text


def test_nobody_sees_that_it_is_watched(project: MakeCase) -> None:
    code = """
        import os, copy, pytest, subprocess, sys
        def test_missing(): os.environ["NOT_THERE"]
        def test_nested(): assert os.environ.get("NOT_THERE", "x") == "y"
        def test_as_ever(monkeypatch):
            monkeypatch.setenv("MINE", "1")
            assert os.environ.copy() == dict(os.environ) == os.environ
            assert "MINE" in os.environ and "NOT_THERE" not in os.environ
            assert os.environb[b"MINE"] == b"1"
            assert os.environ.setdefault("MINE", "2") == "1"
            del os.environ["MINE"]
            with pytest.raises(KeyError, match="'MINE'") as raised: os.environ["MINE"]
            assert raised.value.__context__ is None or raised.value.__suppress_context__
            code = "import os; print('MINE' in os.environ)"
            assert subprocess.check_output([sys.executable, "-c", code]) == b"False\\n"
    """
    project(code).check(["-v", "--tb=short"], ["--tb=native"])
