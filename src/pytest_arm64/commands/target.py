"""The command ``pytest-arm64 target``: what is known of a target, and how to learn more."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

from ..binary.drift import differences
from ..binary.learned import Learned, learn, read_learned
from ..binary.rootfs import RootFiles, read_root, read_root_stream
from ..config.facts import Facts
from ..config.project_files import read_project_files
from ..config.suggestions import file_suggestion
from ..config.target_choice import chosen_target
from ..config.targets import Target
from ..errors import SettingsError
from ..inside.counted import counted
from ..progress import NoProgress

_SHOWN = 8
_ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2", ".tar.zst")

DESCRIPTION = """\
Show the operating system, Python, libraries, limits and support dates of a target, or
read these facts from an image or a root file system without starting it.
"""
EPILOG = """\
examples:
  pytest-arm64 target show lambda-python3.13
  pytest-arm64 target learn rootfs.tar --output facts.json

exit codes:
  0  done
  2  the target, image or file cannot be used
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    show = actions.add_parser("show", help="show what is known of a target, and its sources")
    show.add_argument("name", nargs="?", default="", metavar="NAME", help="default: the project's")
    show.add_argument("--format", choices=("table", "json"), default="table")
    learning = actions.add_parser(
        "learn", help="read an image or a root file system once, and write its facts"
    )
    learning.add_argument(
        "source",
        metavar="SOURCE",
        help="a tar of a root file system, an image saved as a tar (docker save, skopeo), or the "
        "reference of an image",
    )
    compare = actions.add_parser("compare", help="compare what a target declares with such facts")
    compare.add_argument("name", metavar="NAME")
    compare.add_argument("file", type=Path, metavar="FILE", help="written by target learn")
    learning.add_argument("--output", required=True, type=Path, metavar="FILE", help="JSON file")


def run_command(options: argparse.Namespace, environ: Mapping[str, str] = os.environ) -> int:
    """Show, learn or compare; 0 if that could be done, 1 if facts differ.

    Raises:
        SettingsError, ArtifactError, EngineError, ImageError: see each.
    """
    if options.action == "learn":
        return _learn(options.source, options.output, environ)
    target = chosen_target(options.name, read_project_files(Path.cwd()), environ)
    if options.action == "compare":
        lines = list(differences(target, read_learned(options.file)))
        print("\n".join(lines or ["no difference"]))  # noqa: T201 - the command's own output
        return 1 if lines else 0
    if options.format == "json":
        print(json.dumps(_document(target), indent=2))  # noqa: T201 - the command's own output
    else:
        print("\n".join(_lines(target, date.today())))  # noqa: T201 - the command's own output
    return 0


def _learn(source: str, output: Path, environ: Mapping[str, str]) -> int:
    if output.is_dir():
        raise SettingsError(f"--output {output} is a folder", next_step="name a file: facts.json")
    path = Path(source)
    if not path.exists() and source.endswith(_ARCHIVES):
        raise SettingsError(
            f"{source} does not exist{file_suggestion(path)}",
            next_step="name a tar of a root file system, or the reference of an image",
        )
    if path.exists():
        facts = learn(read_root(path), path.name, date.today())
    else:
        facts = learn(_image(source, environ), source, date.today())
    output.write_text(json.dumps(facts.to_json(), indent=1) + "\n", "utf-8")
    print(  # noqa: T201 - the command's own output
        f"wrote {output}: {facts.release or 'unknown release'}, {len(facts.libraries)} libraries, "
        f"{len(facts.nodes)} symbol versions, {len(facts.packages)} packages"
    )
    return 0


def _image(reference: str, environ: Mapping[str, str]) -> RootFiles:
    """The files of an image that an engine has or pulls; nothing of it is started."""
    from ..engine.endpoint import open_engine
    from ..engine.images import export_image, get_image

    with open_engine(environ) as engine:
        image = get_image(engine, reference, "arm64", NoProgress(), offline=False)
        with export_image(engine, image) as archive:
            return read_root_stream(archive, image.digest, image.library_path)


def _document(target: Target) -> dict[str, object]:
    facts = target.facts
    return {
        "format": 1,
        "name": target.name,
        "image": target.reference,
        "os": target.os,
        "glibc": target.glibc,
        "python": target.python,
        "package": target.package,
        "release": facts.release,
        "read": facts.read.isoformat() if facts.read is not None else "",
        "supported_until": facts.supported_until.isoformat() if facts.supported_until else "",
        "page_size": facts.page_size,
        "symbols": dict(facts.symbols),
        "older": dict(facts.older),
        "since": facts.since,
        "since_of": dict(facts.since_of),
        "has": list(facts.has),
        "lacks": list(facts.lacks),
        "limits": dict(facts.limits),
        "sources": list(facts.sources),
        "learned": str(target.facts_file or ""),
    }


def _lines(target: Target, today: date) -> Iterator[str]:
    yield f"{target.name}: {target.os or 'any system'}, Python {target.python}"
    yield f"image: {target.reference}"
    if target.facts_file is not None:
        yield from _learned_lines(read_learned(target.facts_file), today)
    else:
        yield from _declared_lines(target.facts, today)


def _learned_lines(facts: Learned, today: date) -> Iterator[str]:
    age = counted((today - date.fromisoformat(facts.read)).days, "day")
    yield f"facts: {facts.release}, read from {facts.source} on {facts.read} ({age} ago)"
    yield f"loader: {facts.loader or 'unknown'}; pages: {facts.page_size} bytes"
    yield f"libraries: {len(facts.libraries)}; packages: {len(facts.packages)}"


def _declared_lines(facts: Facts, today: date) -> Iterator[str]:
    if not facts.release:
        yield "facts: none declared; pytest-arm64 target learn IMAGE --output FILE reads them"
        return
    read = "on an unknown day; see the sources"
    if facts.read is not None:
        read = f"on {facts.read.isoformat()} ({counted(facts.age(today), 'day')} ago)"
    yield f"facts: {facts.release}, read {read}"
    if facts.supported_until is not None:
        ended = " (ended)" if facts.supported_until < today else ""
        yield f"supported until {facts.supported_until.isoformat()}{ended}"
    yield "newest symbol versions: " + ", ".join(f"{p}_{v}" for p, v in facts.symbols)
    if facts.older:
        older = ", ".join(f"{p}_{v}" for p, v in facts.older)
        others = "".join(f", {p} from {since} on" for p, since in facts.since_of)
        yield f"older images in use: {older}; current from {facts.since} on{others}"
    yield f"pages: {facts.page_size} bytes"
    yield f"libraries there: {_some(facts.has)}"
    yield f"libraries missing: {_some(facts.lacks)}"
    yield from (f"limit: {name} {number:,}" for name, number in facts.limits)
    yield from (f"source: {source}" for source in facts.sources)


def _some(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more (--format json)" if more > 0 else "")
