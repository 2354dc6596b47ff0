"""The command ``pytest-arm64 abi``."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

from ..binary.learned import system_of_target
from ..binary.record import FORMAT, AbiRecord
from ..binary.scan import scan_image, scan_path, system_of
from ..binary.system import System
from ..config.artifact import read_artifact_name
from ..config.project_files import read_project_files
from ..config.target_choice import chosen_targets
from ..config.targets import MACHINES, Target
from ..engine.endpoint import Engine, open_engine
from ..engine.images import Base, get_image
from ..errors import SettingsError
from ..progress import NoProgress

IMAGE = "image:"

DESCRIPTION = """\
Check that the compiled files of a wheel, zip file, folder or image load on a target:
architecture, glibc, symbol versions and libraries. An engine is needed for images only.
"""
EPILOG = """\
examples:
  pytest-arm64 abi dist/*.whl --target al2023-python3.12
  pytest-arm64 abi function.zip --target lambda-python3.13 --format json

exit codes:
  0  all compiled files can be loaded
  1  a compiled file cannot be loaded
  2  a path, target or image cannot be used
  3  incomplete: something could not be determined
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument(
        "path", nargs="+", metavar="PATH", help="wheel, zip file, folder, or image:REFERENCE"
    )
    parser.add_argument(
        "--target",
        action="append",
        default=[],
        metavar="NAME",
        help="deployment target (default: the project's)",
    )
    parser.add_argument(
        "--image",
        default="",
        metavar="IMAGE",
        help="judge by what is in this image, read by an engine, instead of what the target "
        "declares (default: the image of PYTEST_ARM64_IMAGE, if no target is named; with a target, "
        "that image is compared with it)",
    )
    parser.add_argument(
        "--format", choices=("table", "json"), default="table", help="output (default: table)"
    )
    parser.add_argument("--all", action="store_true", help="show notes in the table too")


def run_command(options: argparse.Namespace, environ: Mapping[str, str] = os.environ) -> int:
    """Scan, print, and give the exit code: 0 loads, 1 does not, 3 could not be evaluated.

    Raises:
        SettingsError, ArtifactError, EngineError, ImageError: see each.
    """
    targets = chosen_targets(options.target, read_project_files(Path.cwd()), environ)
    if len(targets) != 1:
        raise SettingsError(
            f"abi compares with one target at a time, not {len(targets)}",
            next_step="run it once for each: --target " + targets[0].name,
        )
    records = list(_records(options, targets[0], environ))
    _show(records, options.format, every=options.all)
    codes = [record.exit_code for record in records]
    return 1 if 1 in codes else max(codes)


def _records(
    options: argparse.Namespace, target: Target, environ: Mapping[str, str]
) -> Iterator[AbiRecord]:
    named = options.image.replace("{arch}", "arm64")
    at_hand = environ.get("PYTEST_ARM64_IMAGE", "").replace("{arch}", "arm64")
    asked = options.target or environ.get("PYTEST_ARM64_TARGET")
    declared = system_of_target(target, date.today())
    images = any(path.startswith(IMAGE) for path in options.path)
    if not (named or at_hand or images):
        for path in options.path:
            yield scan_path(_local(path), declared, target)
        return
    for path in options.path:
        read_artifact_name(path, Path.cwd())  # refuses a name without a place
    with open_engine(environ) as engine:
        for path in options.path:
            if path.startswith(IMAGE):
                image = _image(engine, path.removeprefix(IMAGE))
                yield scan_image(engine, image, MACHINES["arm64"], target)
            elif named or (at_hand and not asked):
                yield scan_path(_local(path), _system(engine, named or at_hand, target), target)
            else:
                other = _system(engine, at_hand, target) if at_hand else None
                yield scan_path(_local(path), declared, target, other)


def _image(engine: Engine, reference: str) -> Base:
    return get_image(engine, reference, "arm64", NoProgress(), offline=False)


def _system(engine: Engine, reference: str, target: Target) -> System:
    image = _image(engine, reference)
    return system_of(engine, image, MACHINES["arm64"], target.facts.page_size)


def _local(path: str) -> Path:
    """A file or a folder, also as the key ``artifact`` spells it."""
    artifact = read_artifact_name(path, Path.cwd())
    return artifact.path if artifact is not None else Path(path)


def _show(records: Sequence[AbiRecord], form: str, *, every: bool) -> None:
    if form == "json":
        documents = [record.to_json() for record in records]
        several = {"format": FORMAT, "records": documents}
        print(json.dumps(documents[0] if len(documents) == 1 else several, indent=2))  # noqa: T201
        return
    from ..report.abi import print_record
    from ..report.console import console_on

    for record in records:
        print_record(console_on(), record, every=every)
