"""What keeps the house readable: sizes, names and types, counted."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

import pytest_arm64

PACKAGE = Path(pytest_arm64.__file__).parent
MODULES = {path: path.read_text("utf-8") for path in sorted(PACKAGE.rglob("*.py"))}
TREES = {path: ast.parse(text) for path, text in MODULES.items()}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_no_module_is_longer_than_400_lines(path: Path) -> None:
    assert MODULES[path].count("\n") <= 400


def test_no_public_class_name_is_used_twice() -> None:
    names = Counter(
        node.name
        for tree in TREES.values()
        for node in tree.body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert [name for name, count in names.items() if count > 1] == []


def test_any_stands_at_most_8_times_in_1000_lines() -> None:
    lines = sum(text.count("\n") for text in MODULES.values())
    uses = sum(
        isinstance(node, ast.Name) and node.id == "Any"
        for tree in TREES.values()
        for node in ast.walk(tree)
    )
    assert uses <= 8 * lines / 1000


def test_the_audit_has_at_most_25_modules() -> None:
    assert len(list((PACKAGE / "audit").rglob("*.py"))) <= 25


def test_every_ignored_type_error_has_a_reason() -> None:
    bare = re.compile(r"# type: ignore(\[[^\]]*\])?\s*$", re.MULTILINE)
    assert [str(path) for path, text in MODULES.items() if bare.search(text)] == []
