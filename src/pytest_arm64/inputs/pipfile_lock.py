"""``Pipfile.lock``, read as the requirement file that ``pipenv requirements --hash`` prints."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement

from ..errors import SettingsError
from ..inside.regular_file import read_regular
from ..records import parse
from .reading import Table, strings, table, tables

NAME = "Pipfile.lock"
DEPLOYED, TESTS = "default", "develop"
_GROUPS = {DEPLOYED: "default", TESTS: "dev"}
_GROUP = re.compile(
    r"(?P<quote>['\"])(?P<name>[^'\"]*)(?P=quote)\s+(?P<not>not\s+)?in\s+dependency_groups"
)
# Markers know no constants.
_ALWAYS, _NEVER = 'os_name != ""', 'os_name == ""'
# Blanks, and half of a character as "\ud800" in JSON, which no file can hold.
_BREAKING = re.compile("[\\s\ud800-\udfff]")
_HASH = re.compile(r"[a-z0-9]+:[0-9a-fA-F]+")


def as_requirement_file(content: bytes, path: Path) -> bytes:
    """What the lock at *path* deploys, as a requirement file.

    Each requirement stands on the line on which the lock names its package.

    Raises:
        SettingsError: it is not a ``Pipfile.lock``.
    """
    data = _parsed(content, path)
    lines = _Lines(content.decode("utf-8", "replace"), DEPLOYED)
    placed: dict[int, str] = {}
    last = 1
    for source in tables(table(data, "_meta").get("sources")):
        option = "--index-url" if last == 1 else "--extra-index-url"
        placed[last] = f"{option} {_word(source.get('url'), path)}"
        last += 1
    for name, text in _requirements(data, DEPLOYED, path):
        number = lines.of(name)
        # An address and a package on one line would be a lock that nobody wrote with a tool.
        last = number if number > max(placed, default=0) else max(placed, default=0) + 1
        placed[last] = text
    return "".join(f"{placed.get(n, '')}\n" for n in range(1, max(placed, default=0) + 1)).encode()


def develop_requirements(path: Path) -> tuple[str, ...]:
    """What the lock at *path* has for development, without hashes; empty where there is no lock.

    Raises:
        SettingsError: it cannot be read.
    """
    if not path.is_file():
        return ()
    try:
        data = _parsed(read_regular(path), path)
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from None
    pairs = _requirements(data, TESTS, path, hashes=False)
    return tuple(text for _, text in pairs if not text.startswith(("-e ", "./", "/")))


def _parsed(content: bytes, path: Path) -> Table:
    try:
        data = parse(content)
    except ValueError as error:
        raise SettingsError(f"{path} is not a valid Pipfile.lock: {error}") from None
    if not isinstance(data, dict) or "_meta" not in data:
        raise SettingsError(
            f"{path} is not a valid Pipfile.lock: it has no _meta", next_step="pipenv lock"
        )
    return data


def _requirements(
    data: Table, section: str, path: Path, *, hashes: bool = True
) -> Iterator[tuple[str, str]]:
    """Names of packages, and each as a line of a requirement file.

    pip checks hashes of all or of none: where one package has none, all go without.
    """
    entries = table(data, section)
    hashes &= all(isinstance(e, dict) and strings(e.get("hashes")) for e in entries.values())
    for name, entry in entries.items():
        if not isinstance(entry, dict):
            raise SettingsError(f"{path}: {section}: {name!r:.80} is not a table")
        place = entry.get("path") or entry.get("file")
        if isinstance(place, str) and not entry.get("version"):
            editable = "-e " if entry.get("editable") is True else ""
            yield name, f"{editable}{_word(place, path)}"
            continue
        text = _pinned(name, entry, section, path)
        options = [_checked(value, path) for value in strings(entry.get("hashes"))]
        yield name, " ".join([text, *(f"--hash={o}" for o in options if hashes)])


def _without_groups(markers: str, section: str) -> str:
    """*markers* of a package in *section*, in which pipenv names the group that it is of."""
    mine = _GROUPS[section]

    def known(term: re.Match[str]) -> str:
        return _ALWAYS if (term["name"] == mine) is (term["not"] is None) else _NEVER

    judged = _GROUP.sub(known, markers)
    return "" if judged.strip("() ") == _ALWAYS else judged


def _pinned(name: str, entry: Mapping[str, object], section: str, path: Path) -> str:
    """One package of an index or of a repository as PEP 508 has it."""
    extras = ",".join(strings(entry.get("extras")))
    text = f"{name}[{extras}]" if extras else name
    address = entry.get("git")
    if isinstance(address, str):
        below = entry.get("subdirectory")
        fragment = f"#subdirectory={below}" if isinstance(below, str) else ""
        reference = entry.get("ref", "")
        text += f" @ {_word(f'git+{address}@{reference}{fragment}', path)}"
    else:
        version = str(entry.get("version", "*"))
        text += "" if version == "*" else f" {version}"  # a blank, or it could end the name
    try:
        requirement = Requirement(text)
        markers = entry.get("markers")
        judged = _without_groups(markers, section) if isinstance(markers, str) else ""
        if judged:
            requirement.marker = Marker(judged)
    except (ValueError, RecursionError) as error:
        why, *_ = str(error).splitlines() or [""]
        raise SettingsError(f"{path}: {name!r:.80} is not a requirement", why=why[:200]) from None
    return str(requirement)


def _word(value: object, path: Path) -> str:
    """*value* as one word of a requirement file, in which a blank would begin another."""
    if not isinstance(value, str) or not value or _BREAKING.search(value):
        raise SettingsError(f"{path}: {value!r:.80} is not an address or a path")
    return value


def _checked(value: str, path: Path) -> str:
    if not _HASH.fullmatch(value):
        raise SettingsError(f"{path}: {value!r:.80} is not a hash")
    return value


class _Lines:
    """On which line of the JSON a package of one section is named."""

    def __init__(self, text: str, section: str) -> None:
        begin = re.search(rf'^ {{0,8}}"{section}"\s*:', text, re.MULTILINE)
        self._text = text
        self._begin = begin.end() if begin else 0

    def of(self, name: str) -> int:
        position = self._text.find(f'"{name}":', self._begin)
        return self._text.count("\n", 0, position) + 1 if position >= 0 else 0
