"""The command ``pytest-arm64 abi``."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ..binary.record import FORMAT, AbiRecord
from ..binary.scan import scan_image, scan_path, system_of
from ..binary.system import declared_system
from ..config.artifact import read_artifact_name
from ..config.project_files import read_project_files
from ..config.target_choice import chosen_targets
from ..config.targets import MACHINES, Target
from ..engine.endpoint import open_engine
from ..engine.images import get_image
from ..errors import SettingsError
from ..progress import NoProgress

IMAGE = "image:"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument(
        "path", nargs="+", metavar="PATH", help="a wheel, a zip, a folder, or image:REFERENCE"
    )
    parser.add_argument(
        "--target", action="append", default=[], metavar="NAME", help="deployment target"
    )
    parser.add_argument(
        "--image",
        default="",
        metavar="IMAGE",
        help="look into this image, by an engine, instead of taking what the target declares "
        "(variable PYTEST_ARM64_IMAGE)",
    )
    parser.add_argument("--format", choices=("table", "json"), default="table")
    parser.add_argument("--all", action="store_true", help="show notes in the table too")


def run_command(options: argparse.Namespace, environ: Mapping[str, str] = os.environ) -> int:
    """Scan, print, and give the exit code: 0 loads, 1 does not, 3 could not be evaluated.

    Raises:
        SettingsError, ArtifactError, EngineError, ImageError: see each.
    """
    targets = chosen_targets(options.target, read_project_files(Path.cwd()), environ)
    if len(targets) != 1:
        raise SettingsError("abi compares with one target at a time")
    records = list(_records(options, targets[0], environ))
    _show(records, options.format, every=options.all)
    codes = [record.exit_code for record in records]
    return 1 if 1 in codes else max(codes)


def _records(
    options: argparse.Namespace, target: Target, environ: Mapping[str, str]
) -> Iterator[AbiRecord]:
    named = (options.image or environ.get("PYTEST_ARM64_IMAGE", "")).replace("{arch}", "arm64")
    if not named and not any(path.startswith(IMAGE) for path in options.path):
        system = declared_system(target)
        for path in options.path:
            yield scan_path(_local(path), system, target)
        return
    machine = MACHINES["arm64"]
    with open_engine(environ) as engine:
        for path in options.path:
            reference = path.removeprefix(IMAGE) if path.startswith(IMAGE) else named
            if not reference:
                yield scan_path(_local(path), declared_system(target), target)
                continue
            image = get_image(engine, reference, "arm64", NoProgress(), offline=False)
            if path.startswith(IMAGE):
                yield scan_image(engine, image, machine, target)
            else:
                system = system_of(engine, image, machine, target.facts.page_size)
                yield scan_path(_local(path), system, target)


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
    from rich.console import Console

    from ..report.abi import print_record

    for record in records:
        print_record(Console(), record, every=every)
