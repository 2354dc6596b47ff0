"""The documentation for contributors: what it says of files, floors and terms is so."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "pytest_arm64"
DOCS = ROOT / "docs"
PAGES = (
    ROOT / "CONTRIBUTING.md",
    DOCS / "architecture.md",
    *sorted((DOCS / "contributing").glob("*.md")),
)
CODE = re.compile(r"`([^`\n]+)`")
FILE = re.compile(r"[\w./-]+\.(?:py|toml|md|json|html|css|js)|(?:src|tests|docs|scripts)/[\w./-]+")


def named_files(text: str) -> set[str]:
    """The files that *text* names, by their path in the repository or below the package."""
    words = (word for code in CODE.findall(text) for word in code.split())
    return {word for word in words if FILE.fullmatch(word) and "/" in word and "NAME" not in word}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    missing = {
        name
        for name in named_files(page.read_text("utf-8"))
        if not any((folder / name).exists() for folder in (ROOT, PACKAGE))
    }
    assert not missing


def test_the_drawn_floors_are_those_of_the_contract() -> None:
    drawing = (DOCS / "architecture.md").read_text("utf-8")
    drawn = re.findall(r"^ +(\d+)   (\w+(?: \| \w+)*) ", drawing, re.MULTILINE)
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    layers = contracts["contracts"][0]["layers"]
    assert [names for _, names in drawn] == layers
    assert [int(number) for number, _ in drawn] == list(range(len(layers), 0, -1))


def test_the_glossary_is_in_order_and_has_each_term_once() -> None:
    rows = re.findall(r"^\| ([^|]+) \| [^|]+ \|$", (DOCS / "glossary.md").read_text("utf-8"), re.M)
    terms = [row.lower() for row in rows if row not in ("term", "---")]
    assert len(terms) > 40
    assert terms == sorted(set(terms))
