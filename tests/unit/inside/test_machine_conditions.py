"""What of a source depends on the machine, and what only looks like it."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.inside.machine_conditions import (
    assignment_depends_on_machine,
    function_depends_on_machine,
    line_depends_on_machine,
    reason_names_machine,
)

REASONS = (
    "broken on aarch64",
    "x86 only",
    "needs x86-64",
    "needs AVX2",
    "not on ARM",
    "Fails on arm64, see the tracker",
    "amd64 assembly",
    "no SSE4.2 here",
    "armv8 rounds otherwise",
    "Graviton2 has no SVE",
    "i686 has no such type",
)
OTHER_REASONS = (
    "",
    "no network",
    "the robot arm is not connected",
    "arm64_golden: NumPy is not installed",
    "needs a machine with a GPU",
    "assets are missing",
    "charm is not installed",
    "Windows on ARM64 only",
    "macOS x86_64 wheels",
    "x8 is missing",
)


@pytest.mark.parametrize("reason", REASONS)
def test_a_reason_that_names_a_machine(reason: str) -> None:
    assert reason_names_machine(reason)


@pytest.mark.parametrize("reason", OTHER_REASONS)
def test_a_reason_that_names_none(reason: str) -> None:
    assert not reason_names_machine(reason)


HEAD = "import os, platform, sys, pytest, unittest\nfrom helpers import IS_ARM, needs_x86, other\n"
SKIPPED = {
    "a condition": "@pytest.mark.skipif(platform.machine() == 'x', reason='r')\ndef test(): pass #",
    "os.uname": "@pytest.mark.skipif(os.uname().machine != 'x', reason='r')\ndef test(): pass #",
    "index of uname": "@pytest.mark.skipif(os.uname()[4] != 'x', reason='r')\ndef test(): pass #",
    "a name": "@pytest.mark.skipif(IS_ARM, reason='r')\ndef test(): pass #",
    "a mark from elsewhere": "@needs_x86\ndef test(): pass #",
    "a mark of the module": "here = pytest.mark.skipif(not IS_ARM)\n@here\ndef test(): pass #",
    "two names": (
        "A = platform.machine()\nB = A == 'x'\n@pytest.mark.skipif(B, reason='r')\n"
        "def test(): pass #"
    ),
    "text": "@pytest.mark.skipif('platform.machine() != 0', reason='r')\ndef test(): pass #",
    "unittest": "@unittest.skipUnless(IS_ARM, 'r')\ndef test(): pass #",
    "a parameter": (
        "@pytest.mark.parametrize('x', [1, pytest.param(2, marks=pytest.mark.skipif(IS_ARM))])\n"
        "def test(x): pass #"
    ),
    "parameters of the module": (
        "XS = [1, pytest.param(2, marks=pytest.mark.xfail(IS_ARM, reason='r'))]\n"
        "@pytest.mark.parametrize('x', XS)\ndef test(x): pass #"
    ),
    "unittest, imported": ("from unittest import skipIf\n@skipIf(IS_ARM, 'r')\ndef test(): pass #"),
    "a class": "@pytest.mark.skipif(IS_ARM, reason='r')\nclass T:\n    def test(self): pass #",
    "pytestmark": "pytestmark = pytest.mark.skipif(IS_ARM, reason='r')\ndef test(): pass #",
    "pytestmark, listed": "pytestmark = [other, pytest.mark.xfail(IS_ARM)]\ndef test(): pass #",
    "another system or machine": (
        "@pytest.mark.skipif(sys.platform == 'win32' or IS_ARM, reason='r')\ndef test(): pass #"
    ),
    "an if": "def test():\n    if IS_ARM:\n        pytest.skip('r') #",
    "an else": "def test():\n    if IS_ARM:\n        return\n    else:\n        pytest.skip('r') #",
    "an if in a with": "def f():\n    if IS_ARM:\n        with other:\n            other() #",
    "an if of the module": "if IS_ARM:\n    pytest.skip('r', allow_module_level=True) #",
    "an if in except": (
        "try:\n    import nosuch\nexcept ImportError:\n    if IS_ARM:\n        pytest.skip('r') #"
    ),
    "a decorator on several lines": (
        "@pytest.mark.skipif(\n    platform.machine() == 'x',\n    reason='r',\n)\n"
        "async def test(): pass #"
    ),
}
NOT = {
    "nothing": "def test(): pass #",
    "a parameter": "@pytest.mark.parametrize('m', ['arm64'])\ndef test(m): pass #",
    "parameters that only speak of it": (
        "XS = ['skip', 'x86_64']\n@pytest.mark.parametrize('x', XS)\ndef test(x): pass #"
    ),
    "another mark": "@pytest.mark.arm64\ndef test(): pass #",
    "another reason": "@pytest.mark.skipif(IS_ARM, reason='other')\ndef test(): pass #",
    "an if before it": "def test():\n    if IS_ARM:\n        other()\n    pytest.skip('r') #",
    "an if around the function": "if IS_ARM:\n    def test():\n        pytest.skip('r') #",
    "a skip in a marked test": (
        "@pytest.mark.xfail(IS_ARM)\ndef test():\n    other()\n    pytest.skip('r') #"
    ),
    "another system": (
        "@pytest.mark.skipif(not (sys.platform == 'darwin' and IS_ARM), reason='r')\n"
        "def test(): pass #"
    ),
    "another function": (
        "@pytest.mark.skipif(IS_ARM)\ndef test_a(): pass\ndef test(): pytest.skip('r') #"
    ),
}


def written(text: str, folder: Path) -> tuple[str, int]:
    """A file with *text*, and the line that ends with ``#``."""
    path = folder / "test_it.py"
    path.write_text(HEAD + text, "utf-8")
    lines = path.read_text("utf-8").splitlines()
    return str(path), next(n for n, line in enumerate(lines, 1) if line.endswith("#"))


@pytest.mark.parametrize("text", SKIPPED.values(), ids=SKIPPED)
def test_a_skip_that_depends_on_the_machine(text: str, tmp_path: Path) -> None:
    assert line_depends_on_machine(*written(text, tmp_path), "r")


@pytest.mark.parametrize("text", NOT.values(), ids=NOT)
def test_a_skip_that_does_not(text: str, tmp_path: Path) -> None:
    assert not line_depends_on_machine(*written(text, tmp_path), "r")


@pytest.mark.parametrize(
    ("text", "depends"),
    [
        ("if IS_ARM:\n    collect_ignore = ['a']\n", True),
        ("collect_ignore = ['a'] if IS_ARM else []\n", True),
        (
            "collect_ignore = []\nif platform.machine() == 'x':\n    collect_ignore.append('a')\n",
            True,
        ),
        ("collect_ignore = []\nif IS_ARM:\n    collect_ignore += ['a']\n", True),
        ("X = platform.machine()\nif X == 'y':\n    collect_ignore = ['a']\n", True),
        ("collect_ignore = ['setup.py']\n", False),
        ("if sys.version_info < (3, 12):\n    collect_ignore = ['a']\n", False),
        ("if IS_ARM:\n    other = 1\ncollect_ignore = ['a']\n", False),
    ],
)
def test_a_value_that_depends_on_the_machine(text: str, depends: bool, tmp_path: Path) -> None:
    path = tmp_path / "conftest.py"
    path.write_text(HEAD + text, "utf-8")
    assert assignment_depends_on_machine(str(path), ("collect_ignore",)) is depends


def test_a_function_that_depends_on_the_machine(tmp_path: Path) -> None:
    path = tmp_path / "conftest.py"
    path.write_text(
        dedent("""\
        import platform
        HERE = platform.machine()
        def a(items):
            if HERE == "x":
                items.clear()
        def b(items):
            items.clear()
        """),
        "utf-8",
    )
    assert [function_depends_on_machine(str(path), line) for line in (5, 7, 1)] == [
        True,
        False,
        False,
    ]


@pytest.mark.parametrize("text", ["def (", "\0", "x = " + "(" * 5000, "\N{BOM}def f(): pass"])
def test_what_is_no_source_depends_on_nothing(text: str, tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    path.write_text(text, "utf-8")
    assert not line_depends_on_machine(str(path), 1, "r")
    assert not line_depends_on_machine(str(tmp_path / "missing.py"), 1, "r")


@given(st.sampled_from(sorted([*SKIPPED.values(), *NOT.values()])), st.integers(-3, 40))
def test_no_line_of_a_source_is_an_error(text: str, line: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path, _ = written(text, Path(folder))
        line_depends_on_machine(path, line, "r")
        function_depends_on_machine(path, line)
