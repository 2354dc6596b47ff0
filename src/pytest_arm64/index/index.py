"""What the host's package indexes have: pages and metadata, fetched ahead and kept."""

from __future__ import annotations

import os
import re
import threading
import time
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from .. import cache
from ..errors import SettingsError
from .access import Access
from .addresses import file_path, shown
from .fetch import Deadline, Fetcher, FetchError, RefusedError
from .keyring import AUTO
from .metadata import Metadata, MetadataError
from .pip_config import PipConfig
from .releases import Releases
from .remote_metadata import read_metadata
from .simple import (
    ACCEPT,
    IndexFile,
    Listing,
    PageError,
    checked_listing,
    html_entries,
    listing_of,
    parse_page,
)
from .workers import DaemonWorkers

FRESH_SECONDS = 24 * 3600.0
MAXIMUM_PAGE = 96 * 2**20
_REFUSALS = (401, 403, 407)
_PAGES, _METADATA = "index-pages", "metadata"


@dataclass(frozen=True)
class Sources:
    """Where packages come from."""

    indexes: tuple[str, ...]
    links: tuple[str, ...] = ()
    """Folders and pages of files (``--find-links``)."""
    access: Access = field(default_factory=Access, compare=False)

    @classmethod
    def of_host(
        cls,
        config: PipConfig,
        *,
        index: str = "",
        extra: Sequence[str] = (),
        links: Sequence[str] = (),
        no_index: bool = False,
        environ: Mapping[str, str] = os.environ,
    ) -> Sources:
        """pip's configuration of this host; what a requirement file says is added or wins.

        Raises:
            SettingsError: an address is none.
        """
        settings = config.settings
        access = Access(
            ca=config.ca,
            netrc=Path(environ.get("NETRC") or Path.home() / ".netrc"),
            trusted=frozenset(settings.get("trusted-host", "").split()),
            proxy=settings.get("proxy", ""),
            keyring=config.keyring or AUTO,
            environ=environ,
        )
        first = index or settings.get("index-url", "") or _default_index()
        no_index = no_index or settings.get("no-index", "").lower() in ("1", "true", "yes", "on")
        indexes = [first, *settings.get("extra-index-url", "").split(), *extra]
        folders = [*settings.get("find-links", "").split(), *links]
        try:
            addresses = [access.learn(url).rstrip("/") for url in ([] if no_index else indexes)]
            places = [access.learn(_as_url(folder)) for folder in folders]
        except ValueError as error:
            raise SettingsError(
                f"the address of an index cannot be read: {error}",
                next_step="python -m pip config list",
            ) from None
        return cls(tuple(dict.fromkeys(addresses)), tuple(dict.fromkeys(places)), access)


@dataclass(frozen=True)
class Page:
    """All files of one project, from every source."""

    project: str
    releases: Releases
    """The newest first."""
    problem: str = ""
    """Why nothing can be said of this project; then there are no releases."""
    missing: bool = False
    """Every index answered that there is no such project."""
    refused: bool = False
    """Every index that may have it answered, and refused to say more."""
    unread: tuple[str, ...] = ()
    """Why indexes could not be read that may have more of it."""

    @property
    def is_final(self) -> bool:
        """Whether there are no releases, and asking again gives none either."""
        return self.missing or self.refused


class Index:
    """Pages and metadata by project, each asked for once."""

    def __init__(
        self,
        sources: Sources,
        deadline: Deadline,
        *,
        offline: bool = False,
        refresh: bool = False,
        workers: int = 16,
    ) -> None:
        self.deadline = deadline
        self._sources = sources
        self._offline = offline
        self._refresh = refresh
        self.fetcher = Fetcher(sources.access, deadline, offline=offline, refresh=refresh)
        self._workers = DaemonWorkers(workers)
        self._lock = threading.Lock()
        self._pages: dict[str, list[Future[Listing | None]]] = {}
        self._joined: dict[str, Page] = {}
        self._metadata: dict[str, Future[Metadata]] = {}
        self._linked: list[dict[str, object]] | None = None
        self.unread: dict[str, str] = {}
        """Indexes that could not be read, with the first reason of each."""
        self.oldest: float = time.time()
        """When the oldest page that was used was fetched."""

    def close(self) -> None:
        """Let the workers go; nothing is waited for."""
        self._workers.close()

    def prefetch(self, project: str) -> list[Future[Listing | None]]:
        """Begin to fetch the page of *project* from every index."""
        with self._lock:
            if project not in self._pages:
                self._pages[project] = [
                    self._workers.submit(partial(self._index_page, project, url))
                    for url in self._sources.indexes
                ]
            return self._pages[project]

    def when_page(self, project: str, then: Callable[[], None]) -> None:
        """Fetch the page of *project* and call *then* from a worker, if all went well."""
        futures = self.prefetch(project)
        if not futures:
            return

        def done(_: object) -> None:
            if all(f.done() for f in futures) and any(f.exception() is None for f in futures):
                then()

        for future in futures:
            future.add_done_callback(done)

    def when_metadata(
        self, project: str, file: IndexFile, then: Callable[[Metadata], None]
    ) -> None:
        """Fetch the metadata of *file* and call *then* with them from a worker."""
        self.prefetch_metadata(project, file).add_done_callback(
            lambda future: None if future.exception() else then(future.result())
        )

    def page(self, project: str) -> Page:
        """Everything that the sources have of *project*."""
        if project not in self._joined:
            self._joined[project] = self._join(project)
        return self._joined[project]

    def prefetch_metadata(self, project: str, file: IndexFile) -> Future[Metadata]:
        """Begin to fetch the metadata of *file*."""
        with self._lock:
            if file.url not in self._metadata:
                self._metadata[file.url] = self._workers.submit(
                    partial(self._file_metadata, project, file)
                )
            return self._metadata[file.url]

    def metadata(self, project: str, file: IndexFile) -> Metadata:
        """The metadata of *file*.

        Raises:
            MetadataError: it cannot be had.
        """
        try:
            return self.prefetch_metadata(project, file).result(self.deadline.left() + 0.1)
        except FutureTimeout:
            raise MetadataError(f"{file.name}: no answer in the time of the audit") from None

    def _join(self, project: str) -> Page:
        listings = [self._links_of(project)]
        unread: list[str] = []
        refused = True
        for index, future in zip(self._sources.indexes, self.prefetch(project), strict=True):
            try:
                listing = future.result(self.deadline.left() + 0.1)
            except FutureTimeout:
                return Page(
                    project, Releases(project), f"no answer within {self.deadline.seconds:g} s"
                )
            except (FetchError, PageError) as error:
                # As pip does: the others count.
                unread.append(str(error))
                refused = refused and isinstance(error, RefusedError)
                self.unread.setdefault(shown(index), str(error))
                continue
            if listing is not None:
                listings.append(listing)
        if any(listings):
            return Page(project, Releases(project, listings), unread=tuple(unread))
        if unread:
            return Page(project, Releases(project), unread[0], refused=refused)
        reason = "no index has a project of this name"
        return Page(project, Releases(project), reason, missing=True)

    def unread_of(self, project: str) -> tuple[str, ...]:
        """Why indexes could not be read for *project*, as far as it was asked for."""
        page = self._joined.get(project)
        return page.unread if page is not None else ()

    def _links_of(self, project: str) -> Listing:
        if self._linked is None:
            self._linked = [e for url in self._sources.links for e in self._link_entries(url)]
        return listing_of(project, self._linked)

    def _link_entries(self, url: str) -> list[dict[str, object]]:
        if url.startswith("file:") and file_path(url).is_dir():
            folder = file_path(url)
            return [{"filename": path.name, "url": path.as_uri()} for path in folder.iterdir()]
        try:
            reply = self.fetcher.get(url, limit=MAXIMUM_PAGE)
            entries = html_entries(reply.body) if reply.status == 200 else []
            addresses = [
                urllib.parse.urljoin(reply.url, str(entry["url"])).partition("#")[0]
                for entry in entries
            ]
        except (FetchError, ValueError):
            return []
        remote = not url.startswith("file:")
        return [
            {
                **entry,
                "url": address,
                "filename": urllib.parse.unquote(address.rpartition("/")[2]),
            }
            for entry, address in zip(entries, addresses, strict=True)
            if not (remote and address.startswith("file:"))
        ]

    def _index_page(self, project: str, index: str) -> Listing | None:
        """What one index lists of *project*, None where it has no such project."""
        url = f"{index}/{project}/"
        key = cache.digest([url])
        remote = not url.startswith("file:")
        cached = cache.load(_PAGES, key) if remote else None
        if cached is not None and not isinstance(cached.get("listing"), dict):
            cached = None  # of another version: it says nothing, not that there is nothing
        if cached is not None and self._fresh(cached):
            return self._cached_listing(cached)
        headers = {"Accept": ACCEPT}
        if cached is not None and isinstance(cached.get("etag"), str) and cached["etag"]:
            headers["If-None-Match"] = cached["etag"]
        reply = self.fetcher.get(url, headers=headers, limit=MAXIMUM_PAGE)
        if reply.status == 304 and cached is not None:
            cache.store(_PAGES, key, {**cached, "fetched": time.time()})
            return self._cached_listing(cached)
        if reply.status in (404, 410):
            return None
        if reply.status != 200:
            failure = RefusedError if reply.status in _REFUSALS else FetchError
            raise failure(f"{shown(index)} returned {_status(reply.status)}")
        kind = reply.headers.get("content-type", "")
        try:
            listing = parse_page(project, reply.body, kind, reply.url)
        except PageError as error:
            raise FetchError(f"the page {shown(url)} {error}") from None
        if remote:
            cache.store(
                _PAGES,
                key,
                {
                    "fetched": time.time(),
                    "etag": reply.headers.get("etag", ""),
                    "listing": listing,
                },
            )
        return listing

    def _fresh(self, cached: Mapping[str, object]) -> bool:
        if self._offline:
            return True
        fetched = cached.get("fetched")
        age = time.time() - fetched if isinstance(fetched, float) else FRESH_SECONDS
        return not self._refresh and 0 <= age < FRESH_SECONDS

    def _cached_listing(self, cached: Mapping[str, object]) -> Listing:
        fetched = cached.get("fetched")
        if isinstance(fetched, float):
            self.oldest = min(self.oldest, fetched)
        return checked_listing(cached.get("listing"))

    def _file_metadata(self, project: str, file: IndexFile) -> Metadata:
        # A file is what its hash says; without one its address has to do, and not for ever.
        remote = not file.url.startswith("file:")
        key = cache.digest([project, file.name, file.sha256 or file.url])
        cached = cache.load(_METADATA, key) if remote else None
        if cached is not None and (file.sha256 or self._fresh(cached)):
            requires = cached.get("requires")
            if isinstance(requires, list):
                return Metadata(
                    tuple(map(str, requires)),
                    str(cached.get("requires-python", "")),
                    str(cached.get("doubt", "")),
                )
        metadata = read_metadata(self.fetcher, project, file)
        if remote:
            cache.store(
                _METADATA,
                key,
                {
                    "fetched": time.time(),
                    "requires": list(metadata.requires),
                    "requires-python": metadata.requires_python,
                    "doubt": metadata.doubt,
                },
            )
        return metadata


def page_of_reference(project: str, url: str) -> Page | None:
    """The page of a file that is named by its address; None where it names none."""
    place, _, fragment = url.partition("#")
    name = urllib.parse.unquote(place.partition("?")[0].rpartition("/")[2])
    digest = re.search(r"(?:^|&)sha256=([0-9a-fA-F]{64})", fragment)
    entry = {"hashes": {"sha256": digest[1].lower()}} if digest else {}
    if "+" in place.partition("://")[0]:
        return None
    releases = Releases(project, [listing_of(project, [{"filename": name, "url": place, **entry}])])
    return Page(project, releases) if releases else None


def _status(status: int) -> str:
    meaning = {
        401: "401: credentials required (netrc, keyring, or user:token@ in the index URL)",
        403: "403: the credentials were refused",
        407: "407: the proxy requires credentials",
        429: "429: too many requests",
    }
    return meaning.get(status, str(status))


def _as_url(place: str) -> str:
    return place if "://" in place else Path(place).resolve().as_uri()


def _default_index() -> str:
    """The index that pip uses when nothing is configured, in pip's own words."""
    from pip._internal.models.index import PyPI

    return str(PyPI.simple_url)
