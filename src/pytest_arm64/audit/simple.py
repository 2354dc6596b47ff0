"""Pages of a simple repository: JSON (PEP 691) and HTML (PEP 503), read defensively."""

from __future__ import annotations

import json
import re
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from html.parser import HTMLParser
from typing import Any

from packaging.utils import canonicalize_name

WHEEL, SDIST = "wheel", "sdist"
SDIST_ENDINGS = (".tar.gz", ".zip", ".tgz", ".tar.bz2", ".tar.xz")
ACCEPT = (
    "application/vnd.pypi.simple.v1+json, "
    "application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
)
_MAXIMUM_FILES = 200_000
# File names reach terminals, JSON and cache: nothing but what the formats allow.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!-]{0,254}\Z")
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")


class PageError(ValueError):
    """A page that cannot be read as one."""


@dataclass(frozen=True)
class File:
    """One file of a page."""

    name: str
    url: str
    kind: str
    version: str
    """As the file name spells it; not yet known to be a version."""
    requires_python: str = ""
    yanked: bool = False
    sha256: str = ""
    metadata: str = ""
    """``sha256`` of the separate metadata (PEP 658), "?" where it is there without one."""
    size: int = 0

    def as_json(self) -> list[Any]:
        """For the cache; the kind and the version follow from the name."""
        return [
            self.name,
            self.url,
            self.requires_python,
            self.yanked,
            self.sha256,
            self.metadata,
            self.size,
        ]


def parse_page(project: str, body: bytes, content_type: str, url: str) -> list[File]:
    """Files of *project* on its page, which was found at *url*.

    Raises:
        PageError: neither JSON nor HTML of the expected shape.
    """
    if content_type.partition(";")[0].strip().lower().endswith("json"):
        entries: Iterable[Mapping[str, Any]] = _json_entries(body)
    else:
        entries = html_entries(body)
    return list(_files(project, entries, url))


def file_of(project: str, name: str, url: str, entry: Mapping[str, Any]) -> File | None:
    """The file called *name*, None where that is no wheel or sdist of *project*."""
    if not _NAME.match(name):
        return None
    lower = name.lower()
    if lower.endswith(".whl"):
        parts = name.split("-")
        if len(parts) not in (5, 6) or not _is_name(parts[0], project):
            return None
        kind, version = WHEEL, parts[1].replace("_", "-")
    else:
        ending = next((e for e in SDIST_ENDINGS if lower.endswith(e)), None)
        found = _sdist_version(project, name[: -len(ending)]) if ending else None
        if found is None:
            return None
        kind, version = SDIST, found
    requires = entry.get("requires-python")
    hashes = entry.get("hashes")
    sha256 = str(hashes.get("sha256", "")).lower() if isinstance(hashes, dict) else ""
    size = entry.get("size")
    return File(
        name=name,
        url=url,
        kind=kind,
        version=version,
        requires_python=requires if isinstance(requires, str) and len(requires) < 300 else "",
        yanked=bool(entry.get("yanked") or entry.get("yanked") == ""),
        sha256=sha256 if _SHA256.match(sha256) else "",
        metadata=_metadata_mark(entry.get("core-metadata", entry.get("dist-info-metadata"))),
        size=size if isinstance(size, int) and size > 0 else 0,
    )


def file_from_json(project: str, row: object) -> File | None:
    """The inverse of ``File.as_json``; None for what is no such thing."""
    if not isinstance(row, list) or len(row) != 7:
        return None
    name, url, requires, yanked, sha256, metadata, size = row
    entry = {"requires-python": requires, "hashes": {"sha256": sha256}, "size": size}
    entry["yanked"] = True if yanked else False  # noqa: SIM210 - "" means yanked in a page
    entry["core-metadata"] = {"sha256": metadata} if metadata not in ("", "?") else bool(metadata)
    return file_of(project, str(name), str(url), entry)


def _files(project: str, entries: Iterable[Mapping[str, Any]], base: str) -> Iterator[File]:
    remote = not base.startswith("file:")
    for count, entry in enumerate(entries):
        if count >= _MAXIMUM_FILES:
            raise PageError(f"lists more than {_MAXIMUM_FILES} files")
        address = entry.get("url")
        if not isinstance(address, str):
            continue
        try:
            url = address if address.startswith("https://") else urllib.parse.urljoin(base, address)
        except ValueError:
            continue
        # A page from elsewhere must not make us read this machine's files.
        if remote and not url.startswith(("http://", "https://")):
            continue
        url = url.partition("#")[0]
        name = entry.get("filename") or urllib.parse.unquote(
            url.partition("?")[0].rpartition("/")[2]
        )
        file = file_of(project, str(name), url, entry)
        if file is not None:
            yield file


def _json_entries(body: bytes) -> list[Mapping[str, Any]]:
    try:
        page = json.loads(body)
    except (ValueError, RecursionError):
        raise PageError("is not JSON") from None
    files = page.get("files") if isinstance(page, dict) else None
    if not isinstance(files, list):
        raise PageError("has no list of files")
    return [entry for entry in files if isinstance(entry, dict)]


def html_entries(body: bytes) -> list[dict[str, Any]]:
    """Anchors of an HTML page in the words of the JSON one."""
    parser = _Anchors()
    try:
        parser.feed(body.decode("utf-8", "replace"))
        parser.close()
    except (AssertionError, ValueError, RecursionError):
        raise PageError("is not HTML") from None
    return parser.entries


class _Anchors(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.entries: list[dict[str, Any]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "a" or len(self.entries) > _MAXIMUM_FILES:
            return
        found = dict(attrs)
        href = found.get("href")
        if not href:
            return
        entry: dict[str, Any] = {"url": href.strip()}
        digest = re.search(r"#.*?sha256=([0-9a-fA-F]{64})", href)
        if digest:
            entry["hashes"] = {"sha256": digest[1]}
        if found.get("data-requires-python"):
            entry["requires-python"] = found["data-requires-python"]
        if "data-yanked" in found:
            entry["yanked"] = True
        mark = found.get("data-core-metadata", found.get("data-dist-info-metadata"))
        if mark:
            name, equals, value = mark.partition("=")
            entry["core-metadata"] = {name: value} if equals else mark == "true"
        self.entries.append(entry)


@lru_cache(maxsize=4096)
def _is_name(spelled: str, project: str) -> bool:
    return canonicalize_name(spelled) == project


def _sdist_version(project: str, stem: str) -> str | None:
    """The version in an sdist's name; the project's own dashes make this a search."""
    dash = stem.find("-")
    while dash != -1:
        if _is_name(stem[:dash], project) and dash + 1 < len(stem):
            return stem[dash + 1 :]
        dash = stem.find("-", dash + 1)
    return None


def _metadata_mark(value: object) -> str:
    if isinstance(value, dict):
        digest = str(value.get("sha256", "")).lower()
        return digest if _SHA256.match(digest) else "?"
    return "?" if value is True else ""
