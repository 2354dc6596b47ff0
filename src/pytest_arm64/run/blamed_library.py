"""In which library a test failed or its process died, where its stack or the scan tells."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from ..binary.record import NEWER_CORE

if TYPE_CHECKING:
    from ..binary.record import AbiRecord
    from ..decide.evidence import TestOutcome

_FRAME = re.compile(r'^  File "([^"\n]{1,999})", line \d{1,9} in ([^\n]{1,200})$', re.MULTILINE)
"""Of faulthandler; the innermost comes first."""
_PLACE = re.compile(r"^(?!E  )([^\s:][^:\n]{0,999}):\d{1,9}: (?:in (\w{1,200})|\w)", re.MULTILINE)
"""Of pytest's tracebacks; the innermost comes last, and paths of the project are relative."""
_MODULES = re.compile(r"^Extension modules: ([^\n]{1,9999})", re.MULTILINE)
_DEPLOYED = re.compile(r"(?:.*/)?(?:site|dist)-packages/(.+)")
_TESTS = "/opt/pytest-arm64/tests/"
_SIGILL = "killed by SIGILL"


def with_libraries(tests: Iterable[TestOutcome], abi: AbiRecord | None) -> Iterator[TestOutcome]:
    """*tests* with the library and function that they failed in; *abi* is what was scanned."""
    for test in tests:
        if not test.bad:
            yield test
            continue
        found = _by_scan(test, abi) if test.died and abi is not None else None
        library, functions = found or _by_stack(test)
        yield replace(test, library=library, functions=functions)


def _by_scan(test: TestOutcome, abi: AbiRecord) -> tuple[str, tuple[str, ...]] | None:
    """The one library with instructions for newer cores among those that were loaded."""
    listed = _MODULES.search(test.text)
    if _SIGILL not in test.text or listed is None:
        return None
    modules = {name.strip() for name in listed[1].partition("(total:")[0].split(",")}
    packages = {file.package for file in abi.files if _module(file.path) in modules} - {""}
    found = [f for f in abi.findings if f.kind == NEWER_CORE and f.package in packages]
    if len({finding.path for finding in found}) != 1:
        return None
    functions = dict.fromkeys(name for finding in found for name in finding.symbols)
    return _inside(found[0].path) or found[0].path, tuple(functions)


def _by_stack(test: TestOutcome) -> tuple[str, tuple[str, ...]]:
    """The innermost frame, if it is of a deployed package."""
    frame = _FRAME.search(test.text) if test.died else _last_place(test.text)
    library = _inside(frame[1]) if frame is not None else ""
    return library, (frame[2],) if frame is not None and library and frame[2] else ()


def _last_place(text: str) -> re.Match[str] | None:
    last = None
    for last in _PLACE.finditer(text):  # noqa: B007  (the last one is what is wanted)
        pass
    return last


def _inside(path: str) -> str:
    """*path* below the folder of deployed packages; empty where it is in none."""
    match = _DEPLOYED.fullmatch(path)
    return match[1] if match is not None and not path.startswith(_TESTS) else ""


def _module(path: str) -> str:
    """The name by which the compiled file at *path* is imported."""
    folder, name = posixpath.split(_inside(path))
    return ".".join([*filter(None, folder.split("/")), name.partition(".")[0]])
