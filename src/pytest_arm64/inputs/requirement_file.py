"""Requirement files as pip reads them: included files, constraints, hashes, options, paths."""

from __future__ import annotations

import os
import re
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from ..errors import SettingsError
from ..index.simple import SDIST_ENDINGS
from .project import local_project
from .reading import Reading, is_there, requirement
from .requirement_lines import numbered_lines
from .requirements import wish_of

_MAXIMUM_FILES = 500
_OPTION = re.compile(r"(--?[A-Za-z][A-Za-z-]*)(?:\s*=\s*|\s+|$)(.*)\Z")
_HASH = re.compile(r"\s--hash[=\s]\s*(\w+):([0-9a-fA-F]+)")
_PER_REQUIREMENT = re.compile(r"\s--(?:config-settings?|global-option|install-option)\b.*$")
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")
_SHORT = {
    "-r": "--requirement",
    "-c": "--constraint",
    "-e": "--editable",
    "-i": "--index-url",
    "-f": "--find-links",
    "--pypi-url": "--index-url",
}
# They change nothing about which files fit, or are pip's own business.
_SILENT = {"--require-hashes", "--use-feature", "--prefer-binary", "--trusted-host"}


def read_requirement_file(path: Path, reading: Reading, *, constraint: bool = False) -> None:
    """Add what the requirement file at *path* says to *reading*.

    Raises:
        SettingsError: a file cannot be read, or a line is no requirement.
    """
    path = Path(os.path.normpath(path))
    if (path, constraint) in reading.seen:
        return
    reading.seen.add((path, constraint))
    if len(reading.seen) > _MAXIMUM_FILES:
        raise SettingsError(f"{path} is one of more than {_MAXIMUM_FILES} requirement files")
    try:
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise SettingsError(
            f"the requirement file {str(path)!r} cannot be read: {reason}"
        ) from None
    for number, raw in numbered_lines(content):
        line = _VARIABLE.sub(lambda m: reading.environ.get(m[1], m[0]), raw)
        option = _OPTION.match(line)
        if option:
            _option(option[1], option[2].strip(), path, number, reading, constraint=constraint)
        else:
            _requirement(line, path, number, reading, constraint=constraint)


def _option(
    name: str, value: str, path: Path, number: int, reading: Reading, *, constraint: bool
) -> None:
    name = _SHORT.get(name, name)
    if name in ("--requirement", "--constraint"):
        if "://" in value:
            reading.gaps.append(
                f"{reading.origin(path, number)}: {name} names an address: not read"
            )
        else:
            nested = constraint or name == "--constraint"
            read_requirement_file(path.parent / value, reading, constraint=nested)
    elif name == "--editable":
        _requirement(value, path, number, reading, constraint=constraint, editable=True)
    elif name == "--index-url":
        reading.index = value
    elif name == "--extra-index-url":
        reading.extra_indexes.append(value)
    elif name == "--find-links":
        local = "://" not in value
        reading.links.append(str(path.parent / value) if local else value)
    elif name == "--no-index":
        reading.no_index = True
    elif name == "--pre":
        reading.prereleases = True
    elif name == "--no-binary":
        reading.formats = reading.formats.without_wheels(value)
    elif name == "--only-binary":
        reading.formats = reading.formats.wheels_only(value)
    elif name not in _SILENT:
        reading.gaps.append(f"{reading.origin(path, number)}: the option {name} is not understood")


def _requirement(
    line: str,
    path: Path,
    number: int,
    reading: Reading,
    *,
    constraint: bool,
    editable: bool = False,
) -> None:
    origin = reading.origin(path, number)
    hashes = frozenset(m[2].lower() for m in _HASH.finditer(line) if m[1] == "sha256")
    text = _PER_REQUIREMENT.sub("", _HASH.sub("", line)).strip()
    try:
        found = Requirement(text)
    except InvalidRequirement:
        found = _reference(text, path.parent, reading, origin, editable=editable)
    wish = wish_of(found, origin, hashes=hashes, direct=True)
    (reading.constraints if constraint else reading.requirements).append((found, wish))


def _reference(
    text: str, base: Path, reading: Reading, origin: str, *, editable: bool
) -> Requirement:
    """A path or an address as a requirement; a folder's project is read from its own file."""
    body, _, marker = text.partition(" ;")
    body = body.strip()
    address, extras = body, ""
    found = re.match(r"(.*)\[([^\[\]]*)\]\Z", body)
    if found and "#" not in body:
        address, extras = found[1], f"[{found[2]}]"
    marker = f" ; {marker.strip()}" if marker else ""
    local = address.removeprefix("file://") if "://" not in address[7:] else address
    place = Path(os.path.normpath(base / local)) if "://" not in local else None
    if place is not None and is_there(place, Path.is_dir):
        project = local_project(place, reading, editable=editable)
        if project is not None:
            return requirement(f"{project.name}{extras}{marker}", origin)
    egg = re.search(r"[#&]egg=([A-Za-z0-9._-]+)", address)
    looks = "://" in address or address.startswith((".", "/"))
    if not looks and not (place and is_there(place, Path.exists)):
        return requirement(text, origin)  # it is none, and this says why
    name = egg[1] if egg else _name_in(address)
    where = place.as_uri() if place else address
    return requirement(f"{name}{extras} @ {where}{marker}", origin)


def _name_in(address: str) -> str:
    """The project's name as far as the last part of a path or an address tells it."""
    last = re.split(r"[?#]", address)[0].rstrip("/").rpartition("/")[2].partition("@")[0]
    if last.endswith(".whl"):
        last = last.partition("-")[0]
    for ending in (*SDIST_ENDINGS, ".git"):
        if last.endswith(ending):
            last = re.sub(r"-\d.*$", "", last[: -len(ending)])
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", last).strip("-._")
    return name or "unnamed-reference"
