"""Source distributions that compile nothing, told by their files without building them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import PurePosixPath

from .. import cache
from ..index.archives import ArchiveError
from ..index.fetch import FetchError
from ..index.index import Index
from ..index.remote_metadata import read_sdist_files
from ..index.simple import IndexFile, file_of
from .causes import PURE_SOURCE, SOURCE_EVERYWHERE
from .matrix import SOURCE, Row

_KIND = "sdist-sources"
_TEXTS = frozenset(["setup.py", "setup.cfg", "pyproject.toml"])
_COMPILED = frozenset(
    [
        *(".c", ".cc", ".cpp", ".cxx", ".h", ".hpp", ".pyx", ".pxd", ".f", ".f90", ".for"),
        *(".rs", ".go", ".zig", ".cu", ".m", ".mm", ".s", ".asm", ".swift", ".java", ".so", ".a"),
    ]
)
_BUILD_FILES = frozenset(["meson.build", "CMakeLists.txt", "Cargo.toml", "configure", "Makefile"])
# Words of a build script that compile something that may be in no file of its own.
_WORDS = re.compile(
    rb"ext_?modules|Extension|cffi|cython|pybind11|nanobind|maturin|rust|cmake|meson|scikit.build"
    rb"|libraries|build_ext|build_clib|subprocess|os\.system|ctypes",
    re.IGNORECASE,
)


def with_pure_sources(rows: Iterable[Row], index: Index) -> Iterator[Row]:
    """*rows*, where those that are built from sources without anything to compile say so."""
    for row in rows:
        if row.state != SOURCE or row.cause != SOURCE_EVERYWHERE or row.editable or not row.url:
            yield row
            continue
        hashes = dict(value.split(":", 1) for value in row.hashes if ":" in value)
        file = file_of(row.name, row.file, row.url, {"hashes": hashes})
        yield _described(row) if file is not None and is_pure(index, row.name, file) else row


def _described(row: Row) -> Row:
    fix = row.remedy
    if fix is not None and not fix.version:
        text = "its build gives the same wheel on every machine: nothing stands in the way"
        fix = replace(fix, text=text)
    detail = "no release of it is a wheel here, and its sources hold nothing to compile"
    return replace(row, cause=PURE_SOURCE, detail=detail, native=False, remedy=fix)


def is_pure(index: Index, project: str, file: IndexFile) -> bool:
    """Whether the sources in *file* are Python alone, and their build script compiles nothing.

    What cannot be read, or holds no Python at all, is not said to be.
    """
    key = cache.digest([project, file.name, file.sha256]) if file.sha256 else ""
    answer = (cache.load(_KIND, key) or {}).get("pure") if key else None
    if not isinstance(answer, bool):
        try:
            files = read_sdist_files(index.fetcher, project, file, _TEXTS)
        except (ArchiveError, FetchError, OSError):
            return False
        answer = _holds_python_alone(files)
        if key:
            cache.store(_KIND, key, {"pure": answer})
    return answer


def _holds_python_alone(files: Mapping[str, bytes]) -> bool:
    paths = [PurePosixPath(name) for name in files]
    compiled = any(p.suffix.lower() in _COMPILED or p.name in _BUILD_FILES for p in paths)
    python = any(p.suffix == ".py" and str(p) != "setup.py" for p in paths)
    return python and not compiled and not any(map(_WORDS.search, files.values()))
