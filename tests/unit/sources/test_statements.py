"""The lines of the statement around a place: one of them is executed with the place."""

from __future__ import annotations

import pytest

from pytest_arm64.sources.languages import language_of
from pytest_arm64.sources.reader import CodeReader

HEAD = "import ctypes\n"
CALL = 'ctypes.CDLL("libfast-x86_64.so")'


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        (f"{CALL}\n", (2, 2)),
        ("x = [\n    1,\n    ctypes.CDLL(\n        'libfast-x86_64.so'\n    ),\n]\n", (2, 7)),
        (f"if (1 and\n        {CALL}):\n    pass\n    pass\n", (2, 3)),
        (f"def f(\n    a=1,\n    b={CALL},\n):\n    return 1\n", (2, 5)),
        (f"@decorated(\n    {CALL}\n)\ndef f():\n    pass\n", (2, 4)),
        (f"try:\n    pass\nexcept OSError:\n    {CALL}\n", (5, 5)),
        (f"match {CALL}:\n    case 1:\n        pass\n", (2, 2)),
        (f"class A:\n    @property\n    def a(self):\n        return {CALL}\n", (5, 5)),
        (f"if 1: {CALL}\n", (2, 2)),
    ],
)
def test_the_statement_around_a_place(code: str, lines: tuple[int, int]) -> None:
    language = language_of("app.py")
    assert language is not None
    result = CodeReader().read((HEAD + code).encode(), language)
    assert result is not None
    assert [(place.begins, place.ends) for place in result.places] == [lines]
