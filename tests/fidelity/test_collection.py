"""What is collected, how it is named, and what happens where it cannot be collected."""

from __future__ import annotations

import pytest

from .conftest import MakeCase

ODD_IDS = r'''
    import pytest
    IDS = ["a::b", "x[y]z", "ünï-çødé", "日本語", "new\nline", "tab\t", "", " ", "a/b\\c", "{} %s %(x)s",
           "<&>'\"", "\x00\x1b[31m", "x" * 300, "same", "same", "-k", "\udcff", "emoji 🎉"]
    @pytest.mark.parametrize("value", IDS)
    def test_value(value): assert value != "same"
    @pytest.mark.parametrize("value", range(len(IDS)), ids=IDS)
    def test_id(value): pass
    @pytest.mark.parametrize("value", [b"\xff\x00", 1.5, None, object, print, ...])
    def test_type(value): pass
'''


def test_odd_ids(project: MakeCase) -> None:
    project(ODD_IDS, junit=False).check(["-v"], ["-rA", "--lf"])


def test_classes_and_unittest(project: MakeCase) -> None:
    project(
        """
        import unittest
        class TestOuter:
            class TestInner:
                class TestInnermost:
                    def test_deep(self): pass
                    def test_fail(self): assert 0
        class Case(unittest.TestCase):
            @classmethod
            def setUpClass(cls): cls.x = 1
            def setUp(self): self.y = 2
            def test_pass(self): self.assertEqual(self.x + self.y, 3)
            def test_fail(self): self.assertEqual([1, 2], [1, 3], "message")
            def test_sub(self):
                for n in range(4):
                    with self.subTest(n=n, word="ü"):
                        self.assertNotEqual(n % 2, 1)
            @unittest.skip("whole")
            def test_skip(self): pass
            @unittest.expectedFailure
            def test_expected(self): self.fail()
            @unittest.expectedFailure
            def test_unexpected(self): pass
        class Broken(unittest.TestCase):
            @classmethod
            def setUpClass(cls): raise OSError("no class")
            def test_never(self): pass
        """
    ).check(["-v"], ["-rA"])


BROKEN = {
    "test_a.py": "import no_such_module_anywhere",
    "test_b.py": "def test_b(): pass\ndef test_c(): assert 0",
    "test_d.py": "def broken(:",
    "test_e.py": "raise RuntimeError('at import')",
    "test_f.py": "print('told at import'); assert 1 == 2",
}


@pytest.mark.parametrize(
    "line",
    ["", "--continue-on-collection-errors", "-x", "--maxfail=2", "test_b.py", "--co", "-v -rA"],
)
def test_collection_errors(project: MakeCase, line: str) -> None:
    project(BROKEN).check(line.split())


@pytest.mark.parametrize(
    ("files", "line"),
    [
        ({}, ""),
        ({"readme.txt": "nothing"}, ""),
        ({"conftest.py": "def broken(:", "test_a.py": "def test(): pass"}, ""),
        ({"conftest.py": "import no_such_module_anywhere"}, ""),
        ({"sub/conftest.py": "1 / 0", "sub/test_a.py": "def test(): pass"}, ""),
        ({"pytest.ini": "[pytest]\naddopts = --unheard-of\n"}, ""),
        ({"pytest.ini": "[pytest]\nunheard_of = 1\n", "test_a.py": "def test(): pass"}, ""),
        (
            {"pytest.ini": "[pytest]\nunheard_of = 1\n", "test_a.py": "def test(): pass"},
            "--strict-config",
        ),
        ({"pytest.ini": "[pytest]\nminversion = 99\n"}, ""),
        ({"pytest.ini": "[pytest]\nrequired_plugins = not-installed\n"}, ""),
        ({"pytest.ini": "[pytest\n"}, ""),
        ({"test_a.py": "def test(no_such_fixture): pass"}, "-rA"),
        ({"test_a.py": "def test(): pass"}, "-p no_such_plugin"),
        (
            {
                "test_a.py": "import pytest\n@pytest.mark.unheard_of\ndef test(): pass",
                "pytest.ini": "[pytest]\naddopts = --strict-markers\n",
            },
            "",
        ),
    ],
)
def test_what_cannot_start(project: MakeCase, files: dict[str, str], line: str) -> None:
    project(files).check(line.split())


def test_layouts(project: MakeCase) -> None:
    src = {
        "src/lib/__init__.py": "def f(): return 1",
        "tests/test_it.py": "import lib\ndef test(): assert lib.f() == 1",
        "pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["src"]\ntestpaths = ["tests"]\n',
    }
    project(src).check(["-v"])
    packages = {
        "tests/__init__.py": "",
        "tests/a/__init__.py": "",
        "tests/a/test_same.py": "from . import __name__ as n\ndef test(): assert n == 'tests.a'",
        "tests/b/__init__.py": "",
        "tests/b/test_same.py": "def test(): pass",
        "tests/conftest.py": "import pytest\n@pytest.fixture\ndef x(): return 1",
        "tests/b/test_x.py": "def test(x): assert x == 2",
    }
    project(packages).check(["-v"])
    namespace = {
        "ns/one/mod.py": "value = 1",
        "tests/one/test_it.py": "from ns.one.mod import value\ndef test(): assert value",
        "tests/two/test_that.py": "def test(): pass",
    }
    project(namespace, module=True).check(["-v", "--import-mode=importlib"])
    doubled = {"a/test_same.py": "def test(): pass", "b/test_same.py": "def test(): pass"}
    project(doubled).check(["-v"])


def test_path_with_spaces_and_umlauts(project: MakeCase) -> None:
    files = {"Prüf stand/test_größe.py": "def test_ä(): assert 'ö' == 'ü'\ndef test_b(): pass"}
    project(files, name="mein Projekt ñ").check(["-v"], ["Prüf stand/test_größe.py::test_ä"])


def test_doctests(project: MakeCase) -> None:
    files = {
        "lib.py": 'def f():\n    """\n    >>> f()\n    2\n    """\n    return 1\n',
        "text.txt": ">>> 1 + 1\n2\n>>> 1 / 0\n1\n",
    }
    project(files).check(["--doctest-modules", "--doctest-glob=*.txt", "-rA"])


def test_items_of_other_kinds(project: MakeCase) -> None:
    files = {
        "conftest.py": """
            import pytest
            def pytest_collect_file(file_path, parent):
                if file_path.suffix == ".yaml":
                    return Sheet.from_parent(parent, path=file_path)
            class Sheet(pytest.File):
                def collect(self):
                    for n, line in enumerate(self.path.read_text().split()):
                        yield Row.from_parent(self, name=f"row {n}: {line}")
            class Row(pytest.Item):
                def runtest(self): assert "bad" not in self.name
                def repr_failure(self, excinfo): return f"bad row: {self.name}"
                def reportinfo(self): return self.path, 7, f"sheet {self.name}"
        """,
        "test_x.yaml": "good\nbad\nugly\n",
    }
    project(files).check(["-v"], ["--lf"])


def test_hooks_that_change_the_collection(project: MakeCase) -> None:
    files = {
        "conftest.py": """
            def pytest_collection_modifyitems(config, items):
                dropped = [item for item in items if "drop" in item.name]
                items[:] = [item for item in reversed(items) if "drop" not in item.name]
                config.hook.pytest_deselected(items=dropped)
                if config.getoption("-v"):
                    del items[0]
            def pytest_itemcollected(item): item._nodeid = item.nodeid.replace("test_it", "other")
            def pytest_ignore_collect(collection_path): return True if "never" in collection_path.name else None
        """,
        "test_it.py": "def test_a(): pass\ndef test_drop(): pass\ndef test_b(): assert 0",
        "test_never.py": "1 / 0",
    }
    project(files).check([], ["-v"])
