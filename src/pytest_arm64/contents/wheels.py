"""What wheels for any platform hold for x86-64 alone: read in parts, cached by hash."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from packaging.version import Version

from .. import cache
from ..index.simple import IndexFile

# A lock whose wheels were looked into before needs no index.
if TYPE_CHECKING:
    from ..index.index import Index

RULES = 1
"""Counts up when the same files would be judged differently."""
_KIND = "wheel-contents"
_MOST_NAMED = 3
_FRESH_SECONDS = 24 * 3600.0


@dataclass(frozen=True)
class WheelContents:
    """One wheel."""

    x86: tuple[str, ...] = ()
    """Files for x86-64 Linux, where it has none for ARM64."""

    @property
    def named(self) -> str:
        """The first of them, in words."""
        more = len(self.x86) - _MOST_NAMED
        return ", ".join(self.x86[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


class WheelReader:
    """Looks into wheels of one index, each once."""

    def __init__(self, index: Callable[[], Index]) -> None:
        """*index* is called when a wheel has to be fetched."""
        self._index = index
        self._read: dict[str, WheelContents | None] = {}
        self.unread: dict[str, str] = {}
        """By file: why it could not be looked into."""

    def contents(self, files: Mapping[str, IndexFile]) -> dict[str, WheelContents]:
        """What *files*, by project, hold; without those that cannot be read."""
        missing = {n: f for n, f in files.items() if not self._has(f)}
        if missing:
            self._fetch(missing)
        read = {name: self._read.get(record_key(file)) for name, file in files.items()}
        return {name: contents for name, contents in read.items() if contents is not None}

    def for_arm(self, project: str, file: IndexFile) -> bool:
        """Whether ARM64 can use what *file* holds; False where it cannot be read."""
        if not file.name.endswith("-any.whl"):
            return True
        contents = self.contents({project: file}).get(project)
        return contents is not None and not contents.x86

    def notes(self) -> Iterator[str]:
        """What was not looked into, and why."""
        if self.unread:
            count = len(self.unread)
            what = "1 wheel" if count == 1 else f"{count} wheels"
            reason = next(iter(self.unread.values()))
            yield f"{what} for any platform not looked into for programs: {reason}"

    def _has(self, file: IndexFile) -> bool:
        key = record_key(file)
        if key not in self._read:
            contents = _cached(file, key)
            if contents is None:
                return False
            self._read[key] = contents
        return True

    def _fetch(self, files: Mapping[str, IndexFile]) -> None:
        """Read *files*, several at once."""
        from ..index.archives import ArchiveError
        from ..index.fetch import FetchError
        from ..index.workers import DaemonWorkers

        index = self._index()
        workers = DaemonWorkers()
        reads = {n: workers.submit(partial(_fetched, index, n, f)) for n, f in files.items()}
        workers.close()
        for name, file in files.items():
            key = record_key(file)
            try:
                contents = reads[name].result(index.deadline.left() + 0.1)
            except (ArchiveError, FetchError, OSError, ValueError, FutureTimeout) as error:
                self._read[key] = None
                self.unread[file.name] = str(error) or type(error).__name__
                continue
            self._read[key] = contents
            cache.store(_KIND, key, {"x86": list(contents.x86), "fetched": time.time()})


def record_key(file: IndexFile) -> str:
    """Under which it is cached what *file* holds."""
    return cache.digest([RULES, file.name, file.sha256 or file.url])


def _cached(file: IndexFile, key: str) -> WheelContents | None:
    """What *file* was seen to hold: without a hash its address has to do, and not for ever."""
    record = cache.load(_KIND, key)
    if record is None or (file.url.startswith("file:") and not file.sha256):
        return None
    x86, fetched = record.get("x86"), record.get("fetched")
    age = time.time() - fetched if isinstance(fetched, float) else _FRESH_SECONDS
    if not file.sha256 and not 0 <= age < _FRESH_SECONDS:
        return None
    if not isinstance(x86, list) or not all(isinstance(name, str) for name in x86):
        return None
    return WheelContents(tuple(x86))


def _fetched(index: Index, project: str, file: IndexFile) -> WheelContents:
    from ..index.fetch import FetchError
    from ..index.remote_metadata import wheel_content
    from .wheel_rules import x86_members

    if not file.url:
        listed = index.page(project).releases.get(Version(file.version), ())
        file = next((f for f in listed if f.name == file.name), file)
    if not file.url:
        raise FetchError(f"the index does not have {file.name}")
    with wheel_content(index.fetcher, file) as wheel:
        return WheelContents(x86_members(wheel))
