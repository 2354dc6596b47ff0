"""What an audit loads: what a lock settles does not wait for what talks to an index."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_arm64 import cache
from pytest_arm64.contents.wheels import record_key
from pytest_arm64.index.simple import WHEEL, IndexFile
from unit.support import write

pytestmark = pytest.mark.usefixtures("index_alone")

LOCK = """
version = 1
requires-python = ">=3.12"

[[package]]
name = "plain"
version = "1.0"
source = { registry = "https://example.invalid/simple" }
wheels = [{ url = "https://example.invalid/plain-1.0-py3-none-any.whl", hash = "sha256:%s" }]

[[package]]
name = "shop"
version = "1"
source = { virtual = "." }
dependencies = [{ name = "plain" }]
""" % ("0" * 64)
PLAIN = IndexFile("plain-1.0-py3-none-any.whl", "", WHEEL, "1.0", sha256="0" * 64)
PROJECT = '[project]\nname = "shop"\nversion = "1"\ndependencies = ["plain"]\n'
SCRIPT = """
import json, sys
programs = []
sys.addaudithook(lambda event, _: event != "subprocess.Popen" or programs.append(event))
import pytest
from pytest_arm64.cli import main
arguments = ["audit", "uv.lock", "--target", "al2023-python3.12", "--format", "json"]
code = main([*arguments, *sys.argv[1:]])
json.dump([code, sorted(sys.modules), programs], open("loaded.json", "w"))
"""


@pytest.mark.parametrize("arguments", [[], ["--no-contents"]])
def test_a_lock_is_judged_without_a_resolver_and_a_network_client(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    """Wheels that were looked into before are not fetched again."""
    write(tmp_path, {"uv.lock": LOCK, "pyproject.toml": PROJECT})
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(cache, "cache_folder", cache.chosen_folder)
    if not arguments:
        cache.store("wheel-contents", record_key(PLAIN), {"x86": []})
    command = [sys.executable, "-c", SCRIPT, *arguments]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    code, modules, programs = json.loads((tmp_path / "loaded.json").read_text("utf-8"))
    assert code == 0
    assert programs == []  # pip is not asked for its configuration either
    assert not {"urllib3", "resolvelib", "ssl", "http.client", "docker"} & set(modules)
