"""Modules that are imported for the sake of it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_arm64.inside.load import load


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(str(tmp_path))
    folder = tmp_path / "arm64_circle"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    yield folder
    for name in [n for n in sys.modules if n.partition(".")[0] == "arm64_circle"]:
        del sys.modules[name]


def test_a_circle_that_closes_by_the_second_time(package: Path) -> None:
    (package / "inner.py").write_text("import arm64_circle.outer\nVALUE = 1\n")
    (package / "outer.py").write_text(
        "import sys\n"
        "if not hasattr(sys, '_arm64_circle'):\n"
        "    sys._arm64_circle = True\n"
        "    from arm64_circle.inner import VALUE\n"
    )
    try:
        load("arm64_circle.inner")
    finally:
        del sys._arm64_circle  # type: ignore[attr-defined]
    assert sys.modules["arm64_circle.inner"].VALUE == 1


def test_a_circle_that_is_entered_from_its_other_side(package: Path) -> None:
    (package / "inner.py").write_text("from arm64_circle.outer import OTHER\nVALUE = OTHER\n")
    (package / "outer.py").write_text("OTHER = 2\nfrom arm64_circle.inner import VALUE\n")
    load("arm64_circle.inner")
    assert sys.modules["arm64_circle.inner"].VALUE == 2


def test_a_module_that_names_what_comes_first(package: Path, tmp_path: Path) -> None:
    (package / "inner.py").write_text(
        "import sys\n"
        "if 'arm64_circle_first' not in sys.modules:\n"
        "    raise ImportError('the arm64_circle_first package should be imported before inner')\n"
    )
    with pytest.raises(ModuleNotFoundError, match="arm64_circle_first"):
        load("arm64_circle.inner")
    (tmp_path / "arm64_circle_first.py").write_text("")
    importlib.invalidate_caches()
    try:
        load("arm64_circle.inner")
        assert "arm64_circle.inner" in sys.modules
    finally:
        sys.modules.pop("arm64_circle_first", None)


def test_a_circle_that_never_closes_is_an_error(package: Path) -> None:
    (package / "inner.py").write_text("from arm64_circle.outer import OTHER\nVALUE = 1\n")
    (package / "outer.py").write_text("from arm64_circle.inner import VALUE\nOTHER = 2\n")
    with pytest.raises(ImportError, match="partially initialized"):
        load("arm64_circle.inner")


def test_any_other_error_is_told_at_once(package: Path) -> None:
    (package / "broken.py").write_text("import arm64_there_is_no_such_module\n")
    with pytest.raises(ModuleNotFoundError):
        load("arm64_circle.broken")
