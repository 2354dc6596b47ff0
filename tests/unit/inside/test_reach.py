"""Which modules a text names; whole sessions are tried in ``fidelity/test_cells.py``."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.inside.frames import NEWER_CODE
from pytest_arm64.inside.reach import _modules_of, names_in, reached_by_files


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("import a", {"a"}),
        ("import a.b as c, d  # e", {"a.b", "a.b.*", "d"}),
        ("    import late", {"late"}),
        ("from a.b import c as d, e", {"a.b", "a.b.c", "a.b.e"}),
        ("from a import (\n    b,  # c\n    d as f,\n)", {"a", "a.b", "a.d", "a."}),
        ("from . import b", {"", "b"}),
        ("from ..a import b", {"a", "a.b"}),
        ("from a import *", {"a", "a.*"}),
        ("x = pytest.importorskip('a')", {"a.*", "pytest.importorskip"}),
        ("@patch('app.sums.total')", {"app.sums.total.*"}),
        ('run("app.main:start")', {"app.main.start.*"}),
        ("app.sums.total(x).y", {"app.sums.total"}),
        ("important = fromage = 'a'", set()),
        ("word = 'plain'", set()),
    ],
)
def test_names_in_code(text: str, names: set[str]) -> None:
    assert set(names_in(text)) == names


@given(st.text())
def test_any_text_has_names_or_none(text: str) -> None:
    assert all(isinstance(name, str) for name in names_in(text))


class _Lazy(ModuleType):
    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(f"{name} was asked for")


class _Proxy:
    @property  # type: ignore[misc]  # a proxy computes it
    def __class__(self) -> Any:
        raise AssertionError("its class was asked for")


def test_nothing_of_an_object_is_called() -> None:
    lazy = _Lazy("lazy")
    nameless = type("nameless", (), {"__module__": 3})
    names = set(_modules_of([lazy, _Proxy(), nameless, nameless(), pytest.fixture, {"a": [sys]}]))
    assert {"lazy", __name__, "_pytest.fixtures", "sys"} <= names


def test_what_cannot_be_found_out_counts_as_everything() -> None:
    broken = cast("pytest.Session", SimpleNamespace(items=[object()], config=None))
    assert reached_by_files(broken, {NEWER_CODE: ["numpy"]}) == {}
