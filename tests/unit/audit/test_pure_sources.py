"""Source distributions whose files show whether their build compiles something."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from pytest_arm64.audit.matrix import SOURCE, Row
from unit.index.served import matrix_of, release, sdist, serve

pytestmark = pytest.mark.usefixtures("index_alone")

PLAIN = b"from setuptools import setup\nsetup(name='zed', py_modules=['zed'])\n"
PURE = {"setup.py": PLAIN, "zed.py": b"pass\n"}


def row_of(folder: Path, files: Mapping[str, bytes]) -> Row:
    with serve({"zed": release("zed", "1.0", sdist=True)}) as index:
        index.files["zed-1.0.tar.gz"] = sdist("zed", "1.0", files=files)
        return matrix_of(folder, "zed==1.0", index.url)["zed"]


def test_sources_of_python_alone_are_not_called_native(tmp_path: Path) -> None:
    row = row_of(tmp_path, PURE)
    assert (row.state, row.cause, row.native) == (SOURCE, "pure-source", False)
    assert row.remedy is not None
    assert "nothing stands in the way" in row.remedy.text


@pytest.mark.parametrize(
    "more",
    [
        {"zed/fast.c": b"int x;"},
        {"src/lib.rs": b""},
        {"zed/fast.pyx": b""},
        {"CMakeLists.txt": b""},
        {"setup.py": b"setup(ext_modules=[Extension('zed', [])])"},
        {"setup.py": b"setup(cffi_modules=['build.py:ffi'])"},
        {"setup.py": b"import subprocess\nsubprocess.run(['make'])"},
        {"pyproject.toml": b"[build-system]\nrequires = ['Cython', 'setuptools']\n"},
        {"pyproject.toml": b"[build-system]\nrequires = ['maturin']\n"},
    ],
)
def test_what_may_compile_stays_native(tmp_path: Path, more: Mapping[str, bytes]) -> None:
    row = row_of(tmp_path, {**PURE, **more})
    assert (row.cause, row.native) == ("source-everywhere", True)


@pytest.mark.parametrize("files", [{}, {"setup.py": PLAIN}, {"README": b""}])
def test_sources_that_show_nothing_are_not_called_pure(
    tmp_path: Path, files: Mapping[str, bytes]
) -> None:
    assert row_of(tmp_path, files).cause == "source-everywhere"


def test_sources_that_cannot_be_read_are_not_called_pure(tmp_path: Path) -> None:
    with serve({"zed": release("zed", "1.0", sdist=True)}) as index:
        index.files["zed-1.0.tar.gz"] = b"no archive"
        row = matrix_of(tmp_path, "zed==1.0", index.url)["zed"]
    assert row.cause == "source-everywhere"
