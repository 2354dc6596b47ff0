"""Requirement files with all that they include, and what an installer needs to know of them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from ..config.boundary import check_inside, is_there
from ..config.suggestions import file_suggestion
from ..errors import SettingsError
from ..index.addresses import masked
from ..inside.regular_file import read_regular
from . import pipfile_lock
from .reading import AS_PIP_READS, requirement
from .references import local_place, pep508, reference_in
from .requirement_lines import (
    EXTRA_INDEX_URL,
    FIND_LINKS,
    INDEX_URL,
    IncludeLine,
    Line,
    OptionLine,
    RefusedLine,
    RequirementLine,
    parse_lines,
    variable_names,
)

MAXIMUM_FILES = 500
_PLACES = (FIND_LINKS, INDEX_URL, EXTRA_INDEX_URL)


@dataclass(frozen=True)
class RequirementFile:
    """One file, read."""

    path: Path
    content: bytes
    lines: tuple[Line, ...]

    def included(self, line: IncludeLine) -> Path | None:
        """The file that *line* names; None for an address."""
        return path_of(line.target, self.path)

    def requirements(self) -> Iterator[RequirementLine]:
        return (line for line in self.lines if isinstance(line, RequirementLine))


def path_of(target: str, including: Path) -> Path | None:
    """The path that *target*, in the file *including*, names; None for an address."""
    if target.startswith("file:"):
        return local_place(target, including.parent)
    return None if "://" in target else Path(os.path.normpath(including.parent / target))


def read_file(path: Path, environ: Mapping[str, str], root: Path) -> RequirementFile:
    """The requirement file at *path*; *root* is the project's folder.

    Raises:
        SettingsError: it cannot be read, or leads outside the repository that it belongs to.
    """
    shown = os.path.relpath(path, root)
    check_inside(path, path, root, shown)
    try:
        content = read_regular(path)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise SettingsError(
            f"the requirement file {str(path)!r} cannot be read: {reason}"
            f"{file_suggestion(path, root)}",
            next_step="create the file, or correct the line that names it",
        ) from None
    if path.name == pipfile_lock.NAME:
        content = pipfile_lock.as_requirement_file(content, path)
    file = RequirementFile(path, content, tuple(parse_lines(content, environ)))
    for line in file.lines:
        for place in _places(line, path):
            check_inside(place, path, root, f"{shown}:{line.number}")
    return file


def _places(line: Line, path: Path) -> Iterator[Path]:
    """Places on this machine that *line* of the file at *path* names."""
    if isinstance(line, RequirementLine):
        named = [local_place(line.text, path.parent, editable=line.editable)]
    elif isinstance(line, IncludeLine):
        named = [path_of(line.target, path)]
    elif isinstance(line, OptionLine):
        named = [path_of(value, path) for name, value in line.options if name in _PLACES]
    else:
        named = []
    yield from (place for place in named if place is not None)


def read_files(
    paths: Iterable[Path], environ: Mapping[str, str], root: Path
) -> dict[Path, RequirementFile]:
    """The files at *paths* and all that they include, by path; *root* is the project's folder.

    Raises:
        SettingsError: one cannot be read, leads outside the repository, or they are too many.
    """
    files: dict[Path, RequirementFile] = {}
    pending = [*paths]
    while pending:
        path = pending.pop()
        if path in files:
            continue
        if len(files) >= MAXIMUM_FILES:
            raise SettingsError(f"{path} is one of more than {MAXIMUM_FILES} requirement files")
        files[path] = read_file(path, environ, root)
        pending += [included for included, _ in _includes(files[path])]
    return files


def refuse_broken(files: Mapping[Path, RequirementFile], root: Path) -> None:
    """Refuse what no installer accepts: options that pip does not have, lines that are nothing.

    Raises:
        SettingsError: a line of *files* is such a one; it is named relative to *root*.
    """
    for file in files.values():
        for line in file.lines:
            origin = f"{os.path.relpath(file.path, root).replace(os.sep, '/')}:{line.number}"
            if isinstance(line, RefusedLine):
                raise refusal(line, origin)
            if isinstance(line, RequirementLine) and not pep508(line.text):
                base = file.path.parent
                if reference_in(line.text, base, editable=line.editable) is None:
                    requirement(line.text, origin)  # raises: says why it is not valid


def refusal(line: RefusedLine, origin: str) -> SettingsError:
    """The error about a line that pip refuses."""
    option = line.text.startswith("-")
    return SettingsError(
        f"{origin}: {masked(line.text)[:200]!r} is not "
        f"{'an option that pip accepts in a requirement file' if option else 'a requirement'}",
        why=masked(line.problem)[:200],
        next_step="correct the line: pip refuses it as well" if option else AS_PIP_READS,
    )


def _includes(file: RequirementFile) -> Iterator[tuple[Path, bool]]:
    """Files that *file* includes, and whether each holds constraints."""
    for line in file.lines:
        path = file.included(line) if isinstance(line, IncludeLine) else None
        if isinstance(line, IncludeLine) and path is not None:
            yield path, line.constraint


def local_projects(files: Mapping[Path, RequirementFile]) -> Iterator[tuple[Path, bool]]:
    """Projects and distributions named by path, and whether each is editable."""
    for file in files.values():
        for line in file.requirements():
            place = local_place(line.text, file.path.parent, editable=line.editable)
            if place is not None:
                yield place, line.editable


def link_folders(files: Mapping[Path, RequirementFile]) -> Iterator[Path]:
    """Folders of distributions that are there (``--find-links``)."""
    for file in files.values():
        for line in file.lines:
            for name, value in line.options if isinstance(line, OptionLine) else ():
                folder = path_of(value, file.path) if name == FIND_LINKS else None
                if folder is not None and is_there(folder, Path.is_dir):
                    yield folder


def variables(files: Mapping[Path, RequirementFile], environ: Mapping[str, str]) -> dict[str, str]:
    """Variables of *environ* that *files* use as ``${NAME}``."""
    names = {name for file in files.values() for name in variable_names(file.content)}
    return {name: environ[name] for name in sorted(names) if name in environ}


def requested_names(paths: Iterable[Path], files: Mapping[Path, RequirementFile]) -> set[str]:
    """Normalised names that *paths* and what they include ask for directly.

    A constraint asks for nothing, but a file of constraints may include requirements.
    """
    reached: set[tuple[Path, bool]] = set()
    pending = [(path, False) for path in paths]
    while pending:
        path, constraint = pending.pop()
        if (path, constraint) not in reached and path in files:
            reached.add((path, constraint))
            pending += _includes(files[path])
    asked = (files[path] for path, constraint in reached if not constraint)
    return names_of(line.text for file in asked for line in file.requirements())


def constrained_names(files: Mapping[Path, RequirementFile]) -> set[str]:
    """Normalised names that any of *files* mentions, asked for or only constrained."""
    return names_of(line.text for file in files.values() for line in file.requirements())


def names_of(texts: Iterable[str]) -> set[str]:
    """Normalised names of those of *texts* that are requirements."""
    parsed = (pep508(text) for text in texts)
    return {canonicalize_name(requirement.name) for requirement in parsed if requirement}
