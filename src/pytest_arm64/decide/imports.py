"""What a service's deployed code imports, read from its syntax; nothing of it is executed."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from pathlib import Path

from ..inside.regular_file import read_regular

_LEFT_OUT = frozenset({"tests", "test", "node_modules", "__pycache__", "build", "dist", "venv"})
_MAX_FILES = 5000
_MAX_BYTES = 2_000_000


def imports_of(folder: Path, tests: tuple[Path, ...] = ()) -> tuple[tuple[str, str], ...]:
    """Top-level modules that the code below *folder* imports, each with file and line.

    Tests, hidden folders and virtual environments are left out; a file that is no Python is
    passed over. Names that only ``importlib`` sees are not found.
    """
    found: dict[str, str] = {}
    for path in _sources(folder, tests):
        for module, line in _imported(path):
            found.setdefault(module, f"{path.relative_to(folder).as_posix()}:{line}")
    return tuple(sorted(found.items()))


def modules_of(folder: Path) -> tuple[str, ...]:
    """Top-level modules and packages that the code in *folder* itself is."""
    found = set()
    for base in (folder, folder / "src"):
        if not base.is_dir():
            continue
        for path in base.iterdir():
            if path.suffix == ".py" and path.stem.isidentifier():
                found.add(path.stem)
            elif (path / "__init__.py").is_file() and path.name not in _LEFT_OUT:
                found.add(path.name)
    # What every service may have of its own says nothing about whose it is.
    return tuple(sorted(found - {"setup", "conftest", "handler", "main", "app", "src"}))


def _sources(folder: Path, tests: tuple[Path, ...]) -> Iterator[Path]:
    pending = [folder]
    count = 0
    while pending:
        here = pending.pop()
        try:
            entries = sorted(here.iterdir())
        except OSError:
            continue
        for path in entries:
            if path.is_symlink():
                continue
            if path.is_dir():
                left_out = path.name in _LEFT_OUT or path.name.startswith(".") or path in tests
                if not left_out and not (path / "pyvenv.cfg").exists():
                    pending.append(path)
            elif path.suffix == ".py" and path.stat().st_size <= _MAX_BYTES:
                count += 1
                if count > _MAX_FILES:
                    return
                yield path


def _imported(path: Path) -> Iterator[tuple[str, int]]:
    try:
        tree = _parsed(read_regular(path, _MAX_BYTES))
    except (SyntaxError, ValueError, RecursionError, MemoryError, OSError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name.partition(".")[0], node.lineno
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0], node.lineno


def _parsed(source: bytes) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(source)
        except SystemError:
            # Python 3.11 at times miscounts the depth of the syntax (gh-106905); not twice.
            return ast.parse(source)
