"""What requirement files say to the audit: requirements, constraints, hashes, sources."""

from __future__ import annotations

import os
import re
from pathlib import Path

from packaging.requirements import Requirement

from ..config.boundary import is_there
from ..errors import SettingsError
from . import requirement_lines as options
from .project import local_project
from .reading import Reading, requirement
from .references import pep508, reference_in
from .requirement_files import MAXIMUM_FILES, path_of, read_file, refusal
from .requirement_lines import IncludeLine, Line, OptionLine, RequirementLine
from .requirements import sourced_requirement

# Kinds that pip knows in addresses. Source: pip 26.3, `models/link.py`, LinkHash.
_HASH_IN_ADDRESS = re.compile(r"(?:^|&)(sha512|sha384|sha256|sha224|sha1|md5)=")


def read_requirement_file(path: Path, reading: Reading, *, constraint: bool = False) -> None:
    """Add what the requirement file at *path* says to *reading*.

    Raises:
        SettingsError: a file cannot be read, or a line is no requirement.
    """
    path = Path(os.path.normpath(path))
    if (path, constraint) in reading.seen:
        return
    reading.seen.add((path, constraint))
    if len(reading.seen) > MAXIMUM_FILES:
        raise SettingsError(f"{path} is one of more than {MAXIMUM_FILES} requirement files")
    for line in read_file(path, reading.environ, reading.root).lines:
        _add(line, path, reading, constraint=constraint)


def _add(line: Line, path: Path, reading: Reading, *, constraint: bool) -> None:
    origin = reading.origin(path, line.number)
    if isinstance(line, RequirementLine):
        _add_requirement(line, path, reading, constraint=constraint)
    elif isinstance(line, IncludeLine):
        included = path_of(line.target, path)
        if included is None:
            kind = "--constraint" if line.constraint else "--requirement"
            reading.gaps.append(f"{origin}: {kind} names an address: not read")
        else:
            read_requirement_file(included, reading, constraint=line.constraint)
    elif isinstance(line, OptionLine):
        for name, value in line.options:
            _add_option(name, value, path, line.number, reading)
    else:
        raise refusal(line, origin)


def _add_option(name: str, value: str, path: Path, number: int, reading: Reading) -> None:
    if name == options.INDEX_URL:
        reading.index = value
    elif name == options.EXTRA_INDEX_URL:
        reading.extra_indexes.append(value)
    elif name == options.FIND_LINKS:
        folder = path_of(value, path)
        reading.links.append(value if folder is None else str(folder))
    elif name == options.NO_INDEX:
        reading.no_index = True
    elif name == options.PRE or (name, value) == (options.ALL_RELEASES, ":all:"):
        reading.prereleases = True
    elif name == options.ALL_RELEASES:
        reading.gaps.append(
            f"{reading.origin(path, number)}: pre-releases of {value[:80]} are not considered"
        )
    elif name == options.NO_BINARY:
        reading.formats = reading.formats.without_wheels(value)
    elif name == options.ONLY_BINARY:
        reading.formats = reading.formats.wheels_only(value)


def _add_requirement(
    line: RequirementLine, path: Path, reading: Reading, *, constraint: bool
) -> None:
    origin = reading.origin(path, line.number)
    named = pep508(line.text) or _referenced(line, path.parent, reading, origin)
    hashes = _comparable_hashes(line, named.url or "", origin, reading)
    sourced = sourced_requirement(named, origin, hashes=hashes, direct=True)
    (reading.constraints if constraint else reading.requirements).append((named, sourced))


def _comparable_hashes(
    line: RequirementLine, url: str, origin: str, reading: Reading
) -> frozenset[str]:
    """SHA-256 values. Indexes list no other kind, so that only pip can check the others."""
    pairs = [value.split(":", 1) for value in line.hashes]
    kinds = {kind for kind, _ in pairs} | set(_HASH_IN_ADDRESS.findall(url.partition("#")[2]))
    others = sorted(kinds - {"sha256"})
    if others:
        reading.gaps.append(
            f"{origin}: {' and '.join(others)} hashes cannot be compared with the index; "
            "pip checks them during installation (sha256 can be compared)"
        )
        return frozenset()
    return frozenset(digest.lower() for _, digest in pairs)


def _referenced(line: RequirementLine, base: Path, reading: Reading, origin: str) -> Requirement:
    """A path or an address as a requirement; a folder's project is read from its own file."""
    reference = reference_in(line.text, base, editable=line.editable)
    if reference is None:
        return requirement(line.text, origin)  # raises: says why it is not valid
    if reference.place is not None and is_there(reference.place, Path.is_dir):
        project = local_project(reference.place, reading, editable=line.editable)
        if project is not None:
            text = reference.as_requirement_of(project.name, direct=False)
            return requirement(text, origin)
    return requirement(str(reference), origin)
