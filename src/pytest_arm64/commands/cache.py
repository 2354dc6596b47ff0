"""The command ``pytest-arm64 cache``: what is kept, how much, and how it gets elsewhere."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import tarfile
from pathlib import Path, PurePosixPath
from typing import IO

from .. import cache
from ..cache import contents, prune
from ..config.quantities import at_least_zero, count
from ..config.suggestions import file_suggestion
from ..errors import Arm64Error, SettingsError
from ..report.console import console_on

# What of it can be used on any machine, for CI to carry from run to run: not what names images.
_PORTABLE = (
    *("distributions", "distribution-hashes", "layers", "built", "index-pages", "metadata"),
    "repositories",
)
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?\Z", re.IGNORECASE)
_UNITS = {"": 0, "K": 10, "M": 20, "G": 30, "T": 40}
_MAXIMUM_MEMBERS = 2_000_000
_HASH = "PYTEST_ARM64.sha256"
"""Extended header of each file in an export."""

DESCRIPTION = """\
Show, shrink, export or import the cache of this user: index pages, wheels, builds and
environments.
"""
EPILOG = """\
examples:
  pytest-arm64 cache info
  pytest-arm64 cache prune --size 5G
  pytest-arm64 cache export cache.tar

exit codes:
  0  done
  2  a size or a file cannot be used
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    info = actions.add_parser("info", help="show size and number of files, by kind")
    info.add_argument("--format", choices=("table", "json"), default="table")
    prune = actions.add_parser("prune", help="remove least recently used entries")
    prune.add_argument(
        "--size", default="", metavar="SIZE", help="remove entries until this much remains, e.g. 5G"
    )
    prune.add_argument(
        "--days",
        type=at_least_zero,
        metavar="N",
        help="remove entries that were not used for N days",
    )
    prune.add_argument(
        "--images",
        type=count,
        metavar="N",
        help="keep at most N images of this user's in the engine, those that were used last",
    )
    for name, words in (
        ("export", "write the part that other machines can use to a tar file"),
        ("import", "add an exported file to the cache"),
    ):
        actions.add_parser(name, help=words).add_argument("file", type=Path, metavar="FILE")


def run_command(options: argparse.Namespace) -> int:
    """Do what was asked for; always 0.

    Raises:
        SettingsError: a size or a file cannot be used.
    """
    folder = cache.chosen_folder()
    if options.action == "info":
        _show(folder, options.format)
    elif options.action == "prune":
        if not options.size and options.days is None and options.images is None:
            raise SettingsError(
                "prune needs a limit",
                next_step="pytest-arm64 cache prune --size 5G, or --days 30; --size 0 for all",
            )
        limit = size_of(options.size) if options.size else None
        if limit is not None or options.days is not None:
            count, size = prune(folder, limit=limit, days=options.days)
            print(f"removed {count} files, {readable(size)}")  # noqa: T201
        if options.images is not None:
            print(_pruned_images(options.images))  # noqa: T201
    elif options.action == "export":
        print(f"{export(folder, options.file)} files in {options.file}")  # noqa: T201
    else:
        print(f"{import_(folder, options.file)} files from {options.file}")  # noqa: T201
    return 0


def export(folder: Path, file: Path) -> int:
    """Write what is portable into the tar *file*; the number of files.

    Raises:
        SettingsError: it cannot be written.
    """
    count = 0
    part = file.with_name(f"{file.name}.part")
    try:
        part.unlink(missing_ok=True)  # a repository may have a link there
        with tarfile.open(part, "x", format=tarfile.PAX_FORMAT) as archive:
            for entry in sorted(contents(folder), key=lambda entry: entry.path):
                if entry.kind not in _PORTABLE or entry.path.suffix == ".part":
                    continue
                with entry.path.open("rb") as stream:
                    name = entry.path.relative_to(folder).as_posix()
                    info = archive.gettarinfo(arcname=name, fileobj=stream)
                    info.pax_headers = {_HASH: _hash_of(stream)}
                    stream.seek(0)
                    archive.addfile(info, stream)
                count += 1
        part.replace(file)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise SettingsError(
            f"{file} cannot be written: {error.strerror}",
            next_step="name a file in a folder that exists",
        ) from None
    return count


def _hash_of(stream: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := stream.read(2**20):
        digest.update(chunk)
    return digest.hexdigest()


def import_(folder: Path, file: Path) -> int:
    """Unpack the tar *file* into *folder*; what is there already stays. The number of new files.

    Raises:
        SettingsError: it cannot be read, or holds what no export writes.
    """
    count = 0
    try:
        with tarfile.open(file) as archive:
            for number, member in enumerate(archive):
                place = _place(folder, member)
                if place is None or number > _MAXIMUM_MEMBERS:
                    raise SettingsError(
                        f"{file} holds {member.name[:80]!r}, which no export writes",
                        next_step="create it again: pytest-arm64 cache export FILE",
                    )
                stream = archive.extractfile(member)
                if place.exists() or stream is None:
                    continue
                place.parent.mkdir(parents=True, exist_ok=True)
                part = place.with_name(f"{place.name}.part")
                digest = hashlib.sha256()
                with part.open("wb") as target:
                    while chunk := stream.read(2**20):
                        digest.update(chunk)
                        target.write(chunk)
                os.utime(part, (member.mtime, member.mtime))
                expected = _hashes(member, place.relative_to(folder))
                if expected != {digest.hexdigest()}:
                    part.unlink()
                    raise SettingsError(f"{file} holds a damaged {member.name[:120]!r}")
                part.replace(place)
                count += 1
    except (OSError, tarfile.TarError, EOFError) as error:
        reason = getattr(error, "strerror", None) or str(error).partition("\n")[0].rstrip(":")
        raise SettingsError(
            f"{file} cannot be read: {reason}{file_suggestion(file)}",
            next_step="create it again: pytest-arm64 cache export FILE",
        ) from None
    return count


def _place(folder: Path, member: tarfile.TarInfo) -> Path | None:
    path = PurePosixPath(member.name)
    safe = not path.is_absolute() and ".." not in path.parts and path.parts[:1]
    if not safe or path.parts[0] not in _PORTABLE or not member.isreg():
        return None
    return folder / path


def _hashes(member: tarfile.TarInfo, place: Path) -> set[str]:
    """The hashes that *member* must have: that of its export, of a distribution also its own."""
    hashes = {member.pax_headers.get(_HASH, "")}
    return hashes | {place.parts[-2]} if place.parts[0] == "distributions" else hashes


def size_of(text: str) -> int:
    """Bytes in *text*, such as ``5G`` or ``300 MiB``.

    Raises:
        SettingsError: it is no size.
    """
    size = _SIZE.match(text.strip())
    if size is None:
        raise SettingsError(f"{text!r} is not a size", next_step="write it as 500M or 5G")
    return int(float(size[1]) * 2 ** _UNITS[size[2].upper()])


def readable(size: int) -> str:
    """*size* bytes in words."""
    for unit, name in ((30, "GiB"), (20, "MiB"), (10, "KiB")):
        if size >= 2**unit:
            return f"{size / 2**unit:.1f} {name}"
    return f"{size} bytes"


def _pruned_images(most: int) -> str:
    """What became of the engine's images of ours, of which *most* are to stay.

    Raises:
        EngineError: no engine answers.
    """
    from ..engine.endpoint import open_engine
    from ..engine.image_uses import made_images, remove_images, surplus

    with open_engine() as engine:
        images = made_images(engine)
        gone = remove_images(engine, surplus(images, most_images=most))
        left = made_images(engine)
    return (
        f"removed {len(gone)} images, {readable(sum(image.size for image in gone))}; "
        f"{len(left)} are left, {readable(sum(image.size for image in left))}"
    )


def _images() -> dict[str, int]:
    """Number and bytes of the engine's images of ours; empty where no engine answers."""
    from ..engine.endpoint import open_engine
    from ..engine.image_uses import made_images

    try:
        with open_engine() as engine:
            images = made_images(engine)
    except Arm64Error:
        return {}
    return {"images": len(images), "bytes": sum(image.size for image in images)}


def _show(folder: Path, form: str) -> None:
    kinds: dict[str, list[int]] = {}
    for entry in contents(folder):
        total = kinds.setdefault(entry.kind, [0, 0])
        total[0] += 1
        total[1] += entry.size
    images = _images()
    if form == "json":
        listed = {k: {"files": n, "bytes": size} for k, (n, size) in sorted(kinds.items())}
        document = {"format": 1, "folder": str(folder), "kinds": listed, "engine": images}
        print(json.dumps(document, indent=2))  # noqa: T201
        return
    from rich.table import Table
    from rich.text import Text

    table = Table("kind", "files", "size", box=None, pad_edge=False)
    for kind, (number, size) in sorted(kinds.items()):
        table.add_row(kind, str(number), readable(size))
    console = console_on()
    console.print(Text(str(folder)))
    console.print(table)
    console.print(Text(f"{readable(sum(size for _, size in kinds.values()))} in all"))
    if images:
        from ..engine.image_uses import MOST_BYTES, MOST_IMAGES

        console.print(
            Text(
                f"images in the engine: {images['images']}, {readable(images['bytes'])} "
                f"(at most {MOST_IMAGES} and {readable(MOST_BYTES)} stay after a run)"
            )
        )
