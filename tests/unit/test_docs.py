"""The documentation for contributors: what it says of files, floors and terms is so."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hostile import threats
from pytest_arm64 import cache
from pytest_arm64.audit.auditor import SEARCH_LIMIT, TIME_LIMIT
from pytest_arm64.config.toml_files import MAXIMUM_BYTES
from pytest_arm64.engine.container_plan import PIDS_LIMIT
from pytest_arm64.environment import artifact_files, local_files, tree, wheel_source
from pytest_arm64.inputs.requirement_files import MAXIMUM_FILES
from pytest_arm64.inside import regular_file
from pytest_arm64.mirror import results
from pytest_arm64.mirror.session import MAXIMUM_DEATHS
from pytest_arm64.run import later_changes
from pytest_arm64.sources.reader import MOST_PARSED

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


def test_every_threat_names_a_test_that_there_is() -> None:
    tried = [threat.tries for threat in threats()]
    assert len(set(tried)) == len(tried) >= 100
    for threat in threats():
        match = re.fullmatch(r"([\w/]+\.py)::(test_\w+)", threat.test)
        assert match is not None, threat
        module = ast.parse((ROOT / "tests" / match[1]).read_text("utf-8"))
        classes = [node for node in module.body if isinstance(node, ast.ClassDef)]
        nodes = [*module.body, *(node for each in classes for node in each.body)]
        names = {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
        assert match[2] in names, threat


def test_the_table_of_threats_is_up_to_date() -> None:
    """After a change: scripts/threat-table --write."""
    subprocess.run([sys.executable, ROOT / "scripts/threat-table"], check=True)


def test_the_reference_of_the_commands_is_up_to_date() -> None:
    """After a change: scripts/command-reference --write."""
    subprocess.run([sys.executable, ROOT / "scripts/command-reference"], check=True)


@pytest.mark.parametrize(
    ("limit", "shown"),
    [
        (PIDS_LIMIT, "| processes in a container | 4096 |"),
        (results.MAXIMUM, "| results of one session, taken to the host | 1 GiB"),
        (MAXIMUM_DEATHS, "| deaths of the session inside before the run ends | 10 |"),
        (wheel_source.MAXIMUM_MEMBERS, "| files of a wheel, and what they unpack to | 200,000 "),
        (wheel_source.MAXIMUM_TOTAL, "200,000 and 16 GiB"),
        (artifact_files.MAXIMUM_MEMBERS, "| files of an artifact, and each of them | 400,000 "),
        (artifact_files.MAXIMUM_SIZE, "400,000 and 4 GiB"),
        (local_files.MAXIMUM_COPY, "| copy of a link folder or local index | 2 GiB |"),
        (tree.MAXIMUM_COPY, "| copy of the project for a build | 512 MiB |"),
        (MAXIMUM_FILES, "| requirement files of one tree, and each of them | 500 "),
        (regular_file.MOST_BYTES, "`.python-version` | 64 MiB |"),
        (later_changes.MOST_ENTRIES, "to name what runs later | 200,000 |"),
        (results.MOST_FOLDERS, "100,000 entries, 64 folders deep |"),
        (MOST_PARSED, "parsed for what they assume | 32 MiB |"),
        (MAXIMUM_BYTES, "| a `pyproject.toml` or lock | 256 MiB |"),
        (TIME_LIMIT, "| audit of one service, and its search | 300 s"),
        (SEARCH_LIMIT, "300 s and 30 s"),
        (cache.LIMIT, "| cache folder after an environment was made | 10 GiB |"),
    ],
)
def test_a_limit_is_the_one_in_the_code(limit: float, shown: str) -> None:
    text = (DOCS / "security.md").read_text("utf-8")
    assert shown in text
    number, unit = re.findall(r"([\d,]+) ?(MiB|GiB|s)?", shown)[-1]
    factor = {"MiB": 2**20, "GiB": 2**30}.get(unit, 1)
    assert int(number.replace(",", "")) * factor == limit
