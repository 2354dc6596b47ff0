"""Every option of the pytest that is installed is sorted, and the documentation says how."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from pytest_arm64.inside.options import Who
from pytest_arm64.mirror.option_table import PLUGINS, PYTEST, markdown, own_markdown

ROOT = Path(__file__).parents[2]
LIST = """
import json
from _pytest.config import get_config
config = get_config()
config.parse(["--noconftest", "-c", "/dev/null"])
parser = config._parser
print(json.dumps([o.names() for g in [*parser._groups, parser._anonymous] for o in g.options]))
"""


@pytest.fixture(scope="module")
def installed() -> list[set[str]]:
    """Spellings of each option of pytest alone."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    found = subprocess.run(
        [sys.executable, "-c", LIST], env=environment, capture_output=True, text=True, check=True
    )
    return [set(names) for names in json.loads(found.stdout)]


def test_every_option_is_sorted_with_all_its_spellings(installed: list[set[str]]) -> None:
    known = [set(option.names) for option in PYTEST]
    assert len(installed) > 60
    assert [names for names in installed if not any(names <= k for k in known)] == []


def test_nothing_is_sorted_twice() -> None:
    counted = Counter(name for option in (*PYTEST, *PLUGINS) for name in option.names)
    assert max(counted.values()) == 1


def test_what_is_refused_has_a_reason_and_a_value() -> None:
    refused = [option for option in PYTEST if option.who is Who.REFUSED]
    assert refused
    assert all(option.note and option.dest for option in refused)


def test_the_documentation_is_up_to_date() -> None:
    """After a change: scripts/option-table --write."""
    text = (ROOT / "docs/options.md").read_text("utf-8")
    assert markdown() in text
    assert own_markdown() in text
