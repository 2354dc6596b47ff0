"""``pytest-arm64 golden list|prune``: which goldens there are, and which have lost their test."""

from __future__ import annotations

import ast
import json
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import Arm64Error
from ..inside.counted import counted
from ..inside.golden.explain import printable
from ..inside.golden.store import FOLDER, PROVENANCE, GoldenError, read_file
from ..inside.regular_file import read_regular
from ..report.console import console_on
from ..walking import walk_folders

_SKIPPED = frozenset(
    [".git", ".hg", ".tox", ".nox", ".venv", "venv", "node_modules", "__pycache__"]
)

DESCRIPTION = """\
List the values that arm64_golden has recorded next to the tests, or remove those whose
test no longer exists.
"""
EPILOG = """\
examples:
  pytest-arm64 golden list
  pytest-arm64 golden prune --dry-run

exit codes:
  0  done
  1  `list` found a golden that cannot be read or has no test
  2  the folder cannot be used
"""


@dataclass(frozen=True)
class StoredGolden:
    """One golden on disk."""

    path: Path
    """Its tree, relative to where the search began."""
    module: str
    """The test module it belongs to."""
    test: str
    values: int
    size: int
    """Bytes of its files."""
    recorded: str
    """Date, empty where it is not known."""
    cpu: str
    problem: str = ""
    """Why it cannot be read."""
    orphan: str = ""
    """Why no test can ask for it any more."""

    def to_json(self) -> dict[str, Any]:
        """As ``--format json`` shows it; paths as text."""
        return {**self.__dict__, "path": str(self.path)}


def add_arguments(parser: ArgumentParser) -> None:
    """The arguments of ``golden``."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="list the goldens below a folder")
    listing.add_argument("--format", choices=("table", "json"), default="table")
    pruning = actions.add_parser("prune", help="remove goldens whose test no longer exists")
    pruning.add_argument("--dry-run", action="store_true", help="only show what would be removed")
    for action in (listing, pruning):
        action.add_argument("path", nargs="?", default=".", metavar="FOLDER")


def run_command(options: Namespace) -> int:
    """Run ``golden``; 0 if all is well, 1 if a golden cannot be read or has lost its test."""
    base = Path(options.path)
    if not base.is_dir():
        raise Arm64Error(f"{base} is not a folder", next_step="name the project's folder")
    goldens = list(entries(base))
    if options.action == "prune":
        return _prune(base, goldens, dry=options.dry_run)
    if options.format == "json":
        document = {"format": 1, "goldens": [entry.to_json() for entry in goldens]}
        print(json.dumps(document, indent=2))  # noqa: T201
    else:
        _table(goldens)
    return int(any(entry.problem or entry.orphan for entry in goldens))


def entries(base: Path) -> Iterator[StoredGolden]:
    """All goldens below *base*, by path."""
    for folder in sorted(_folders(base)):
        module = folder.parent.parent / f"{folder.name}.py"
        tests = _tests_of(module)
        for path in sorted(folder.glob("*.json")):
            if path.name != PROVENANCE:
                yield _entry(base, path, module, tests)


def _folders(base: Path) -> Iterator[Path]:
    for parent, folders, _ in walk_folders(base):
        folders[:] = [name for name in folders if name not in _SKIPPED]
        if Path(parent).name == FOLDER:
            yield from (path for name in folders if not (path := Path(parent, name)).is_symlink())
            folders.clear()


def _tests_of(module: Path) -> set[str] | None:
    """Names of functions and classes in *module*; None where it does not exist or parse."""
    try:
        tree = ast.parse(read_regular(module))
    except (OSError, SyntaxError, ValueError, RecursionError):
        return None
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return {node.name for node in ast.walk(tree) if isinstance(node, kinds)}


def _entry(base: Path, path: Path, module: Path, tests: set[str] | None) -> StoredGolden:
    where, owner = path.relative_to(base), str(module.relative_to(base))
    size = sum(p.stat().st_size for p in (path, path.with_suffix(".npz")) if p.exists())
    try:
        golden = read_file(path)
    except GoldenError as error:
        return StoredGolden(where, owner, "", 0, size, "", "", problem=error.what)
    assert golden is not None
    about = golden.provenance
    return StoredGolden(
        where,
        owner,
        golden.test,
        len(golden.values),
        size,
        str(about.get("recorded", "")),
        str(about.get("cpu", "")),
        orphan=_orphan(golden.test, module, tests),
    )


def _orphan(test: str, module: Path, tests: set[str] | None) -> str:
    if not module.exists():
        return f"{module.name} is gone"
    names = [part.partition("[")[0] for part in test.partition("[")[0].split("::")]
    lost = [name for name in names if tests is not None and name not in tests]
    # A test that is inherited is named by a class that lies in another module.
    return f"{module.name} has no {lost[0]}" if lost and len(names) == 1 else ""


def _prune(base: Path, goldens: list[StoredGolden], *, dry: bool) -> int:
    orphans = [entry for entry in goldens if entry.orphan]
    for entry in orphans:
        verb = "would remove" if dry else "removed"
        print(printable(f"{verb} {entry.path}: {entry.orphan}"))  # noqa: T201
        if not dry:
            path = base / entry.path
            path.unlink()
            path.with_suffix(".npz").unlink(missing_ok=True)
            _drop_empty(path.parent)
    remaining = len(goldens) - len(orphans)
    print(f"{counted(len(orphans), 'golden')} without a test, {remaining} kept")  # noqa: T201
    return 0


def _drop_empty(folder: Path) -> None:
    if {path.name for path in folder.iterdir()} <= {PROVENANCE}:
        (folder / PROVENANCE).unlink(missing_ok=True)
        folder.rmdir()


def _table(goldens: list[StoredGolden]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table("test", "values", "bytes", "recorded", "on", box=None, pad_edge=False)
    for entry in goldens:
        name = f"{entry.module}::{entry.test}" if entry.test else str(entry.path)
        note = entry.problem or entry.orphan
        shown = Text(printable(name + (f"\n→ {note}" if note else "")), "red" if note else "")
        table.add_row(
            shown, str(entry.values), str(entry.size), entry.recorded, Text(printable(entry.cpu))
        )
    console = console_on()
    console.print(table)
    console.print(counted(len(goldens), "golden"))
