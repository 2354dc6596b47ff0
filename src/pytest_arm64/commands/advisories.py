"""The command ``pytest-arm64 advisories``: what is known to be wrong with packages on ARM64."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from pathlib import Path

from packaging.utils import canonicalize_name

from ..advisories.database import Advisories, project_advisories
from ..advisories.entries import Advisory
from ..config.project_files import read_project_files
from ..config.suggestions import suggestion
from ..errors import SettingsError

FORMAT = 1

DESCRIPTION = """\
List, show and verify advisories: what is known to be wrong with released packages on
ARM64, in which releases, and under which condition. Entries of the project's own files
count too. `verify` runs their reproducers in containers and needs an engine.
"""
EPILOG = """\
examples:
  pytest-arm64 advisories list --package torch
  pytest-arm64 advisories show ARM-2026-0008
  pytest-arm64 advisories verify ARM-2026-0009

exit codes:
  0  done; what was verified reproduces
  1  a reproducer does not fail with the affected release, or fails with another
  2  there is no such advisory or package, or a file of advisories is not valid
  3  a release could not be installed or run
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="list advisories, one line each")
    listing.add_argument("--package", default="", metavar="NAME", help="only those of this package")
    show = actions.add_parser("show", help="show one advisory with its details and references")
    show.add_argument("id", metavar="ID", help="for example ARM-2026-0008")
    verify = actions.add_parser(
        "verify",
        help="run reproducers with an affected release and with one that is not",
    )
    verify.add_argument("ids", nargs="*", metavar="ID", help="for example ARM-2026-0009")
    verify.add_argument("--all", action="store_true", help="verify all advisories")
    for action in (listing, show, verify):
        action.add_argument(
            "--format", choices=("text", "json"), default="text", help="default: text"
        )


def run_command(options: argparse.Namespace) -> int:
    """List or show; 0 if that could be done.

    Raises:
        SettingsError: there is no such advisory or package, or a file is not valid.
    """
    advisories = project_advisories(read_project_files(Path.cwd()))
    if options.action == "verify":
        return _verify(options, advisories)
    if options.action == "show":
        entries: Sequence[Advisory] = [advisories.get(options.id)]
    else:
        entries = _of_package(advisories, options.package)
    if options.format == "json":
        found = [_document(entry) for entry in entries]
        whole = found[0] if options.action == "show" else {"advisories": found}
        print(json.dumps({"format": FORMAT, **whole}, indent=2))  # noqa: T201 - the command's own output
        return 0
    lines = _details(entries[0]) if options.action == "show" else map(_line, entries)
    print("\n".join(map(_printable, lines)))  # noqa: T201 - the command's own output
    return 0


def _verify(options: argparse.Namespace, advisories: Advisories) -> int:
    """Run reproducers, and print what came of each."""
    if bool(options.ids) == options.all:
        raise SettingsError(
            "name advisories, or pass --all",
            next_step="pytest-arm64 advisories verify ARM-2026-0009",
        )
    entries = advisories.entries if options.all else [advisories.get(i) for i in options.ids]
    # pytest and the engine's client are loaded where something is run.
    from ..run.reproductions import DIFFERS, UNKNOWN, counted, reproduce

    # Standard output is for the answer; the session reports its progress on the other one.
    with redirect_stdout(sys.stderr):
        reproductions = reproduce(entries)
    if options.format == "json":
        rows = [{"id": r.id, "state": r.state, "text": r.text} for r in reproductions]
        print(json.dumps({"format": FORMAT, "reproductions": rows}, indent=2))  # noqa: T201 - the command's own output
    else:
        lines = [f"{r.id}  {r.state}: {r.text}" for r in reproductions]
        print("\n".join(map(_printable, (*lines, ", ".join(counted(reproductions))))))  # noqa: T201 - the command's own output
    states = {r.state for r in reproductions}
    return 3 if UNKNOWN in states else 1 if DIFFERS in states else 0


def _of_package(advisories: Advisories, name: str) -> Sequence[Advisory]:
    if not name:
        return advisories.entries
    package = canonicalize_name(name)
    entries = advisories.of(package)
    if not entries:
        raise SettingsError(
            f"there is no advisory on {name[:60]!r}{suggestion(package, advisories.packages)}",
            next_step="pytest-arm64 advisories list",
        )
    return entries


def _line(entry: Advisory) -> str:
    affected = ", ".join(f"{item.package} {item}" for item in entry.affected)
    return f"{entry.id}  {entry.effect}  {affected}: {entry.summary}"


def _details(entry: Advisory) -> Iterator[str]:
    yield f"{entry.id}: {entry.summary}"
    yield f"effect: {entry.effect}"
    yield from (f"affected: {item.package} {item}" for item in entry.affected)
    yield f"condition: {entry.condition}"
    yield f"modified: {entry.modified}"
    yield f"reproduced: {entry.reproduced}"
    if entry.details:
        yield from ("", entry.details)
    if entry.reproducer:
        yield from ("", "reproducer:", *(f"  {line}" for line in entry.reproducer.splitlines()))
    if entry.references:
        yield ""
    yield from (f"{reference.type.lower()}: {reference.url}" for reference in entry.references)


def _document(entry: Advisory) -> dict[str, object]:
    return {
        "id": entry.id,
        "summary": entry.summary,
        "effect": entry.effect,
        "affected": [{"package": item.package, "releases": str(item)} for item in entry.affected],
        "condition": str(entry.condition),
        "details": entry.details,
        "references": [{"type": r.type, "url": r.url} for r in entry.references],
        "modified": entry.modified,
        "reproducer": entry.reproducer,
        "reproduced": entry.reproduced,
    }


def _printable(text: str) -> str:
    """*text* without what a terminal would obey: a project's file may hold anything."""
    return "".join(c if c.isprintable() else "?" for c in text)
