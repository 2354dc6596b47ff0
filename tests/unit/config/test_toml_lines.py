"""Lines of keys in TOML text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.config.toml_lines import line_of

TEXT = """\
# tool.a
[tool.a]
x = 1
"y z" = 2 # x = 3
b.c = 4

[ tool . "d.e" ]   # a comment
x = [
  1,
]
[[tool.list]]
name = "x = 1"
"""


@pytest.mark.parametrize(
    ("table", "key", "line"),
    [
        (("tool", "a"), "", 2),
        (("tool", "a"), "x", 3),
        (("tool", "a"), "y z", 4),
        (("tool", "a", "b"), "c", 5),
        (("tool", "a"), "b", 5),
        (("tool", "d.e"), "x", 8),
        (("tool", "d.e"), "absent", 7),
        (("tool", "list"), "name", 12),
        (("tool", "other"), "x", 0),
        (("else",), "", 0),
    ],
)
def test_the_line_of_a_key(table: tuple[str, ...], key: str, line: int) -> None:
    assert line_of(TEXT, table, key) == line


@given(st.text(alphabet="[]{}.=\"' \nabc#\\", max_size=200))
def test_no_text_stops_it(text: str) -> None:
    assert 0 <= line_of(text, ("a", "b"), "c") <= len(text.splitlines())
