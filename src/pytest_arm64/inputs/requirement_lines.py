"""Requirement files as text: logical lines, what they include, the paths that they name."""

from __future__ import annotations

import codecs
import os.path
import re
import shlex
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from ..errors import SettingsError

_INCLUDE = re.compile(r"^(?:-(?P<short>[rc])\s*|--(?P<long>requirement|constraint)[\s=]\s*)(.+)$")
_EDITABLE = re.compile(r"^(?:-e\s*|--editable[\s=]\s*)(.+)$")
_DIRECT = re.compile(r"^[\w.-]+\s*(?:\[[^\]]*\])?\s*@\s*(\S+)")
_SCHEME = re.compile(r"^[A-Za-z][\w+.-]*:")
_COMMENT = re.compile(r"(^|\s+)#.*$")
_CODING = re.compile(rb"^#.*?coding[:=]\s*([-\w.]+)")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LINKS = re.compile(r"^(?:-f|--find-links)(?:\s+|=)(\S.*)$")
_MAXIMUM_FILES = 500


def read_documents(path: Path, documents: dict[Path, bytes]) -> None:
    """Add the requirement file at *path* and all that it includes to *documents*.

    Raises:
        SettingsError: one cannot be read, or they are too many.
    """
    pending = [path]
    while pending:
        current = pending.pop()
        if current in documents:
            continue
        if len(documents) >= _MAXIMUM_FILES:
            raise SettingsError(f"{path} leads to more than {_MAXIMUM_FILES} requirement files")
        try:
            documents[current] = current.read_bytes()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise SettingsError(
                f"the requirement file {current} cannot be read: {reason}"
            ) from None
        pending.extend(included for included, _ in _includes(current, documents[current]))


def _includes(path: Path, content: bytes) -> Iterator[tuple[Path, bool]]:
    """Files that *path* includes, and whether each holds constraints only."""
    for line in _lines(content):
        found = _INCLUDE.match(line)
        name = _first_word(found[3]) if found else ""
        if found and name and not _SCHEME.match(name):
            constraint = "c" in (found["short"], (found["long"] or "")[:1])
            yield _normal(path.parent / name), constraint


def _first_word(text: str) -> str:
    """The first word as a shell would see it, as pip reads options."""
    try:
        return (shlex.split(text) or [""])[0]
    except ValueError:
        return text.split(maxsplit=1)[0]


def local_projects(documents: Mapping[Path, bytes]) -> Iterator[tuple[Path, bool]]:
    """Projects and distributions named by path, and whether each is editable.

    As for pip, a path begins with a dot, or has a separator and is there; after ``-e``, any
    folder that is there is one.
    """
    for path, content in documents.items():
        for line in _lines(content):
            found = _EDITABLE.match(line)
            name = _named_path(_first_word(found[1]) if found else line)
            if not name:
                continue
            place = _normal(path.parent / name)
            dotted = name.partition("/")[0] in (".", "..")
            if dotted or ((found or "/" in name) and place.exists()):
                yield place, found is not None


def _named_path(text: str) -> str:
    """The path that a requirement consists of or refers to, empty where it is none."""
    direct = _DIRECT.match(text)
    if direct or text.startswith("file:"):
        try:
            url = urllib.parse.urlsplit(direct[1] if direct else text.split(maxsplit=1)[0])
        except ValueError:
            return ""
        name = urllib.parse.unquote(url.path) if url.scheme == "file" else ""
    else:
        name = re.split(r"[\[;#\s]", text, maxsplit=1)[0]
    return "" if _SCHEME.match(name) or name.startswith("-") or "\0" in name else name


def link_folders(documents: Mapping[Path, bytes]) -> Iterator[Path]:
    """Folders of distributions that are there (``--find-links``)."""
    for path, content in documents.items():
        for line in _lines(content):
            found = _LINKS.match(line)
            if found:
                folder = _normal(path.parent / found[1].strip().removeprefix("file://"))
                if folder.is_dir():
                    yield folder


def _lines(content: bytes) -> Iterator[str]:
    return (line for _, line in numbered_lines(content))


def numbered_lines(content: bytes) -> Iterator[tuple[int, str]]:
    """Logical lines as pip has them, each with the number of its first physical one.

    Joined where they end in a backslash, without comments.
    """
    pending, first = "", 0
    for number, line in enumerate([*_decoded(content).splitlines(), ""], 1):
        first = first if pending else number
        if line.endswith("\\") and not _COMMENT.match(line):
            pending += line.strip("\\")
            continue
        # A comment ends what was continued, and is one even where it follows without a space.
        joined = pending + (" " if _COMMENT.match(line) else "") + line
        pending = ""
        stripped = _COMMENT.sub("", joined).strip()
        if stripped:
            yield first, stripped


def _decoded(content: bytes) -> str:
    """Text of a requirement file by its byte order mark, its coding comment, or as UTF-8."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, "replace")
    for line in content.split(b"\n")[:2]:
        found = _CODING.match(line)
        if found:
            try:
                return content.decode(found[1].decode("ascii"), "replace")
            except (LookupError, ValueError):
                break
    return content.decode("utf-8", "replace")


def _normal(path: Path) -> Path:
    return Path(os.path.normpath(path))


def requested_names(files: Iterable[Path], documents: Mapping[Path, bytes]) -> set[str]:
    """Normalised names that *files* ask for directly, included files and all.

    A constraint asks for nothing.
    """
    reachable: dict[Path, bytes] = {}
    pending = list(files)
    while pending:
        path = pending.pop()
        if path not in reachable:
            reachable[path] = documents.get(path, b"")
            pending += [
                name for name, constraint in _includes(path, reachable[path]) if not constraint
            ]
    return names_of(_all_lines(reachable))


def constrained_names(documents: Mapping[Path, bytes]) -> set[str]:
    """Normalised names that any of *documents* mentions, asked for or only constrained."""
    return names_of(_all_lines(documents))


def _all_lines(documents: Mapping[Path, bytes]) -> Iterator[str]:
    for content in documents.values():
        yield from _lines(content)


def names_of(lines: Iterable[str]) -> set[str]:
    """Normalised names of those of *lines* that are requirements."""
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    names: set[str] = set()
    for line in lines:
        try:
            requirement = Requirement(re.split(r"\s--[a-z]", line)[0])
        except InvalidRequirement:
            continue
        names.add(canonicalize_name(requirement.name))
    return names
