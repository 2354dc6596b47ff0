"""The scripts that record index pages: they load, and keep what an answer can depend on."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import json
import lzma
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from pytest_arm64.config._toml import loads
from pytest_arm64.index.fetch import Deadline
from pytest_arm64.index.index import Index, Sources
from pytest_arm64.index.pip_config import PipConfig
from unit.index.served import Project, serve

ROOT = Path(__file__).parents[3]
DATA = ROOT / "tests" / "data"


def script(name: str) -> ModuleType:
    loader = importlib.machinery.SourceFileLoader(
        name.replace("-", "_"), str(ROOT / "scripts" / name)
    )
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    keep, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = keep
    return module


@pytest.mark.parametrize("name", ["record-advice", "record-trees"])
def test_a_script_loads(name: str) -> None:
    assert callable(script(name).main)


PAGE = {
    "zed": Project(
        [
            ("zed-2.0-cp312-cp312-win_amd64.whl", "", False),
            ("zed-2.0-cp312-cp312-linux_x86_64.whl", ">=3.12", False),
            ("zed-1.0-cp312-cp312-win_amd64.whl", "", True),
            ("zed-1.0.tar.gz", "", False),
        ]
    )
}


@pytest.mark.usefixtures("index_alone")
def test_all_files_of_pinned_releases_are_recorded_and_those_for_linux_of_the_others() -> None:
    record = script("record-advice").record
    with serve(PAGE) as played:
        index = Index(Sources.of_host(PipConfig({"index-url": played.url}, {}, ())), Deadline(60))
        assert record(index, ["zed==1.0", "other==3"], ["zed"]) == {
            "zed": [
                ("zed-2.0-cp312-cp312-linux_x86_64.whl", ">=3.12", 0),
                ("zed-1.0-cp312-cp312-win_amd64.whl", "", 1),
                ("zed-1.0.tar.gz", "", 0),
            ]
        }
        with pytest.raises(SystemExit, match="the index has no 9"):
            record(index, ["zed==9"], ["zed"])
        index.close()


def test_every_release_of_the_table_is_recorded() -> None:
    files = [
        re.sub("[-_.]+", "-", row[0].lower())
        for name in ("trees", "advice")
        for rows in json.loads(lzma.decompress((DATA / f"{name}.json.xz").read_bytes()))[
            "projects"
        ].values()
        for row in rows
    ]
    for pin in script("record-advice").pins(loads((DATA / "advice.toml").read_text("utf-8"))):
        name, _, version = pin.partition("==")
        spelled = re.sub("[-_.]+", "-", f"{name}-{version}-")
        assert any(file.startswith(spelled) for file in files), pin
