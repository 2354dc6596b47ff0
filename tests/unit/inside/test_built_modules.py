"""Compiled modules of a project are found where its packages are imported from their source."""

from __future__ import annotations

import importlib.machinery
import json
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from pytest_arm64.environment import build
from pytest_arm64.environment.inside_files import PACKAGE
from pytest_arm64.environment.tree import ENV, INSIDE
from pytest_arm64.inside.built_modules import built_modules
from unit.support import PYTHON

ROOT = Path(__file__).parents[3]
SUFFIX = importlib.machinery.EXTENSION_SUFFIXES[0]
BUILT: dict[str, object] = {"dir_info": {}, "url": "file:///project"}
FALLBACK = "try:\n    from ._speedups import __file__\nexcept ImportError:\n    __file__ = 'none'\n"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "env" / "site-packages"
    folder.mkdir(parents=True)
    return folder


def install(site: Path, files: str, origin: object) -> None:
    """What an installer writes of a distribution with *files*; *origin* is its direct URL."""
    info = site / "pkg-1.0.dist-info"
    info.mkdir()
    (info / "RECORD").write_text("".join(f"{file},,\n" for file in files.split()))
    if origin is not None:
        text = origin if isinstance(origin, str) else json.dumps(origin)
        (info / "direct_url.json").write_text(text)


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (f"pkg/_speedups{SUFFIX}", ["pkg._speedups"]),
        ("pkg/deep/_x.abi3.so pkg/__init__.py", ["pkg.deep._x"]),
        ("pkg/_plain.so", ["pkg._plain"]),
        (f"top{SUFFIX}", []),  # beside the packages: Python finds it as it is
        ("pkg/libz.so.1 pkg/data.txt", []),
    ],
)
def test_the_compiled_submodules_are_those_of_the_record(
    site: Path, files: str, names: list[str]
) -> None:
    install(site, files, BUILT)
    assert [name for name, _ in built_modules(str(site))] == names


@pytest.mark.parametrize(
    "origin",
    [
        None,
        {"url": "https://example.org/pkg-1.0.tar.gz", "archive_info": {}},
        {"url": "file:///project", "dir_info": {"editable": True}},
        {"url": "file:///project", "dir_info": []},
        [],
        "{",
    ],
)
def test_what_was_not_built_from_a_folder_has_none(site: Path, origin: object) -> None:
    install(site, f"pkg/_speedups{SUFFIX}", origin)
    assert list(built_modules(str(site))) == []


def test_a_distribution_without_a_record_has_none(site: Path) -> None:
    install(site, "", BUILT)
    (site / "pkg-1.0.dist-info/RECORD").unlink()
    assert list(built_modules(str(site))) == []


@pytest.mark.parametrize("twin", [False, True], ids=["alone", "beside a twin in Python"])
def test_a_package_in_the_source_tree_has_its_compiled_module(
    site: Path, tmp_path: Path, twin: bool
) -> None:
    compiled = find_spec("markupsafe._speedups")
    assert compiled is not None
    assert compiled.origin is not None
    source = tmp_path / "project" / "pkg"
    source.mkdir(parents=True)
    (source / "__init__.py").write_text(FALLBACK)
    if twin:
        (source / "_speedups.py").touch()
    (site / "pkg").mkdir()
    shutil.copy(compiled.origin, site / "pkg" / f"_speedups{SUFFIX}")
    install(site, f"pkg/_speedups{SUFFIX}", BUILT)
    # As the image that runs has it, at the places of this machine.
    (line,) = build._finds_built_modules(PYTHON).values()
    assert line.content is not None
    text = line.content.decode().replace(f"{ENV}/{PYTHON.purelib}", str(site))
    text = text.replace(f"{INSIDE}/{PACKAGE}", str(ROOT / "src/pytest_arm64/inside"))
    (site / "built.pth").write_text(text)
    finished = subprocess.run(
        [
            *(sys.executable, "-c"),
            f"import site; site.addsitedir({str(site)!r}); site.addsitedir({str(site)!r})\n"
            "import pkg; print(pkg.__path__[0], pkg.__file__)\n",
        ],
        cwd=source.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert finished.stderr == ""
    package, module = finished.stdout.split()
    assert source.samefile(source.parent / package)
    assert module == str(site / "pkg" / f"_speedups{SUFFIX}")
