"""Pages of a simple repository: JSON (PEP 691) and HTML (PEP 503), read defensively."""

from __future__ import annotations

import json
import re
import urllib.parse
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from html.parser import HTMLParser

from packaging.utils import canonicalize_name

from .addresses import subdirectory_of

WHEEL, SDIST = "wheel", "sdist"
STRONG_HASHES = ("sha256", "sha384", "sha512")
"""Those that pip accepts."""
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
class IndexFile:
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
    other_hash: str = ""
    """Like ``sha512:…``, where there is no SHA-256 value; only locks have such."""

    @property
    def subdirectory(self) -> str:
        """The folder of the project within its sources; empty where it is their top."""
        return subdirectory_of(self.url)


FileRow = list[object]
"""Name, address, ``requires-python``, yanked, SHA-256, SHA-256 of the metadata, size of a file;
ready for JSON, and not checked beyond its types."""
Listing = Mapping[str, Sequence[FileRow]]
"""By version, as file names spell it: rows of name, address, ``requires-python``, yanked, SHA-256,
SHA-256 of the metadata, size; not checked, and ready for JSON."""


def parse_page(project: str, body: bytes, content_type: str, url: str) -> Listing:
    """What the page of *project*, which was found at *url*, lists.

    Raises:
        PageError: neither JSON nor HTML of the expected shape.
    """
    if content_type.partition(";")[0].strip().lower().endswith("json"):
        entries: Iterable[Mapping[str, object]] = _json_entries(body)
    else:
        entries = html_entries(body)
    return listing_of(project, entries, url)


def file_of(project: str, name: str, url: str, entry: Mapping[str, object]) -> IndexFile | None:
    """The file called *name*, None where that is no wheel or sdist of *project*."""
    file = file_from_row(project, _row(name, url, entry))
    hashes = entry.get("hashes")
    if file is None or file.sha256 or not isinstance(hashes, dict):
        return file
    kinds = sorted(hashes, key=lambda kind: (kind not in STRONG_HASHES, kind))
    return replace(file, other_hash=f"{kinds[0]}:{hashes[kinds[0]]}"[:300]) if kinds else file


def file_from_row(project: str, row: object) -> IndexFile | None:
    """The file that a row of a listing describes; None for what is no such thing."""
    if not isinstance(row, list) or len(row) != 7:
        return None
    name, url, requires, yanked, sha256, metadata, size = row
    if not isinstance(name, str) or not isinstance(url, str) or not _NAME.match(name):
        return None
    version = spelled_version(project, name)
    if version is None:
        return None
    wheel = name.lower().endswith(".whl")
    digest = sha256.lower() if isinstance(sha256, str) else ""
    return IndexFile(
        name=name,
        url=url,
        kind=WHEEL if wheel else SDIST,
        version=version.replace("_", "-") if wheel else version,
        requires_python=requires if isinstance(requires, str) and len(requires) < 300 else "",
        yanked=bool(yanked),
        sha256=digest if _SHA256.match(digest) else "",
        metadata=_metadata_mark(metadata),
        size=size if isinstance(size, int) and size > 0 else 0,
    )


def spelled_version(project: str, name: str) -> str | None:
    """The version in a file's name; None where that is no wheel or sdist of *project*."""
    parts = name.split("-")
    if name.endswith(".whl") or name.lower().endswith(".whl"):
        return parts[1] if len(parts) in (5, 6) and _is_name(parts[0], project) else None
    lower = name.lower()
    ending = next((e for e in SDIST_ENDINGS if lower.endswith(e)), None)
    return _sdist_version(project, name[: -len(ending)]) if ending else None


def _row(name: str, url: str, entry: Mapping[str, object]) -> FileRow:
    hashes = entry.get("hashes")
    mark = entry.get("core-metadata", entry.get("dist-info-metadata"))
    yanked = entry.get("yanked")
    return [
        name,
        url,
        entry.get("requires-python") or "",
        bool(yanked) or yanked == "",
        hashes.get("sha256", "") if isinstance(hashes, dict) else "",
        (mark.get("sha256") or "?") if isinstance(mark, dict) else "?" if mark is True else "",
        entry.get("size") or 0,
    ]


def checked_listing(value: object) -> Listing:
    """*value* as far as it is a listing: anything may have happened to the file it is from."""
    if not isinstance(value, dict):
        return {}
    return {
        version: [row for row in rows if isinstance(row, list) and len(row) == 7 and _named(row)]
        for version, rows in value.items()
        if isinstance(rows, list)
    }


def _named(row: FileRow) -> bool:
    return isinstance(row[0], str) and isinstance(row[1], str)


def listing_of(
    project: str, entries: Iterable[Mapping[str, object]], base: str = "file:"
) -> Listing:
    """Those of *entries* that are files of *project*, found on a page at *base*.

    Raises:
        PageError: there are too many.
    """
    remote = not base.startswith("file:")
    listing: dict[str, list[FileRow]] = {}
    for count, entry in enumerate(entries):
        if count >= _MAXIMUM_FILES:
            raise PageError(f"lists more than {_MAXIMUM_FILES} files")
        address = entry.get("url")
        if not isinstance(address, str):
            continue
        url = address
        if not address.startswith(("https://", "http://")):
            try:
                url = urllib.parse.urljoin(base, address)
            except ValueError:
                continue
            # A page from elsewhere must not make us read this machine's files.
            if remote and not url.startswith(("http://", "https://")):
                continue
        if "#" in url:
            url = url.partition("#")[0]
        name = entry.get("filename") or urllib.parse.unquote(
            url.partition("?")[0].rpartition("/")[2]
        )
        if not isinstance(name, str):
            continue
        version = spelled_version(project, name)
        if version is not None:
            listing.setdefault(version, []).append(_row(name, url, entry))
    return listing


def _json_entries(body: bytes) -> list[Mapping[str, object]]:
    try:
        page = json.loads(body)
    except (ValueError, RecursionError):
        raise PageError("is not JSON") from None
    files = page.get("files") if isinstance(page, dict) else None
    if not isinstance(files, list):
        raise PageError("has no list of files")
    return [entry for entry in files if isinstance(entry, dict)]


def html_entries(body: bytes) -> list[dict[str, object]]:
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
        self.entries: list[dict[str, object]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "a" or len(self.entries) > _MAXIMUM_FILES:
            return
        attributes = dict(attrs)
        href = attributes.get("href")
        if not href:
            return
        entry: dict[str, object] = {"url": href.strip()}
        digest = re.search(r"#.*?sha256=([0-9a-fA-F]{64})", href)
        if digest:
            entry["hashes"] = {"sha256": digest[1]}
        if attributes.get("data-requires-python"):
            entry["requires-python"] = attributes["data-requires-python"]
        if "data-yanked" in attributes:
            entry["yanked"] = True
        mark = attributes.get("data-core-metadata", attributes.get("data-dist-info-metadata"))
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
    if not isinstance(value, str) or not value:
        return ""
    return value.lower() if _SHA256.match(value.lower()) else "?"
