"""``pytest-arm64 profile``: hot spots side by side, of runs of ours and of other tools."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from pathlib import Path

from ..inside.measure.profile_record import Profile, aligned
from ..report.hotspots import hotspot_lines
from ..report.imported_profiles import read_profiles

DESCRIPTION = """\
Show the hot spots of several profiles side by side: those of --arm64-profile and those
of perf, flame graphs and tables.
"""
EPILOG = """\
examples:
  pytest-arm64 profile out/profile.json
  pytest-arm64 profile before=perf.txt after=out/profile.json

exit codes:
  0  done
  2  a file is not a profile in a known format
"""


def add_arguments(parser: ArgumentParser) -> None:
    """The arguments of ``profile``."""
    parser.add_argument(
        "side",
        nargs="+",
        metavar="[NAME=]FILE",
        help="profile.json of --arm64-report, output of perf script or perf report --stdio, "
        "folded stacks of a flame graph, or a table in CSV",
    )
    parser.add_argument(
        "--format", choices=("table", "json"), default="table", help="output (default: table)"
    )


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
