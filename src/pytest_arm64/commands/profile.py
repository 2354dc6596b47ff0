"""``pytest-arm64 profile``: hot spots side by side, of runs of ours and of other tools."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from pathlib import Path

from ..inside.measure.profile_record import Profile, aligned
from ..report.hotspots import hotspot_lines
from ..report.imported_profiles import read_profiles


def add_arguments(parser: ArgumentParser) -> None:
    """The arguments of ``profile``."""
    parser.add_argument(
        "side",
        nargs="+",
        metavar="[NAME=]FILE",
        help="profile.json of --arm64-report, or what perf script, perf report --stdio, "
        "a flame graph's folded stacks or a table in CSV say",
    )
    parser.add_argument("--format", choices=("table", "json"), default="table")


def run_command(options: Namespace) -> int:
    """Read and print; 0.

    Raises:
        ProfileError: a file holds no profile.
    """
    hotspots = aligned([hotspot for word in options.side for hotspot in _side(word)])
    if options.format == "json":
        rows = [{**hotspot.to_json(), "source": hotspot.source} for hotspot in hotspots]
        print(json.dumps({"format": 1, "profiles": rows}, indent=1))  # noqa: T201
    else:
        for line in hotspot_lines(hotspots):
            print(line)  # noqa: T201
    return 0


def _side(word: str) -> list[Profile]:
    name, equals, file = word.partition("=")
    if not equals or Path(word).exists():
        return read_profiles(Path(word))
    return read_profiles(Path(file), name)
